package traffic

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/meshproof/meshproof/framework/evidence"
)

// maxBody is how much of a body is kept, in bytes: helloworld's answer has about 60.
const maxBody = 512

var (
	// trailer is the line after each body: code, seconds, curl's exit code, URL that ends with the call's number.
	trailer = regexp.MustCompile(`^` + regexp.QuoteMeta(marker) + `([0-9]{3}) ([0-9]+[.,][0-9]+) ([0-9]+) (\S+-([0-9]+))$`)
	hello   = regexp.MustCompile(`^Hello version: ([^\s,]+), instance: (\S+)$`)
)

// ParseSplit reads the output of Split's command. What follows the last complete answer (a stream that broke) is no reply.
func ParseSplit(stdout []byte) []evidence.Reply {
	replies := []evidence.Reply{}
	var body []string
	for line := range strings.Lines(string(stdout)) {
		text, whole := strings.CutSuffix(line, "\n")
		m := trailer.FindStringSubmatch(text)
		if m == nil || !whole {
			body = append(body, line)
			continue
		}
		r := evidence.Reply{}
		r.Code, _ = strconv.Atoi(m[1])
		r.Seconds, _ = strconv.ParseFloat(strings.Replace(m[2], ",", ".", 1), 64)
		r.Exit, _ = strconv.Atoi(m[3])
		r.Number, _ = strconv.Atoi(m[5])
		// The command's own line end stands between a body and its trailer.
		fill(&r, strings.TrimSuffix(strings.Join(body, ""), "\n"))
		replies = append(replies, r)
		body = nil
	}
	return replies
}

// ParseGuideCalls reads what the guide's own calls print (S14): a body a line. A line that is not helloworld's is a reply
// with that body only; empty lines are none. The guide's command prints no status, so Code is 0.
func ParseGuideCalls(stdout []byte) []evidence.Reply {
	replies := []evidence.Reply{}
	for line := range strings.Lines(string(stdout)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		r := evidence.Reply{Number: len(replies) + 1}
		fill(&r, line)
		replies = append(replies, r)
	}
	return replies
}

// fill keeps the body, and takes the version and the instance out of it when it is exactly helloworld's.
func fill(r *evidence.Reply, body string) {
	r.Body = cut(body, maxBody)
	if m := hello.FindStringSubmatch(strings.TrimSuffix(body, "\n")); m != nil {
		r.Version, r.Instance = m[1], m[2]
	}
}
