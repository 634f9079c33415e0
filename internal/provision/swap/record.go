package swap

import (
	"cmp"
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/decide"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/swap/journal"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// save writes the record. A write whose answer was lost is repeated: nothing may be done on
// a record that may not be stored.
func (r *run) save(ctx context.Context) error {
	rec, err := insist(ctx, r.Machine, "record", r.want.ID(), func() (target.SlotRecord, error) {
		return r.driver.PutSlot(ctx, r.record, r.lease.Value())
	})
	if err == nil {
		r.record = rec
	}
	return err
}

// enter records a phase, and keeps the journal of a swap that has come to its end.
func (r *run) enter(ctx context.Context, p target.Phase, note string) error {
	if err := r.lastSample(ctx, p); err != nil {
		return err
	}
	w := new(*r.record.Swap)
	r.record.Swap, r.since = w, r.clock.Now()
	journal.Close(w, r.last.Seen, r.last.Whole)
	step := target.Step{Phase: p, At: r.since, Note: note}
	if p == target.PhaseSwitching || p == target.PhaseWatching {
		_, step.Percent, _ = r.facts(r.last.Seen).Step()
	}
	if journal.Enter(w, step) {
		if err := r.keep(ctx, *w); err != nil {
			return err
		}
	}
	return r.save(ctx)
}

// keep stores the journal of a swap. It comes before the end is recorded: a run that dies in
// between ends the swap, and stores its journal, once more.
func (r *run) keep(ctx context.Context, w target.Swap) error {
	return r.insist(ctx, "keep the journal of", r.want.ID(), func() error {
		return r.driver.PutJournal(ctx, target.Journal{Slot: r.want.ID(), Policy: r.record.Asked.Policy, Swap: w}, r.lease.Value())
	})
}

// lastSample samples a share that is left, so that the journal shows what it ended with.
func (r *run) lastSample(ctx context.Context, next target.Phase) error {
	if f := r.last; next != target.PhaseWatching && r.record.Swap.Phase == target.PhaseWatching && f.Whole != nil && f.Record.Swap.WatchedFrom != nil {
		return r.sample(ctx, f, true)
	}
	return nil
}

// measure adds to the facts what both sides answered, while something is judged.
func (r *run) measure(ctx context.Context, f *decide.Facts) (err error) {
	window, judged := f.Window()
	if !judged {
		return nil
	}
	from := f.Now.Add(-window)
	if f.Moved != nil && f.Moved.After(from) { // nothing of the share before
		from = *f.Moved
	}
	began := f.Record.Swap.WatchedFrom
	if began != nil {
		if f.Whole, err = r.measured(ctx, *began); err != nil {
			return err
		}
		if began.After(from) {
			from = *began
		}
	}
	if f.Recent, err = r.measured(ctx, from); err != nil || began == nil {
		return err
	}
	return r.sample(ctx, *f, false)
}

func (r *run) measured(ctx context.Context, from time.Time) (map[target.Color]target.Measurement, error) {
	return insist(ctx, r.Machine, "measure", r.want.ID(), func() (map[target.Color]target.Measurement, error) {
		return r.driver.Measure(ctx, r.want.ID(), from)
	})
}

// sample adds to the journal what was measured since the last sample, if it is time for the
// next one or the last one of a share.
func (r *run) sample(ctx context.Context, f decide.Facts, last bool) error {
	w, began := r.record.Swap, *f.Record.Swap.WatchedFrom
	from, due := journal.SampleDue(w, began, f.Now)
	if !due && (!last || !from.Before(f.Now)) {
		return nil
	}
	m, err := r.measured(ctx, from)
	if err != nil {
		return err
	}
	at := f.Now
	if to := m[w.To].To; !to.IsZero() { // the next sample goes on from there
		at = to
	}
	if at.After(from) {
		journal.AddSample(w, target.Sample{At: at, Percent: f.Reached(), New: m[w.To], Old: m[w.From]})
	}
	return nil
}

// abort records that the swap can't go on; its candidate is removed next.
func (r *run) abort(ctx context.Context, why string) error {
	w := *r.record.Swap
	w.Reason, w.FailedIn = why, w.Phase
	r.record.Swap = &w
	return r.enter(ctx, target.PhaseAborting, why)
}

// advance records what a decision changes once its effect is done.
func (r *run) advance(ctx context.Context, d decide.Decision, seen target.Observation) error {
	before := r.record.Swap
	if d.Swap != nil {
		swap := *d.Swap
		r.record.Swap, r.watched = &swap, swap.WatchedFrom
		if r.watched != nil {
			r.moved = nil
		}
	}
	w := r.record.Swap
	switch {
	case d.Do == decide.Begin:
		w.By, w.Host, r.mine = r.by, host(), w.ID
		if err := r.close(ctx, before, d.Note); err != nil {
			return err
		}
	case d.Hold:
		r.hold(cmp.Or(d.HeldBy, watcher), w.Reason)
	case d.Next != "" && d.Next != target.PhaseRolledBack && w.Phase == target.PhaseRollingBack:
		if h := r.record.Hold; h != nil && h.Release == w.Release {
			r.record.Hold = nil // it was not rolled back after all
		}
	case d.Next == target.PhaseLive:
		r.record.Hold = nil
	}
	if d.Next == target.PhaseLive {
		r.record.Meta.Ready = true
		if r.record.Passed == nil {
			r.record.Passed = map[target.Color]target.Passed{}
		}
		r.record.Passed[w.To] = target.Passed{
			SwapID: seen.Stacks[w.To].Spec.SwapID, Release: w.Release, Fingerprint: w.Fingerprint, At: r.clock.Now(),
		}
	}
	switch {
	case d.Next != "":
		return r.enter(ctx, d.Next, d.Note)
	case d.Swap != nil:
		return r.save(ctx)
	}
	return nil
}

// close keeps the journal of a swap that another one takes the place of before it ended.
func (r *run) close(ctx context.Context, w *target.Swap, why string) error {
	if w == nil || w.Phase.Finished() || w.Phase == target.PhaseDegraded {
		return nil
	}
	ended, ok := w.Unapproved(r.before, r.last.Seen)
	if ok {
		return r.keep(ctx, ended)
	}
	now := r.clock.Now()
	ended.Phase, ended.FailedIn, ended.Reason, ended.EndedAt = target.PhaseFailed, w.Phase, why, &now
	return r.keep(ctx, ended)
}

// watcher is who takes a release back that nobody asked to.
const watcher = "the watch of the swap"

// hold keeps the swap's release from coming again by itself.
func (r *run) hold(by, reason string) {
	w := r.record.Swap
	r.record.Hold = &target.Hold{
		Release: w.Release, Fingerprint: w.Fingerprint, Retry: r.record.Asked.Retry,
		By: by, At: r.clock.Now(), Reason: reason,
	}
}

// newID is sortable by time and unique.
func newID(now time.Time) string {
	return now.UTC().Format("20060102-150405") + "-" + strings.ToLower(rand.Text()[:6])
}
