package targettest

import (
	"context"
	"errors"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func installationTests() []test {
	return []test{
		{"reading from a target without installation says so", func(w *world) {
			env := target.EnvironmentID{Region: "eu", Name: "production"}
			slot := target.SlotID{Environment: env, Name: "oms"}
			for name, read := range map[string]func(context.Context, target.Driver) error{
				"Installation": func(ctx context.Context, d target.Driver) error { _, err := d.Installation(ctx); return err },
				"GetRegion":    func(ctx context.Context, d target.Driver) error { _, err := d.GetRegion(ctx, "eu"); return err },
				"ListRegions":  func(ctx context.Context, d target.Driver) error { _, err := d.ListRegions(ctx); return err },
				"GetEnvironment": func(ctx context.Context, d target.Driver) error {
					_, err := d.GetEnvironment(ctx, env)
					return err
				},
				"ListEnvironments": func(ctx context.Context, d target.Driver) error {
					_, err := d.ListEnvironments(ctx)
					return err
				},
				"GetAccountDatabase": func(ctx context.Context, d target.Driver) error {
					_, err := d.GetAccountDatabase(ctx, target.AccountDatabaseID{Environment: env, Account: "acme"})
					return err
				},
				"ListAccountDatabases": func(ctx context.Context, d target.Driver) error {
					_, err := d.ListAccountDatabases(ctx, env)
					return err
				},
				"GetSlot":   func(ctx context.Context, d target.Driver) error { _, err := d.GetSlot(ctx, slot); return err },
				"ListSlots": func(ctx context.Context, d target.Driver) error { _, err := d.ListSlots(ctx, env); return err },
				"Observe":   func(ctx context.Context, d target.Driver) error { _, err := d.Observe(ctx, slot); return err },
			} {
				err := read(w.Context(), w.driver)
				if !errors.Is(err, target.ErrNoInstallation) || errors.Is(err, target.ErrNotFound) {
					w.Errorf("%s: got error %v, want %q only", name, err, target.ErrNoInstallation)
				}
			}
		}},
		{"an installation begins with the first region, is the same for all clients and ends with the last region", func(w *world) {
			ctx := w.Context()
			w.putRegion("eu")
			first, err := w.driver.Installation(ctx)
			w.ok(err)
			w.putRegion("us")
			w.ok(w.driver.DeleteRegion(ctx, "eu"))
			_, err = w.driver.GetRegion(ctx, "eu")
			w.refused(err, target.ErrNotFound)
			again, err := w.reopened().Installation(ctx)
			w.ok(err)
			if first == "" || again != first {
				w.Fatalf("installation is %q for one client and %q for another", first, again)
			}

			w.ok(w.driver.DeleteRegion(ctx, "us"))
			ended, err := w.reopened().Installation(ctx)
			w.ok(err)
			if ended != first {
				w.Errorf("after its end the installation is %q, want %q still", ended, first)
			}
			_, err = w.reopened().GetRegion(ctx, "us")
			w.refused(err, target.ErrNotFound)
			w.gone(w.driver.DeleteRegion(ctx, "us"))

			w.putRegion("eu")
			second, err := w.reopened().Installation(ctx)
			w.ok(err)
			if second == first {
				w.Errorf("the installation that was made after the end of %q has the same id", first)
			}
			w.ok(w.driver.DeleteRegion(ctx, "eu"))
		}},
		{"the target names the place it looks into", func(w *world) {
			if w.driver.Where() == "" || w.driver.Where() != w.reopened().Where() {
				w.Errorf("one client looks into %q, another into %q", w.driver.Where(), w.reopened().Where())
			}
		}},
		{"nothing is left when everything was deleted", func(w *world) {
			if w.Leftovers == nil {
				w.Skip("the harness can't see what is left")
			}
			ctx := w.Context()
			w.shared = nil
			env := w.environment()
			database := w.database(env)
			database.SkipFinalSnapshot = true
			_, err := w.driver.PutAccountDatabase(ctx, database, target.PutOptions{Owner: owner})
			w.ok(err)
			id := w.slot()
			lease := w.lease(id)
			w.putRecord(id, lease)
			w.serve(w.stack(id, target.Blue, "1"), lease)
			w.healthy(w.stack(id, target.Green, "2"), lease)
			task := w.task(id, w.Apps.TaskHangs())
			w.ok(w.driver.PutTask(ctx, task, lease))

			w.ok(w.driver.DeleteSlot(ctx, id, lease))
			w.ok(w.driver.DeleteAccountDatabase(ctx, database.ID()))
			w.ok(w.driver.DeleteEnvironment(ctx, env))
			w.ok(w.driver.DeleteRegion(ctx, env.Region))
			if diff := cmp.Diff([]string(nil), w.Leftovers(w.T, w.driver)); diff != "" {
				w.Errorf("left over:\n%s", diff)
			}
		}},
	}
}
