package decide

import (
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/judge"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Next decides what to do next.
func Next(f Facts) Decision {
	w := f.Record.Swap
	if w == nil || w.Phase.Finished() {
		return *first(f.requested(), f.idle())
	}
	phase, known := map[target.Phase]func() *Decision{
		target.PhasePreparing:        f.preparing,
		target.PhaseMigrating:        f.migrating,
		target.PhaseStarting:         f.starting,
		target.PhaseVerifying:        f.verifying,
		target.PhaseTesting:          f.testing,
		target.PhaseAwaitingApproval: f.awaitingApproval,
		target.PhaseSwitching:        f.switching,
		target.PhaseWatching:         f.watching,
		target.PhaseDegraded:         f.degraded,
		target.PhaseAborting:         f.aborting,
		target.PhaseRollingBack:      f.rollingBack,
	}[w.Phase]
	if !known {
		return *stop(fmt.Sprintf("the swap to release %s is in phase %q, which this version of Slipway does not know: finish it with the version that began it", w.Release, w.Phase))
	}
	if d := f.requested(); d != nil {
		return *d
	}
	switch committed := f.Reached() > 0; {
	case w.Phase == target.PhaseAborting, w.Phase == target.PhaseRollingBack:
		return *phase()
	case w.Phase == target.PhaseAwaitingApproval && !f.seated():
		return *f.begin(true, fmt.Sprintf("release %s was removed, since nobody approved it in time", w.Release))
	case f.Superseded() && committed:
		return *f.replaced()
	case f.Superseded():
		return *fail(f.meanwhile())
	case !committed && f.Seen.Serving != w.From:
		return *f.begin(true, "another stack serves than when the swap began")
	}
	return *phase()
}

// Superseded says that the swap is not on its way to what is wanted.
func (f Facts) Superseded() bool {
	w := f.Record.Swap
	return w.Release != f.Want.Definition.Release || w.Fingerprint != f.Fingerprint
}

func (f Facts) meanwhile() string {
	if release := f.Want.Definition.Release; release != f.Record.Swap.Release {
		return fmt.Sprintf("release %s was asked for meanwhile", release)
	}
	return fmt.Sprintf("another definition of release %s was asked for meanwhile", f.Record.Swap.Release)
}

// Undoable says that a swap is before its commit point, its first share of the traffic.
func (f Facts) Undoable() bool {
	w := f.Record.Swap
	if w == nil || w.Phase.Finished() || f.Reached() > 0 {
		return false
	}
	switch w.Phase {
	case target.PhaseRollingBack, target.PhaseAwaitingApproval, target.PhaseWatching, target.PhaseDegraded:
		return false
	}
	return true
}

// idle decides where no swap is under way.
func (f Facts) idle() *Decision {
	color, other := f.Seen.Serving, f.Seen.Serving.Other()
	serving, ok := f.Seen.Stacks[color]
	switch {
	case ok && f.Seen.Percent > 0 && f.waited() >= switchLimit:
		return stop(fmt.Sprintf("the share of the other stack could not be taken back within %s%s", switchLimit, f.trouble()))
	case ok && f.Seen.Percent > 0:
		return &Decision{Do: SetTraffic, Traffic: target.Traffic{Color: color}}
	case !ok || serving.Spec.Definition.Release != f.Want.Definition.Release || serving.Spec.Fingerprint != f.Fingerprint:
		return f.begin(true, "")
	}
	return first(
		f.handOver(other, color),
		f.free(color, f.Want.Definition),
		f.removeUseless(other),
		f.repair(color),
		f.repair(other),
		f.endTasks(all),
		f.gate(serving, judge.All, stop),
		&Decision{End: true},
	)
}

// removeUseless removes what stands beside the live stack and is no fallback, or none any more.
func (f Facts) removeUseless(c target.Color) *Decision {
	st, there := f.Seen.Stacks[c]
	overdue := st.RetireAt != nil && !f.Seen.At.Before(*st.RetireAt)
	if there && (overdue || !f.provenIn(c)) {
		return f.remove(c)
	}
	return nil
}

// begin starts a swap to what is wanted: to the fallback, if it is that and may be used.
func (f Facts) begin(reuse bool, note string) *Decision {
	from := f.Seen.Serving
	to := from.Other()
	w := &target.Swap{
		ID: f.NewID, Phase: target.PhasePreparing,
		Release: f.Want.Definition.Release, Fingerprint: f.Fingerprint,
		From: from, FromRelease: f.Seen.Stacks[from].Spec.Definition.Release, To: to,
		StartedAt: f.Now, PhaseAt: f.Now,
		Steps: []target.Step{{Phase: target.PhasePreparing, At: f.Now, Note: note}},
	}
	passed := f.Record.Passed[to]
	w.Reuse = reuse && from != "" && f.provenIn(to) && passed.Release == w.Release && passed.Fingerprint == w.Fingerprint
	return &Decision{Do: Begin, Swap: w, Note: note}
}

// provenIn says that the stack in a seat was live once, or is.
func (f Facts) provenIn(c target.Color) bool {
	st, there := f.Seen.Stacks[c]
	return there && f.Record.Passed[c].SwapID == st.Spec.SwapID
}
