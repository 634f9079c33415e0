package targettest

import (
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func nameTests() []test {
	return []test{
		{"the longest names work", func(w *world) { w.platform(strings.Repeat("n", target.MaxNameLength)) }},
		{"the shortest names work", func(w *world) { w.platform("0") }},
		{"names that differ only where others cut them off stay apart", similarNames},
	}
}

// platform brings up one of everything, all with the same name.
func (w *world) platform(name string) {
	w.Helper()
	ctx := w.Context()
	w.putRegion(name)
	e := w.Environment(w.T, name, name)
	w.putEnvironment(e)
	d := target.AccountDatabase{Environment: e.ID(), Account: name, Isolation: target.IsolationDatabase, ConnectionLimit: 5, CredentialVersion: 1}
	w.putDatabase(d, 0)
	id := target.SlotID{Environment: e.ID(), Name: name}
	lease := w.lease(id)
	definition := target.Definition{
		Release:       strings.Repeat("r", 128),
		Components:    map[string]target.Component{name: routed(id, w.Apps.Healthy())},
		AllowUntested: true,
	}
	rec, err := w.driver.PutSlot(ctx, target.SlotRecord{Asked: target.Slot{Environment: id.Environment, Name: id.Name, Definition: definition}}, lease)
	w.ok(err)
	w.serve(w.stackOf(id, target.Blue, definition), lease)
	w.serving(id, target.Blue, definition.Release)
	got, err := w.reopened().GetSlot(ctx, id)
	w.ok(err)
	if diff := cmp.Diff(rec, got); diff != "" {
		w.Errorf("the record is another (-want +got):\n%s", diff)
	}

	w.ok(w.driver.DeleteSlot(ctx, id, lease))
	w.ok(w.driver.DeleteAccountDatabase(ctx, d.ID()))
	w.ok(w.driver.DeleteEnvironment(ctx, e.ID()))
	w.ok(w.driver.DeleteRegion(ctx, name))
}

// similarNames are two accounts in each of two environments, whose names run together the
// same if they are joined without care.
func similarNames(w *world) {
	ctx := w.Context()
	w.putRegion("eu")
	long := strings.Repeat("a", target.MaxNameLength-1)
	secrets := map[string]bool{}
	for _, env := range []string{"a", "a-a"} {
		e := w.Environment(w.T, "eu", env)
		w.putEnvironment(e)
		names := map[string]bool{}
		accounts := []string{"a", "a-a", long + "0", long + "1"}
		for _, account := range accounts {
			rec := w.putDatabase(target.AccountDatabase{Environment: e.ID(), Account: account, Isolation: target.IsolationDatabase, ConnectionLimit: 5, CredentialVersion: 1}, 0)
			secrets[rec.Status.SecretID] = true
			names[rec.Status.DatabaseName] = true
		}
		all, err := w.driver.ListAccountDatabases(ctx, e.ID())
		w.ok(err)
		if len(all) != len(accounts) || len(names) != len(accounts) {
			w.Errorf("environment %q lists %d databases of %d names, want its own %d", env, len(all), len(names), len(accounts))
		}
	}
	if len(secrets) != 8 {
		w.Errorf("8 databases have %d places for their passwords", len(secrets))
	}
}
