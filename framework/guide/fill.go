package guide

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// cell puts the cell's words in: the page prints them in full, in the tab of the platform and CA.
func (v Values) cell(text string) string { return fillWords(text, v.Words) }

// fillWords replaces each <name> by the word of that name.
func fillWords(text string, words map[string]string) string {
	for name, word := range words {
		text = strings.ReplaceAll(text, "<"+name+">", word)
	}
	return text
}

var (
	placeholder = regexp.MustCompile(`<[A-Za-z]+>|FLEET_PROJECT_ID|GIVEN_PROJECT_NUMBER|\bREVISION\b|\bNAMESPACE\b|\bASMCLI\b|\bOUTPUT_DIR\b|` +
		`(?:PATH_TO_KUBECONFIG|CLUSTER_NAME|CLUSTER_ID|NETWORK|REMOTE_NAME)_[0-9]+|CLUSTER[0-9]+_CONTEXT_NAME`)
	number = regexp.MustCompile(`[0-9]+`)
	// plain words mean themselves to a shell, also inside double quotes.
	plain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)
)

// fill replaces every placeholder in one pass, so that a value is never searched for placeholders.
func (v Values) fill(text string) (string, error) {
	var missing []string
	out := placeholder.ReplaceAllStringFunc(text, func(word string) string {
		value, quotable := v.value(word)
		switch {
		case value == "":
			missing = append(missing, word+" has no value")
		case plain.MatchString(value):
		case quotable:
			value = quoted(value)
		default:
			missing = append(missing, fmt.Sprintf("%s cannot be %q: use letters, digits and . _ - : /", word, value))
		}
		return value
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("%s", strings.Join(missing, "; "))
	}
	return out, nil
}

// quoted makes one word of a shell of any text.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// value gives what stands for a placeholder, and whether the guide prints it where a quoted word may stand.
func (v Values) value(word string) (value string, quotable bool) {
	if name, ok := strings.CutPrefix(word, "<"); ok {
		return v.Words[strings.TrimSuffix(name, ">")], false
	}
	switch word {
	case "FLEET_PROJECT_ID":
		return v.Fleet, false
	case "GIVEN_PROJECT_NUMBER":
		return v.ProjectNumber, false
	case "REVISION":
		return v.Revision, false
	case "NAMESPACE":
		return v.namespace(), false
	case "ASMCLI":
		return v.Asmcli, true
	case "OUTPUT_DIR":
		return v.OutputDir, true
	}
	n, err := strconv.Atoi(number.FindString(word))
	if err != nil || n < 1 || n > len(v.Clusters) {
		return "", false
	}
	c := v.Clusters[n-1]
	switch {
	case strings.HasPrefix(word, "PATH_TO_KUBECONFIG"):
		return c.Kubeconfig, true
	case strings.HasSuffix(word, "CONTEXT_NAME"):
		return c.Context, true
	case strings.HasPrefix(word, "CLUSTER_NAME"):
		return v.name(n - 1), false
	case strings.HasPrefix(word, "CLUSTER_ID"):
		return c.ID, false
	case strings.HasPrefix(word, "NETWORK"):
		return c.Network, false
	}
	return c.RemoteName, true
}
