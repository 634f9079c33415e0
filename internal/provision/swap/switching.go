package swap

import (
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// probeLimit is how long the front door may go on answering with another release.
const probeLimit = 30 * time.Second

// switching moves the traffic and everything that follows from it. Each step is told from
// what is seen, so it can be resumed anywhere.
func (f Facts) switching() Decision {
	w := f.Record.Swap
	to := f.Seen.Stacks[w.To]
	if f.Seen.Serving != w.To {
		switch {
		case !w.Reuse && w.TestedSuite != f.Suite:
			return Decision{Next: target.PhaseTesting, Note: "the test suite changed"}
		case f.missing(to, false) != "":
			return Decision{Next: target.PhaseVerifying, Note: "the candidate lost its health before the switch"}
		}
		return Decision{Do: Serve, Color: w.To}
	}
	if w.SwitchedAt == nil || !w.Probed {
		since := w.PhaseAt
		if w.SwitchedAt != nil {
			since = *w.SwitchedAt
		}
		if f.Now.Sub(since) > probeLimit {
			return f.bad(fmt.Sprintf("the front door did not answer with release %s within %s after the switch", w.Release, probeLimit))
		}
		return Decision{Do: Probe, Color: w.To}
	}
	if d, more := f.handOver(w.From, w.To); more {
		return d
	}
	if d, more := f.keepFallback(); more {
		return d
	}
	return Decision{Next: target.PhaseLive}
}

// handOver stops the old stack's workers and then starts the new one's: two releases must
// never both take jobs.
func (f Facts) handOver(from, to target.Color) (Decision, bool) {
	if old, there := f.Seen.Stacks[from]; there && from != "" && hasWorkers(old.Spec) {
		if !old.Spec.HoldWorkers {
			held := old.Spec
			held.HoldWorkers = true
			return Decision{Do: PutStack, Stack: held}, true
		}
		for _, i := range old.Instances {
			if i.Running && old.Spec.Definition.Components[i.Component].Worker() {
				return Decision{Wait: true}, true
			}
		}
	}
	if st := f.Seen.Stacks[to]; st.Spec.HoldWorkers {
		free := st.Spec
		free.HoldWorkers = false
		return Decision{Do: PutStack, Stack: free}, true
	}
	return Decision{}, false
}

// keepFallback sets the old stack's deadline, or removes it where none is wanted.
func (f Facts) keepFallback() (Decision, bool) {
	w, p := f.Record.Swap, f.Want.Policy
	old, there := f.Seen.Stacks[w.From]
	if !there || w.From == "" {
		return Decision{}, false
	}
	switch {
	case p.FallbackUntilNextRelease && old.RetireAt != nil:
		return Decision{Do: RetireStack, Color: w.From}, true
	case p.FallbackUntilNextRelease:
		return Decision{}, false
	case p.FallbackWindowSeconds == 0:
		return Decision{Do: DeleteStack, Color: w.From}, true
	}
	at := w.SwitchedAt.Add(time.Duration(p.FallbackWindowSeconds) * time.Second)
	if old.RetireAt == nil || !old.RetireAt.Equal(at) {
		return Decision{Do: RetireStack, Color: w.From, At: &at}, true
	}
	return Decision{}, false
}

// bad decides what to do with a release that serves and should not.
func (f Facts) bad(why string) Decision {
	w := f.Record.Swap
	if old, there := f.Seen.Stacks[w.From]; w.From == "" || !there || unhealthy(old) != "" {
		stay := *w
		stay.Probed = true
		return Decision{Swap: &stay, Note: why + "; it stays, since nothing healthy stands behind it"}
	}
	back := *w
	back.Reason = why
	return Decision{Swap: &back, Next: target.PhaseRollingBack, Note: why}
}

// rollingBack sends the traffic to From and removes To.
func (f Facts) rollingBack() Decision {
	w := f.Record.Swap
	if f.Seen.Serving != w.From {
		if why := unhealthy(f.Seen.Stacks[w.From]); why != "" {
			return Decision{Next: target.PhaseLive, Note: "not rolled back, the fallback is not healthy: " + why}
		}
		return Decision{Do: Serve, Color: w.From}
	}
	if d, more := f.handOver(w.To, w.From); more {
		return d
	}
	if _, there := f.Seen.Stacks[w.To]; there {
		return Decision{Do: DeleteStack, Color: w.To}
	}
	return Decision{Next: target.PhaseRolledBack}
}

// aborting removes the candidate of a swap that failed before its switch. A fallback that
// was to be reused stays what it was.
func (f Facts) aborting() Decision {
	w := f.Record.Swap
	for _, key := range target.SortedKeys(f.Seen.Tasks) {
		if f.Seen.Tasks[key].Running {
			return Decision{Do: DeleteTask, Key: key}
		}
	}
	if _, there := f.Seen.Stacks[w.To]; there && !w.Reuse {
		return Decision{Do: DeleteStack, Color: w.To}
	}
	return Decision{Next: target.PhaseFailed}
}
