package decide

import "github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"

// settled does what follows from a watch that was passed.
func (f Facts) settled() *Decision {
	return first(
		f.keepFallback(),
		f.free(f.Record.Swap.To, f.Want.Definition),
		f.endTasks(all),
		enter(target.PhaseLive, ""),
	)
}

// keepFallback sets the old stack's deadline and size, or removes it where none is wanted, or
// where it was never proven: it served degraded.
func (f Facts) keepFallback() *Decision {
	w, p := f.Record.Swap, f.Want.Policy
	old, there := f.Seen.Stacks[w.From]
	switch {
	case !there:
		return nil
	case p.FallbackWindowSeconds == 0 && !p.FallbackUntilNextRelease, !f.provenIn(w.From):
		return f.remove(w.From)
	case old.Spec.Capacity == nil:
		if d := f.freeze(w.From); d != nil {
			return d
		}
	}
	if p.FallbackUntilNextRelease {
		return f.retire(w.From, nil)
	}
	return f.retire(w.From, new(w.SwitchedAt.Add(seconds(p.FallbackWindowSeconds))))
}
