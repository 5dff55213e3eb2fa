package collect

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// What a log may say and evidence must not hold: a control plane quotes values of objects, and errors quote what could not be
// read. Nobody can know each secret's form, so a message keeps only what reads as words of a sentence or of a name.
var (
	quoted = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"?|`[^`]*`?|(?:^|[ =:(])'[^']*'?")
	// named are values that their names call secret, and every value behind "=".
	named    = regexp.MustCompile(`(?i)\b(` + secretName + `(?:(?:\s*[:=]\s*|\s+)` + secretName + `)*)(?:\s*[:=]\s*|\s+)\S+`)
	assigned = regexp.MustCompile(`=[^\s,;)\]}]+`)
	word     = regexp.MustCompile(`[A-Za-z0-9_+/=~%$@!?&*#^<>]+`)
	ordinary = regexp.MustCompile(`^(?:[a-z]{1,24}|[A-Z]{1,12}|(?:[A-Z]?[a-z]{1,16}|[A-Z]{2,5}){1,4}|[0-9]{1,6})$`)
)

// familiar are words with digits that Kubernetes and Istio write.
var familiar = map[string]bool{"k8s": true, "v1": true, "v2": true, "v3": true, "v1beta1": true, "v1alpha1": true, "v1alpha3": true, "x509": true, "http2": true, "ipv4": true, "ipv6": true}

const (
	gone       = "*"
	secretName = `(?:authorization|bearer|basic|password|passwd|token|secret|api[-_]?key|credentials?|cookie)`
)

// redact gives a message without what could be secret: what is quoted, values that are named, and every word that is neither
// letters in a usual case nor a short number ("*" stands in its place). A secret that is a plain word outside quotes is not
// told from a sentence: none of Istio's messages is known to print one so.
func redact(message string) string {
	message = quoted.ReplaceAllStringFunc(message, func(q string) string {
		if lead := strings.IndexAny(q, "'"); lead > 0 {
			return q[:lead] + gone
		}
		return gone
	})
	message = named.ReplaceAllString(message, "${1} "+gone)
	message = assigned.ReplaceAllString(message, ": "+gone)
	message = word.ReplaceAllStringFunc(message, func(w string) string {
		var parts []string
		for part := range strings.SplitSeq(w, "/") { // paths and API groups
			if part != "" && part != gone && !familiar[part] && !ordinary.MatchString(strings.TrimRight(part, "?!")) {
				part = gone
			}
			parts = append(parts, part)
		}
		return strings.Join(parts, "/")
	})
	if len(message) > maxMessage {
		cut := maxMessage
		for !utf8.RuneStart(message[cut]) {
			cut--
		}
		message = message[:cut]
	}
	return message
}
