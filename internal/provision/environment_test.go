package provision_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

func TestAnEnvironmentIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memtarget.Options{EnvironmentReadyAfter: 5})
	_, _, err := w.CreateRegion(t.Context(), region())
	w.ok(err)
	rec, origin, err := w.CreateEnvironment(t.Context(), environment())
	w.ok(err)
	if !rec.Meta.Ready || rec.Meta.Problem != "" || rec.Status.URL == "" || origin != provision.Made {
		t.Errorf("got %+v, %q", rec, origin)
	}
	rec, err = w.UpdateEnvironment(t.Context(), environment(func(e *target.Environment) { e.Database.MaxConnections = 50 }))
	w.ok(err)
	if rec.Meta.Generation != 2 || rec.Meta.Problem != "" || rec.Spec.Database.MaxConnections != 50 {
		t.Errorf("got %+v", rec)
	}
}

func TestAnEnvironmentThatCanNotGetReadyIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memtarget.Options{})
	_, _, err := w.CreateRegion(t.Context(), region())
	w.ok(err)
	w.target.HinderEnvironment(production, "port 20443 is used by another program", true)
	began := w.clock.Now()
	rec, origin, err := w.CreateEnvironment(t.Context(), environment())
	w.refused(err, target.ErrInvalid, `wait for environment "eu/production": port 20443 is used by another program`)
	if !w.clock.Now().Equal(began) || origin != provision.Made || rec.Meta.Generation != 1 || rec.Meta.Ready {
		t.Errorf("got %+v, %q after %s; want what was made, at once", rec.Meta, origin, w.clock.Now().Sub(began))
	}

	// Moved to another port it goes on.
	w.target.HinderEnvironment(production, "the database server starts", false)
	defer w.clock.Every(time.Second, func() { w.target.HinderEnvironment(production, "", false) })()
	rec, origin, err = w.CreateEnvironment(t.Context(), environment(func(e *target.Environment) { e.Network.HTTPSPort++ }))
	w.ok(err)
	if origin != provision.Resumed || rec.Meta.Generation != 1 || !rec.Meta.Ready {
		t.Errorf("got %+v, %q", rec.Meta, origin)
	}
}

func TestAnEnvironmentThatIsNotReadyInTimeSaysWhatKeepsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memtarget.Options{})
	_, _, err := w.CreateRegion(t.Context(), region())
	w.ok(err)
	w.target.HinderEnvironment(production, "the database server recovers", false)
	ctx, cancel := context.WithCancel(t.Context())
	defer w.clock.Every(90*time.Second, cancel)()
	rec, _, err := w.CreateEnvironment(ctx, environment())
	w.refused(err, context.Canceled, `wait for environment "eu/production": interrupted after 1m`, "by Ctrl-C", "last seen: the database server recovers")
	var timeout *wait.TimeoutError
	if !errors.As(err, &timeout) || rec.Meta.Generation != 1 {
		t.Errorf("got %v, %+v", err, rec.Meta)
	}
}

func TestAnEnvironmentThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	w := built(t)
	us := func(e *target.Environment) {
		e.Region, e.Name, e.DomainName = "us", "sandbox", "sandbox.us.localhost"
		e.Network.HTTPSPort, e.Network.PreviewPort = 20444, 28444
	}
	_, _, err := w.CreateEnvironment(t.Context(), environment(us))
	w.refused(err, target.ErrInvalid, `region_id: there is no region "us" on memory target "memory"`)
	_, _, err = w.CreateRegion(t.Context(), region(func(r *target.Region) { r.Name, r.Closed = "us", true }))
	w.ok(err)
	for _, c := range []struct {
		change func(*target.Environment)
		want   string
	}{
		{func(*target.Environment) {}, `region "us" is closed to new environments`},
		{func(e *target.Environment) { e.Network.HTTPSPort = 28443 }, `port 28443 is used by environment "eu/production"`},
		{func(e *target.Environment) { e.DomainName = production.DefaultDomainName() }, `is the domain name of environment "eu/production"`},
		{func(e *target.Environment) { e.Tenancy = target.TenancySingleTenant }, "a single-tenant environment belongs to one account"},
	} {
		_, _, err := w.CreateEnvironment(t.Context(), environment(us, c.change))
		w.refused(err, target.ErrInvalid, c.want)
	}
	_, err = w.UpdateRegion(t.Context(), region(func(r *target.Region) { r.Closed = true }))
	w.ok(err)
	_, err = w.UpdateEnvironment(t.Context(), environment(func(e *target.Environment) { e.Tags = tags("x") }))
	w.ok(err) // a closed region keeps what it has
}

