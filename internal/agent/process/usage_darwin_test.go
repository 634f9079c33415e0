package process

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0:00.05": 50 * time.Millisecond, "12:34.50": 12*time.Minute + 34500*time.Millisecond,
		"1:02:03.00": time.Hour + 2*time.Minute + 3*time.Second,
	} {
		if got, err := parseTime(text); err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "TIME", "x:01.00"} {
		if got, err := parseTime(text); err == nil {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
}
