package progress

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// screen is a terminal of some width: it knows the few sequences that Live writes, and no other.
type screen struct {
	t      *testing.T
	width  int
	rows   []string
	row    int
	writes int
}

var sequence = regexp.MustCompile(`^\x1b\[([0-9]*)([AJm])`)

func (s *screen) Write(p []byte) (int, error) {
	s.writes++
	text := string(p)
	if !strings.HasSuffix(text, "\n") && !strings.HasSuffix(text, "\x1b[J") {
		s.t.Errorf("a write ends within a line: %q", text)
	}
	column, colour := 0, ""
	for len(text) > 0 {
		if m := sequence.FindStringSubmatch(text); m != nil {
			switch m[2] {
			case "A":
				n := 0
				fmt.Sscan(m[1], &n)
				if s.row -= n; s.row < 0 {
					s.t.Fatalf("the cursor goes above what was printed, to row %d", s.row)
				}
			case "J":
				s.rows = s.rows[:min(s.row, len(s.rows))]
			case "m":
				colour = m[1]
			}
			text = text[len(m[0]):]
			continue
		}
		switch text[0] {
		case 0x1b:
			s.t.Fatalf("an unknown sequence: %.10q", text)
		case '\n':
			for len(s.rows) <= s.row {
				s.rows = append(s.rows, "")
			}
			s.row, column = s.row+1, 0
		case '\r':
			column = 0
		default:
			if column == s.width { // it wraps
				s.row, column = s.row+1, 0
			}
			for len(s.rows) <= s.row {
				s.rows = append(s.rows, "")
			}
			s.rows[s.row] = s.rows[s.row][:column] + text[:1]
			column++
		}
		text = text[1:]
	}
	if colour != "" && colour != "0" {
		s.t.Errorf("a write leaves the terminal with colour %s", colour)
	}
	return len(p), nil
}

// The picture is there once, at the bottom, and what was noted stands above it, in order.
func TestLiveDrawsInPlace(t *testing.T) {
	for _, width := range []int{60, 80, 120} {
		s := &screen{t: t, width: width}
		l := NewLive(s, false, func() Size { return Size{width, 24} })
		all := recorded(t)
		for _, e := range all {
			l.Show(e)
			l.Tick(e.Time.Add(tick))
		}
		l.Close()
		text := strings.Join(s.rows, "\n")
		if n := strings.Count(text, "meshproof run 0102-030405-ab12"); n != 1 {
			t.Errorf("%d columns: the picture stands there %d times:\n%s", width, n, text)
		}
		want := []string{"600 calls a direction", "the load balancer gave no address", "in 5.7 s", "meshproof run 0102-030405-ab12", "calls from west"}
		for i, at := 0, 0; i < len(want); i++ {
			found := strings.Index(text[at:], want[i])
			if found < 0 {
				t.Fatalf("%d columns: %q is not there, or not in its place:\n%s", width, want[i], text)
			}
			at += found
		}
		if strings.Contains(text, "waiting") {
			t.Errorf("the last picture waits for something:\n%s", text)
		}
	}
}

func TestLiveMovesEverySecond(t *testing.T) {
	s := &screen{t: t, width: 80}
	l := NewLive(s, false, func() Size { return Size{80, 24} })
	began := l.began
	for i := range 8 { // two seconds
		l.Tick(began.Add(time.Duration(i+1) * tick))
	}
	if want := 3; s.writes != want {
		t.Errorf("%d drawings in two seconds in which nothing happened, want %d", s.writes, want)
	}
	if !strings.Contains(strings.Join(s.rows, ""), "2 s") {
		t.Errorf("the clock stands: %q", s.rows)
	}
}

// Lines of a terminal that became narrower have wrapped.
func TestLiveErasesWhatHasWrapped(t *testing.T) {
	var out bytes.Buffer
	size := Size{100, 24}
	l := NewLive(&out, false, func() Size { return size })
	all := recorded(t)
	for _, e := range all[:20] {
		l.Show(e)
	}
	l.Tick(all[19].Time.Add(time.Minute))
	wrapped := 0
	for _, line := range l.drawn {
		wrapped += (len(line.Text()) + 59) / 60
	}
	out.Reset()
	size.Width = 60
	l.Tick(all[19].Time.Add(2 * time.Minute))
	if want := fmt.Sprintf("\r\x1b[%dA\x1b[J", wrapped); !strings.HasPrefix(out.String(), want) || wrapped == len(l.drawn) {
		t.Errorf("it begins with %.12q, want %q", out.String(), want)
	}
}

func TestLivePrintsAsideAndHarmlessly(t *testing.T) {
	s := &screen{t: t, width: 80}
	l := NewLive(s, true, func() Size { return Size{80, 24} })
	for _, e := range recorded(t)[:8] {
		l.Show(e)
	}
	l.aside(func() { _, _ = s.Write([]byte("a line of the command\n")) })
	l.Show(Event{Time: Stamp{l.began}, Event: Note, What: "\x1b[2Jcleared\x9b31m"})
	l.Close()
	l.Show(Event{Time: Stamp{l.began}, Event: Note, What: "after the end"})
	text := strings.Join(s.rows, "\n")
	for _, want := range []string{"a line of the command\n", " [2Jcleared", "P1 bring the images\n", "after the end"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not there:\n%s", want, text)
		}
	}
	if strings.Count(text, "meshproof run 0102") != 1 {
		t.Errorf("the picture stands there more than once:\n%s", text)
	}
}
