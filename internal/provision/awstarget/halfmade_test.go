package awstarget_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// halfMade is something that a put makes.
type halfMade struct {
	put    func(context.Context) error
	get    func(context.Context) (target.Meta, error)
	delete func(context.Context) error
}

// TestWhatAFailedPutMadeIsRemoved lets a call of a create fail, and the same put say that it made
// what there is by then. It is removed, protected or not, and leaves nothing, a snapshot neither. The
// calls are a few of a region's; with SLIPWAY_ACC_ROUNDS they are all of a region's and many of an
// environment's.
func TestWhatAFailedPutMadeIsRemoved(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r := l.try(t, wait.NewFake(time.Now()), 10*time.Second)
	region := halfMade{
		put: func(ctx context.Context) error { return second(r.PutRegion(ctx, eu, mine)) },
		get: func(ctx context.Context) (target.Meta, error) {
			rec, err := r.GetRegion(target.RecordsOnly(ctx), eu.Name)
			return rec.Meta, err
		},
		delete: func(ctx context.Context) error { return r.provisioner().DeleteRegion(ctx, eu.Name) },
	}
	if os.Getenv("SLIPWAY_ACC_ROUNDS") == "" {
		region.fails(t, l, r, 13)
		return
	}
	region.fails(t, l, r, 1)
	e := environment(t, eu.Name, "production")
	e.DeletionProtection = true
	environment := halfMade{
		put: func(ctx context.Context) error { return second(r.PutEnvironment(ctx, e, mine)) },
		get: func(ctx context.Context) (target.Meta, error) {
			rec, err := r.GetEnvironment(target.RecordsOnly(ctx), e.ID())
			return rec.Meta, err
		},
		delete: func(ctx context.Context) error { return r.provisioner().DeleteEnvironment(ctx, e.ID()) },
	}
	environment.fails(t, l, r, 17)
}

// fails lets each so many-th call of a put fail, until one gets it ready all the same.
func (h halfMade) fails(t *testing.T, l *lab, r *trial, step int) {
	t.Helper()
	ctx, before := t.Context(), words(l.left(t, home))
	marked := 0
	for n := step; !t.Failed(); n += step {
		r.calls.FailAt(n, awstest.Expire)
		failed, made := h.put(ctx), new(target.MadeError)
		r.calls.FailAt(0, awstest.Expire)
		m, err := h.get(ctx)
		switch {
		case errors.Is(err, target.ErrNoInstallation): // nobody can tell of it yet
			err = h.put(ctx)
		case err == nil && m.Ready: // whatever the put says
			if marked == 0 {
				t.Error("nothing was half-made")
			}
			return
		case err != nil: // it was not begun
		case !errors.As(failed, &made):
			t.Errorf("call %d: it is %+v, and the put says that something else made it: %v", n, m, failed)
		default:
			marked++
		}
		// What is being made can't be removed yet: that is no error, and is waited for.
		r.calls.FailOnce(awstest.Busy)
		if err == nil {
			err = h.delete(ctx)
		}
		r.calls.FailAt(0, awstest.Expire)
		if got := words(l.left(t, home)); got != before {
			t.Errorf("call %d: there is %s (%v), before there was %s", n, got, err, before)
		}
	}
}
