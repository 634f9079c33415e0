package swap_test

import (
	"testing"
)

func TestAReleaseComesUpAndTakesTheTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mustRun("1")
	w.stands("blue 1")
	equal(t, "phases", w.phases(), "preparing migrating starting verifying testing switching live")
	w.mustRun("2")
	w.stands("green 2", "blue 1")
	equal(t, "the front door", w.serving(), "2")
	w.clock.Advance(window)
	w.stands("green 2")
}
