package swap

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// errAgain marks an effect that did not work yet and is to be decided anew.
var errAgain = errors.New("not yet")

// probesInARow is how many answers of the new release the front door must give in a row.
const probesInARow = 3

// act does the one effect of a decision.
func (r *run) act(ctx context.Context, d Decision) error {
	id, l := r.want.ID(), r.lease.get()
	switch d.Do {
	case PutStack:
		return wrap(r.driver.PutStack(ctx, d.Stack, l), "bring up the %s stack", d.Stack.Color)
	case DeleteStack:
		return wrap(r.driver.DeleteStack(ctx, id, d.Color, l), "remove the %s stack", d.Color)
	case RetireStack:
		return wrap(r.driver.RetireStack(ctx, id, d.Color, d.At, l), "set the deadline of the %s stack", d.Color)
	case PutTask:
		return wrap(r.driver.PutTask(ctx, d.Task, l), "start %s", taskWords[d.Task.Kind])
	case DeleteTask:
		return wrap(r.driver.DeleteTask(ctx, id, d.Key, l), "end task %s", d.Key)
	case Serve:
		return r.serve(ctx, d.Color)
	case Probe:
		return r.probe(ctx)
	}
	return nil
}

func (r *run) serve(ctx context.Context, c target.Color) error {
	policy := r.record.Asked.Policy
	s, err := r.driver.Serve(ctx, r.want.ID(), c, time.Duration(policy.DrainSeconds)*time.Second, r.lease.get())
	if errors.Is(err, target.ErrConflict) {
		return fmt.Errorf("%w: %w", errAgain, err)
	}
	if err != nil {
		return fmt.Errorf("switch the traffic to the %s stack: %w", c, err)
	}
	if w := r.record.Swap; c == w.To && w.SwitchedAt == nil {
		at := s.At
		if at.IsZero() {
			at = r.clock.Now()
		}
		w.SwitchedAt, w.LastOldAnswerAt = &at, s.LastOldAnswer
		return r.save(ctx)
	}
	return nil
}

// probe asks the front door until the release has answered several times in a row.
func (r *run) probe(ctx context.Context) error {
	w := r.record.Swap
	for range probesInARow {
		p, err := r.driver.ProbeFrontDoor(ctx, r.want.ID())
		if err != nil {
			return fmt.Errorf("probe the front door: %w", err)
		}
		if p.Release != w.Release {
			return fmt.Errorf("%w: the front door answered with release %q (%d %s)", errAgain, p.Release, p.StatusCode, p.Problem)
		}
	}
	w.Probed = true
	if w.SwitchedAt == nil {
		now := r.clock.Now()
		w.SwitchedAt = &now
	}
	return r.save(ctx)
}

// advance records what a decision changes once its effect is done.
func (r *run) advance(ctx context.Context, d Decision, seen target.Observation) error {
	if d.Swap != nil {
		swap := *d.Swap
		r.record.Swap = &swap
	}
	switch {
	case d.Do == Begin:
		if !d.Swap.Reuse {
			delete(r.record.Passed, d.Swap.To)
		}
		d.Swap.By = r.by
		r.record.Swap.By = r.by
		r.mine = d.Swap.ID
		return r.save(ctx)
	case d.Next == target.PhaseLive:
		return r.live(ctx, d, seen)
	case d.Next == target.PhaseRollingBack:
		r.hold(r.by, r.record.Swap.Reason)
	}
	switch {
	case d.Next != "":
		return r.enter(ctx, d.Next, d.Note)
	case d.Swap != nil:
		return r.save(ctx)
	}
	return nil
}

// live records the proof of what serves and ends the swap.
func (r *run) live(ctx context.Context, d Decision, seen target.Observation) error {
	w, st := r.record.Swap, seen.Stacks[seen.Serving]
	if r.record.Passed == nil {
		r.record.Passed = map[target.Color]target.Passed{}
	}
	if seen.Serving == w.To {
		r.record.Passed[w.To] = target.Passed{SwapID: st.Spec.SwapID, Release: w.Release, Fingerprint: w.Fingerprint, At: r.clock.Now()}
		r.record.Hold = nil
	}
	r.record.Meta.Ready = true
	return r.enter(ctx, target.PhaseLive, d.Note)
}

// hold keeps the swap's release from coming again by itself.
func (r *run) hold(by, reason string) {
	w := r.record.Swap
	r.record.Hold = &target.Hold{
		Release: w.Release, Fingerprint: w.Fingerprint, Retry: r.record.Asked.Retry,
		By: by, At: r.clock.Now(), Reason: reason,
	}
}

// beginRollback records the intent and the hold in one write.
func (r *run) beginRollback(ctx context.Context, by, reason string) error {
	id := r.want.ID()
	if w := r.record.Swap; w != nil && w.Phase == target.PhaseRollingBack {
		return nil
	}
	seen, err := r.driver.Observe(ctx, id)
	if err != nil {
		return fmt.Errorf("observe slot %q: %w", id, err)
	}
	good := seen.Serving.Other()
	bad, standing := seen.Stacks[seen.Serving], seen.Stacks[good]
	passed := r.record.Passed[good]
	switch {
	case seen.Serving == "":
		return &NoFallbackError{id, "nothing serves in it"}
	case passed.SwapID == "" || passed.SwapID != standing.Spec.SwapID:
		return &NoFallbackError{id, "no fallback stands any more"}
	case unhealthy(standing) != "":
		return &NoFallbackError{id, "the fallback is not healthy: " + unhealthy(standing)}
	}
	now := r.clock.Now()
	r.record.Swap = &target.Swap{
		ID: r.newID(), Phase: target.PhaseRollingBack, Requested: true,
		Release: bad.Spec.Definition.Release, Fingerprint: bad.Spec.Fingerprint,
		From: good, FromRelease: standing.Spec.Definition.Release, To: seen.Serving,
		By: by, StartedAt: now, PhaseAt: now, Reason: reason,
		Steps: []target.Step{{Phase: target.PhaseRollingBack, At: now, Note: reason}},
	}
	r.mine = r.record.Swap.ID
	r.hold(by, reason)
	return r.save(ctx)
}

// finishRollback completes a rollback that an earlier run left on its way. Its outcome is
// in the record: the hold, which the caller meets next.
func (r *run) finishRollback(ctx context.Context) error {
	if w := r.record.Swap; w == nil || w.Phase != target.PhaseRollingBack {
		return nil
	}
	err := r.drive(ctx)
	r.mine = ""
	var failed *FailedError
	var noFallback *NoFallbackError
	if errors.As(err, &failed) || errors.As(err, &noFallback) {
		return nil
	}
	return err
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

// newID is sortable by time and unique.
func newID(now time.Time) string {
	return now.UTC().Format("20060102-150405") + "-" + strings.ToLower(rand.Text()[:6])
}
