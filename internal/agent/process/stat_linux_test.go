package process

import (
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	const rest = " 1 77 88 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 100 200"
	cases := map[string]struct {
		text string
		want status
		ok   bool
	}{
		"an ordinary name":                     {"9 (sleep) S" + rest, status{9, 77, 88, 4711, false, 260 * time.Millisecond}, true},
		"a name of spaces and parentheses":     {"9 (a) Z 1 (b) R" + rest, status{9, 77, 88, 4711, false, 260 * time.Millisecond}, true},
		"a zombie":                             {"9 (sleep) Z" + rest, status{9, 77, 88, 4711, true, 260 * time.Millisecond}, true},
		"a dead one":                           {"9 (sleep) X" + rest, status{9, 77, 88, 4711, true, 260 * time.Millisecond}, true},
		"a line that is cut":                   {"9 (sleep) S 1 77", status{}, false},
		"a line whose CPU time is no number":   {"9 (sleep) S" + strings.Replace(rest, " 7 8 ", " x 8 ", 1), status{}, false},
		"a line whose start time is no number": {"9 (sleep) S" + strings.Replace(rest, "4711", "x", 1), status{}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseStat(9, c.text)
			if got != c.want || (err == nil) != c.ok {
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}
