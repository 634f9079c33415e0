package decide

import (
	"maps"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	// abandonAfter is how much longer than it may need a candidate stands before its target
	// removes it without us.
	abandonAfter = 15 * time.Minute
	// reuseLimit is how long a fallback may take to be healthy before a new stack is brought
	// up in its place.
	reuseLimit = 15 * time.Second
)

// preparing empties the seat, or readies the fallback in it.
func (f Facts) preparing() *Decision {
	w := f.Record.Swap
	st, there := f.Seen.Stacks[w.To]
	tidy := f.endTasks(not(begins(w.ID)))
	switch {
	case tidy != nil:
		return tidy
	case w.Reuse && !f.seated():
		return f.begin(true, "the fallback is gone")
	case w.Reuse:
		st.Spec.Definition = f.Want.Definition // its size follows after the switch, which comes first
		return first(f.put(st.Spec), enter(target.PhaseVerifying, "the fallback stands: nothing to bring up"))
	case there && st.Spec.SwapID != w.ID:
		return f.remove(w.To)
	case f.Want.Definition.Migrate != nil:
		return enter(target.PhaseMigrating, "")
	}
	return enter(target.PhaseStarting, "")
}

// seated says whether the stack that the swap is to switch to sits where it should.
func (f Facts) seated() bool {
	w := f.Record.Swap
	if w.Reuse {
		return f.provenIn(w.To)
	}
	st, there := f.Seen.Stacks[w.To]
	return there && st.Spec.SwapID == w.ID
}

func (f Facts) migrating() *Decision {
	return f.task(target.TaskMigrate, f.Want.Definition.Expand().Migrate, "", enter(target.PhaseStarting, ""))
}

// starting puts the candidate.
func (f Facts) starting() *Decision {
	return first(f.bringUp(), enter(target.PhaseVerifying, ""))
}

// bringUp makes the candidate what it is to be: as large as the live stack is now, without
// workers, and with a deadline in case that nobody comes back to it.
func (f Facts) bringUp() *Decision {
	w := f.Record.Swap
	if w.Reuse {
		return nil
	}
	if d := f.putCandidate(100); d != nil {
		return d
	}
	limit := f.startLimit()
	if suite := f.Want.Definition.TestSuite; suite != nil {
		limit += seconds(suite.TimeoutSeconds) + taskGrace
	}
	if at := f.Seen.Stacks[w.To].RetireAt; at != nil && !at.Before(f.Now.Add(limit)) {
		return nil
	}
	at := f.Now.Add(limit + abandonAfter)
	return &Decision{Do: RetireStack, Color: w.To, At: &at}
}

// putCandidate puts the candidate with a part of the size that it is to have. At its full
// size it does not follow a live stack that gets smaller; with a part of it its own minimum
// is lowered as well, and schedules don't count.
func (f Facts) putCandidate(percent int) *Decision {
	w, d := f.Record.Swap, f.Want.Definition
	d.Components = maps.Clone(d.Components)
	live, sizes := judge.Size(f.Seen.Stacks[w.From]), map[string]int{}
	for name, c := range d.Components {
		n := live[name]
		switch {
		case percent < 100:
			n = (max(n, c.Scaling.Min)*percent + 99) / 100
			c.Scaling.Min, c.Scaling.Schedules = min(c.Scaling.Min, n), nil
			d.Components[name] = c
		case f.seated():
			n = max(n, f.Seen.Stacks[w.To].Spec.Capacity[name])
		}
		sizes[name] = min(n, c.Scaling.Max)
	}
	return f.put(target.StackSpec{
		Slot: f.Want.ID(), Color: w.To, SwapID: w.ID, Fingerprint: f.Fingerprint,
		Definition: d, Capacity: floors(sizes), HoldWorkers: true,
	})
}

// keepUp keeps what is to be switched to as it is to be. If it is gone, its target removed it,
// since nobody came back to it in time: then everything begins anew.
func (f Facts) keepUp() *Decision {
	if !f.seated() {
		return f.begin(true, "what was to be switched to was removed, since its time was up")
	}
	return f.bringUp()
}

// verifying waits for the health gate. A fallback was proven before: it has to be healthy soon.
func (f Facts) verifying() *Decision {
	w := f.Record.Swap
	st := f.Seen.Stacks[w.To]
	switch {
	case !w.Reuse:
		return first(f.keepUp(), f.unbroken(""), f.gate(st, judge.Steadily, fail), enter(target.PhaseTesting, ""))
	case !f.seated():
		return f.keepUp()
	case f.missing(st, judge.Routed) == nil:
		return enter(target.PhaseSwitching, "")
	case f.waited() >= reuseLimit:
		return f.begin(false, "the fallback is not healthy")
	}
	return wait()
}

// unbroken gives a candidate up that waiting can't help.
func (f Facts) unbroken(when string) *Decision {
	if gap := judge.Broken(f.Seen.Stacks[f.Record.Swap.To]); gap != nil {
		return fail(when + gap.String())
	}
	return nil
}
