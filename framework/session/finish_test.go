package session

import (
	"strings"
	"testing"
)

func TestTheReportIsToldWhoRanItAndWhere(t *testing.T) {
	s := &Session{o: Options{By: "the nightly job", Where: "runner 7"}}
	if x := s.extra(nil); x.By != "the nightly job" || x.Where != "runner 7" || !strings.HasPrefix(x.Tool, "meshproof") {
		t.Errorf("the report is told %q, %q and %q", x.By, x.Where, x.Tool)
	}
	if x := (&Session{}).extra(nil); x.By != "" || x.Where != "" {
		t.Errorf("nobody said who runs it or where, but the report is told %q and %q", x.By, x.Where)
	}
}
