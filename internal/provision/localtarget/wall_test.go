//go:build !windows

package localtarget_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/localtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// walled is what an application does behind a wall: it reads the account acme in its account
// directory, and is kept from every path that it is given.
func walled(paths []string) error {
	text, err := os.ReadFile(filepath.Join(os.Getenv("SLIPWAY_ACCOUNTS_DIR"), "acme.json"))
	if err != nil {
		return err
	}
	var entry struct {
		Password string `json:"password_file"`
		CA       string `json:"ca_file"`
	}
	if err := json.Unmarshal(text, &entry); err != nil {
		return err
	}
	for _, path := range []string{entry.Password, entry.CA} {
		if _, err := os.ReadFile(path); err != nil {
			return err
		}
	}
	for _, path := range paths {
		switch _, err := os.ReadFile(path); {
		case err == nil:
			return fmt.Errorf("%s can be read", path)
		case !errors.Is(err, fs.ErrPermission):
			return fmt.Errorf("find no permission: %w", err)
		}
	}
	return nil
}

// TestAccLocalWall looks for what the users of one environment can read of others.
func TestAccLocalWall(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root: without it everything runs as one user")
	}
	i := newInstallation(t)
	w := &wall{T: t, dir: i.dir, driver: i.client()}
	if _, err := w.driver.PutRegion(t.Context(), target.Region{Name: "eu", Location: "eu-central-1", Jurisdiction: "EU"}, target.PutOptions{Owner: "wall"}); err != nil {
		t.Fatal(err)
	}
	production, sandbox := w.environment("production"), w.environment("sandbox")
	oms := target.SlotID{Environment: production, Name: "oms"}
	crm := target.SlotID{Environment: production, Name: "crm"}

	other := target.Task{Command: []string{binary, "app", "hang"}, Account: "globex", TimeoutSeconds: 600}
	w.task(crm, target.TaskTest, other)
	environments := filepath.Join(i.dir, "environments")
	elsewhere := []string{
		filepath.Join(environments, "eu.sandbox", "accounts", "acme.json"),
		filepath.Join(environments, "eu.sandbox", "accounts", "acme.password"),
		filepath.Join(environments, "eu.sandbox", "environment.json"),
		filepath.Join(environments, "eu.production", "environment.json"),
		filepath.Join(environments, "eu.production", "slots", "crm", "tasks", "test", "accounts", "globex.password"),
		filepath.Join(i.dir, "installation.json"),
		filepath.Join(i.dir, "authority", "ca.key"),
	}
	neighbours := append([]string{
		filepath.Join(environments, "eu.production", "accounts", "acme.password"),
		filepath.Join(environments, "eu.production", "accounts", "globex.json"),
		filepath.Join(environments, "eu.production", "accounts", "globex.password"),
	}, elsewhere...)

	w.passes(oms, target.TaskMigrate, elsewhere)
	w.passes(oms, target.TaskTest, neighbours)
	w.passes(target.SlotID{Environment: sandbox, Name: "oms"}, target.TaskMigrate, neighbours[:3])
	w.instance(oms, elsewhere)

	ids := w.owners(production, sandbox)
	if ids[0] == ids[1] || ids[0] < 61184 || ids[0] > 65519 || ids[1] < 61184 || ids[1] > 65519 {
		t.Errorf("the environments belong to users %v, want two between 61184 and 65519", ids)
	}
}

// owners are the users that environments' account directories belong to.
func (w *wall) owners(all ...target.EnvironmentID) []uint32 {
	w.Helper()
	var out []uint32
	for _, id := range all {
		info, err := os.Stat(filepath.Join(w.dir, "environments", id.Region+"."+id.Name, "accounts"))
		if err != nil {
			w.Fatal(err)
		}
		out = append(out, info.Sys().(*syscall.Stat_t).Uid)
	}
	return out
}

type words string

func (s words) String() string { return string(s) }

// wall is the platform of the test.
type wall struct {
	*testing.T
	dir    string
	driver *localtarget.Target
}

// environment makes one with the accounts acme and globex.
func (w *wall) environment(name string) target.EnvironmentID {
	w.Helper()
	spec := environment(w.T, "eu", name)
	if _, err := w.driver.PutEnvironment(w.Context(), spec, target.PutOptions{Owner: "wall"}); err != nil {
		w.Fatal(err)
	}
	_, err := wait.Until(w.Context(), wait.Options{Max: time.Second}, func(ctx context.Context) (words, bool, error) {
		rec, err := w.driver.GetEnvironment(ctx, spec.ID())
		return words(rec.Meta.Problem), rec.Meta.Ready, err
	})
	if err != nil {
		w.Fatal(err)
	}
	for _, account := range []string{"acme", "globex"} {
		_, err := w.driver.PutAccountDatabase(w.Context(), target.AccountDatabase{
			Environment: spec.ID(), Account: account, Isolation: target.IsolationDatabase, ConnectionLimit: 5, CredentialVersion: 1,
		}, target.PutOptions{Owner: "wall"})
		if err != nil {
			w.Fatal(err)
		}
	}
	return spec.ID()
}

func (w *wall) lease(id target.SlotID) target.Lease {
	w.Helper()
	l, err := w.driver.AcquireLease(w.Context(), id, "wall", "the test", 10*time.Minute)
	if err != nil {
		w.Fatal(err)
	}
	return l
}

// task starts a task under its kind's name.
func (w *wall) task(id target.SlotID, kind string, task target.Task) {
	w.Helper()
	err := w.driver.PutTask(w.Context(), target.TaskSpec{Slot: id, Key: kind, Kind: kind, Release: "1", Color: target.Blue, Task: task}, w.lease(id))
	if err != nil {
		w.Fatal(err)
	}
}

// passes runs a task for the account acme that must be kept from the paths.
func (w *wall) passes(id target.SlotID, kind string, paths []string) {
	w.Helper()
	w.task(id, kind, target.Task{Command: append([]string{binary, "app", "walled"}, paths...), Account: "acme", TimeoutSeconds: 60})
	_, err := wait.Until(w.Context(), wait.Options{Max: time.Second}, func(ctx context.Context) (words, bool, error) {
		seen, err := w.driver.Observe(ctx, id)
		s := seen.Tasks[kind]
		if err == nil && !s.Running && (s.ExitCode == nil || *s.ExitCode != 0) {
			err = fmt.Errorf("%s of %s failed: %s %q", kind, id, s.Problem, s.LastLines)
		}
		return words(s.Problem), !s.Running, err
	})
	if err != nil {
		w.Error(err)
	}
}

// instance runs a component that is healthy only if it is kept from the paths.
func (w *wall) instance(id target.SlotID, paths []string) {
	w.Helper()
	c := apps{}.program(append([]string{"walled-well"}, paths...)...)
	c.Routes = []target.Route{{PathPrefix: "/"}}
	err := w.driver.PutStack(w.Context(), target.StackSpec{
		Slot: id, Color: target.Blue, SwapID: "20261125-wall", Fingerprint: "f", Capacity: map[string]int{"api": 1},
		Definition: target.Definition{Release: "1", Components: map[string]target.Component{"api": c}},
	}, w.lease(id))
	if err != nil {
		w.Fatal(err)
	}
	limited, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	_, err = wait.Until(limited, wait.Options{Max: time.Second}, func(ctx context.Context) (words, bool, error) {
		seen, err := w.driver.Observe(ctx, id)
		all := seen.Stacks[target.Blue].Instances
		return words(fmt.Sprintf("%+v", all)), len(all) == 1 && all[0].Healthy, err
	})
	if err != nil {
		w.Error(err)
	}
}
