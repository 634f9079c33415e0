package operator

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestWatchOfASlotAtRestSaysHowItsLastSwapEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.live("1")
	w.says(0, []string{"watch", slotID}, "No swap is under way", "to release 1, ended as live")
}

// waiting is a slot whose candidate waits for an approval that does not come.
func waiting(w *world) {
	w.Helper()
	w.live("1")
	_, err := w.UpdateSlot(w.Context(), slot("2", func(p *target.Policy) { p.Approval, p.ApprovalTimeoutSeconds = target.ApprovalManual, 60 }))
	w.ok(err)
}

func TestWatchPrintsALineWhenSomethingChangesAndEndsWithTheSwap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	waiting(w)
	began := w.clock.Now()
	code, out, _ := w.call("watch", slotID)
	if code != 1 {
		t.Errorf("code %d, want 1: nobody approved", code)
	}
	lines := strings.Count(out, "awaiting_approval  release 2 has   0 %")
	if looks := int(w.clock.Now().Sub(began) / lookEvery); lines < 2 || lines > looks/2 {
		t.Errorf("%d lines for %d looks:\n%s", lines, looks, out)
	}
	if !strings.Contains(out, "Nobody approved release 2 in time") {
		t.Errorf("the end is not told:\n%s", out)
	}
}

func TestWatchPrintsOneObjectPerLookAsJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	waiting(w)
	_, out, _ := w.call("watch", slotID, "--json")
	last := time.Time{}
	for line := range strings.Lines(out) {
		var m moment
		w.ok(json.Unmarshal([]byte(line), &m))
		if !m.At.After(last) || m.Slot.ID != slotID {
			t.Errorf("got %s after %s", line, last)
		}
		last = m.At
	}
}

func TestWatchDrawsOverItselfOnATerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.terminal = true
	waiting(w)
	_, out, _ := w.call("watch", slotID)
	for _, part := range []string{"\x1b[", "░░░░", "api/1", "release 2 (green)", "1 → 2"} {
		if !strings.Contains(out, part) {
			t.Errorf("the drawing lacks %q:\n%s", part, out)
		}
	}
}

func TestWatchShowsRequestsThatWaitForTheirAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ScriptAnswers("1", func(time.Time, int) memtarget.Answers {
		return memtarget.Answers{PerSecond: 10, P50Milliseconds: 10, P99Milliseconds: 50, HangPercent: 60}
	})
	waiting(w)
	w.clock.Advance(30 * time.Second)
	w.says(1, []string{"watch", slotID}, " wait for their answer, ", " had none for 5 s")
	w.says(0, []string{"watch", slotID, "--json"}, `"waiting":`, `"unanswered":`)
}

// late is a target that tells of a minute when the next but one has passed.
type late struct{ *memtarget.Target }

func (late) MeteredWithin() time.Duration { return 4 * time.Minute }

func (late) Judged(time.Duration) time.Duration { return 0 }

func TestWatchLooksAsFarBackAsTheTargetTellsThings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.driver = late{w.Target}
	waiting(w)
	w.says(1, []string{"watch", slotID}, "over 240 s")
}
