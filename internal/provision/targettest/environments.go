package targettest

import (
	"context"
	"maps"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func environmentTests() []test {
	nouns := noun[target.Environment]{
		object: func(w *world) target.Environment {
			e := w.Environment(w.T, w.environment().Region, w.name("environment"))
			e.Tags = map[string]string{"straße": "Unter den Linden - 東京"}
			return e
		},
		changed: func(e target.Environment) target.Environment {
			e.Tags = maps.Clone(e.Tags)
			e.Tags["changed"] = "yes"
			return e
		},
		put: func(ctx context.Context, d target.Driver, e target.Environment, o target.PutOptions) (target.Meta, target.Environment, error) {
			rec, err := d.PutEnvironment(ctx, e, o)
			return rec.Meta, rec.Spec, err
		},
		get: func(ctx context.Context, d target.Driver, e target.Environment) (target.Meta, target.Environment, error) {
			rec, err := d.GetEnvironment(ctx, e.ID())
			return rec.Meta, rec.Spec, err
		},
		delete: func(ctx context.Context, d target.Driver, e target.Environment) error {
			return d.DeleteEnvironment(ctx, e.ID())
		},
		list: func(ctx context.Context, d target.Driver, _ target.Environment) ([]target.Environment, error) {
			all, err := d.ListEnvironments(ctx)
			var out []target.Environment
			for _, e := range all {
				out = append(out, e.Spec)
			}
			return out, err
		},
		settle: func(w *world, e target.Environment) { w.environmentReady(e.ID()) },
	}
	return append(nouns.tests(),
		test{"an environment that is ready has its addresses", func(w *world) {
			rec := w.environmentReady(w.environment())
			for _, url := range []string{rec.Status.URL, rec.Status.PreviewURL} {
				if !strings.HasPrefix(url, "https://"+rec.Spec.DomainName) {
					w.Errorf("URL is %q, want one of %q", url, rec.Spec.DomainName)
				}
			}
			if rec.Status.URL == rec.Status.PreviewURL {
				w.Errorf("both entrances have the URL %q", rec.Status.URL)
			}
		}},
		test{"an environment in a region that is not there is refused", func(w *world) {
			w.environment()
			_, err := w.driver.PutEnvironment(w.Context(), w.Environment(w.T, "nowhere", "production"), target.PutOptions{Owner: owner})
			w.refused(err, target.ErrNotFound)
		}},
		test{"a region with environments is not deleted", func(w *world) {
			id := w.environment()
			w.refused(w.driver.DeleteRegion(w.Context(), id.Region), target.ErrNotEmpty)
			w.environmentReady(id)
		}},
		test{"an environment with a database is not deleted", func(w *world) {
			id, ctx := w.environment(), w.Context()
			d := w.database(id)
			_, err := w.driver.PutAccountDatabase(ctx, d, target.PutOptions{Owner: owner})
			w.ok(err)
			w.refused(w.driver.DeleteEnvironment(ctx, id), target.ErrNotEmpty)
			w.environmentReady(id)
			_, err = w.driver.GetAccountDatabase(ctx, d.ID())
			w.ok(err)
			w.ok(w.driver.DeleteAccountDatabase(ctx, d.ID()))
		}},
		test{"an environment with nothing but leases and traces of refused calls is deleted", func(w *world) {
			ctx := w.Context()
			e := w.Environment(w.T, w.environment().Region, w.name("environment"))
			w.putEnvironment(e)
			leased := target.SlotID{Environment: e.ID(), Name: "leased"}
			w.lease(leased)
			for _, id := range []target.SlotID{leased, {Environment: e.ID(), Name: "never-leased"}} {
				_, err := w.driver.PutSlot(ctx, w.record(id), target.Lease{Token: "of nobody"})
				w.refused(err, target.ErrLeaseLost)
				w.refused(w.driver.PutStack(ctx, w.stack(id, target.Blue, "1"), target.Lease{Token: "of nobody"}), target.ErrLeaseLost)
				w.refused(w.driver.PutTask(ctx, w.task(id, w.Apps.TaskPasses()), target.Lease{Token: "of nobody"}), target.ErrLeaseLost)
			}
			w.ok(w.driver.DeleteEnvironment(ctx, e.ID()))
		}},
		test{"an environment whose databases have vanished is deleted", func(w *world) {
			if w.Vanish == nil {
				w.Skip("the harness can't remove a database behind the driver's back")
			}
			ctx := w.Context()
			e := w.Environment(w.T, w.environment().Region, w.name("environment"))
			w.putEnvironment(e)
			d := w.database(e.ID())
			w.putDatabase(d, 0)
			w.Vanish(w.T, w.driver, d.ID())
			rec, err := w.driver.GetAccountDatabase(ctx, d.ID())
			w.ok(err)
			if !rec.Vanished {
				w.Fatal("the database is not told to have vanished")
			}
			w.ok(w.driver.DeleteEnvironment(ctx, e.ID()))
		}},
		test{"an environment with a slot is not deleted", func(w *world) {
			id, ctx := w.slot(), w.Context()
			lease := w.lease(id)
			w.putRecord(id, lease)
			w.refused(w.driver.DeleteEnvironment(ctx, id.Environment), target.ErrNotEmpty)
			w.environmentReady(id.Environment)
			w.ok(w.driver.DeleteSlot(ctx, id, lease))
		}},
		test{"a protected environment is not deleted before its protection is taken away", func(w *world) {
			ctx := w.Context()
			e := w.Environment(w.T, w.environment().Region, w.name("environment"))
			e.DeletionProtection = true
			w.putEnvironment(e)
			w.refused(w.driver.DeleteEnvironment(ctx, e.ID()), target.ErrProtected)
			w.environmentReady(e.ID())
			e.DeletionProtection = false
			_, err := w.driver.PutEnvironment(ctx, e, target.PutOptions{Owner: owner, IfGeneration: 1})
			w.ok(err)
			w.ok(w.driver.DeleteEnvironment(ctx, e.ID()))
		}},
		test{"an unfinished environment says what keeps it and is deleted in spite of its protection", unfinishedEnvironment},
	)
}

func unfinishedEnvironment(w *world) {
	if w.Obstruct == nil {
		w.Skip("the harness can't keep an environment from being finished")
	}
	e := w.Environment(w.T, w.environment().Region, w.name("environment"))
	e.DeletionProtection = true
	w.Obstruct(w.T, w.driver, e)
	_, err := w.driver.PutEnvironment(w.Context(), e, target.PutOptions{Owner: owner})
	w.ok(err)
	w.until("the problem of "+e.ID().String(), func(ctx context.Context) (string, bool, error) {
		rec, err := w.driver.GetEnvironment(ctx, e.ID())
		if rec.Meta.Ready {
			w.Fatal("the environment got ready")
		}
		return rec.Meta.Problem, rec.Meta.Problem != "", err
	})
	w.ok(w.driver.DeleteEnvironment(w.Context(), e.ID()))
	_, err = w.driver.GetEnvironment(w.Context(), e.ID())
	w.refused(err, target.ErrNotFound)
}