func TestAnEnvironmentKeepsWhatItIs(t *testing.T) {
	t.Parallel()
	w := built(t)
	rec, err := w.UpdateEnvironment(t.Context(), environment(func(e *target.Environment) { e.Kind = target.KindSandbox }))
	w.refused(err, target.ErrInvalid, `the kind, tenancy and account of environment "eu/production" can't change while it stands`)
	if rec.Spec.Kind != target.KindProduction {
		t.Errorf("the refused update returns %+v, want what is there", rec.Spec)
	}
	_, err = w.UpdateEnvironment(t.Context(), environment(func(e *target.Environment) { e.Name, e.DomainName = "other", "o.localhost" }))
	w.refused(err, target.ErrNotFound, `read environment "eu/other"`)
	all, err := w.ListEnvironments(t.Context())
	w.ok(err)
	if len(all) != 1 || all[0].Spec.Kind != target.KindProduction {
		t.Errorf("got %+v", all)
	}
}

// stubborn makes what is asked and goes on to see something else.
type stubborn struct{ *memtarget.Target }

func (s stubborn) GetEnvironment(ctx context.Context, id target.EnvironmentID) (target.EnvironmentRecord, error) {
	rec, err := s.Target.GetEnvironment(ctx, id)
	rec.Meta.Problem = "logs are kept for another time than asked"
	return rec, err
}

func TestAnEnvironmentThatIsSeenOtherwiseIsNotWaitedForWithoutEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memtarget.Options{})
	_, _, err := w.CreateRegion(t.Context(), region())
	w.ok(err)
	w.Provisioner = provision.New(stubborn{w.target}, "this state", provision.Options{Clock: w.clock})
	began := w.clock.Now()
	rec, _, err := w.CreateEnvironment(t.Context(), environment())
	w.ok(err)
	if took := w.clock.Now().Sub(began); took < 20*time.Second || took > time.Minute {
		t.Errorf("it was waited for %s, want 20 s and a little", took)
	}
	if !rec.Meta.Ready || rec.Meta.Problem == "" {
		t.Errorf("got %+v, want what differs in its words", rec.Meta)
	}
}

// A removal that stopped half-way is told of, keeps everything from being changed or put into it, and
// is finished by the next. Where there is something in it, it is taken back.
func TestARemovalThatStoppedIsFinished(t *testing.T) {
	t.Parallel()
	w := built(t)
	w.target.EndEnvironment(production)
	w.refused(w.DeleteEnvironment(t.Context(), production), target.ErrNotEmpty)
	if rec, err := w.ReadEnvironment(t.Context(), production); err != nil || rec.Meta.Ending || rec.Meta.Problem != "" {
		t.Errorf("the removal is not taken back: %+v (%v)", rec.Meta, err)
	}
	w.target.EndEnvironment(production)
	w.ok(w.DeleteSlot(t.Context(), oms))
	w.ok(w.DeleteAccountDatabase(t.Context(), acme))
	_, err := w.UpdateEnvironment(t.Context(), environment())
	w.refused(err, target.ErrEnding, "destroyed once more")
	_, _, err = w.CreateEnvironment(t.Context(), environment())
	w.refused(err, target.ErrEnding, "destroyed once more")
	_, _, err = w.CreateAccountDatabase(t.Context(), database())
	w.refused(err, target.ErrEnding)
	_, _, err = w.CreateSlot(t.Context(), slot())
	w.refused(err, target.ErrEnding)
	w.ok(w.DeleteEnvironment(t.Context(), production))
	w.target.EndRegion("eu")
	_, err = w.UpdateRegion(t.Context(), region())
	w.refused(err, target.ErrEnding, "destroyed once more")
	w.ok(w.DeleteRegion(t.Context(), "eu"))
	if left := w.target.Inventory(); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
