//go:build !windows

package platform

import (
	"testing"
	"time"
)

func TestUsageIsThatOfTheLastSeconds(t *testing.T) {
	t.Parallel()
	var u usage
	began := time.Now()
	for _, c := range []struct {
		after, used time.Duration
		known       bool
		percent     float64
	}{
		{0, 10 * time.Second, false, 0}, // what was used before is no use
		{time.Second, 10500 * time.Millisecond, true, 50},
		{2 * time.Second, 12 * time.Second, true, 100},
		{4 * time.Second, 12 * time.Second, true, 50}, // since the first second on
		{8 * time.Second, 13 * time.Second, true, 25},
		{9 * time.Second, 5 * time.Second, true, 0}, // a child took its own with it
	} {
		u.add(usageLook{began.Add(c.after), c.used})
		if u.known != c.known || u.percent != c.percent {
			t.Errorf("after %s: got %v, %t; want %v, %t", c.after, u.percent, u.known, c.percent, c.known)
		}
	}
}
