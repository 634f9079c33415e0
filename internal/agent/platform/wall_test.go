//go:build !windows

package platform

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/store"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// newWalledPlatform is a platform of root's, as who everybody used to be.
func newWalledPlatform(t *testing.T) *Platform {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: without it there are no other users")
	}
	p := newTestPlatform(t)
	p.users = users{ids: newIdentities(func(int) (bool, error) { return false, nil }), shared: &process.User{UID: 65534, GID: 65534}}
	return p
}

// newOldEnvironment is an environment whose record names no users, with files of the user that
// all shared.
func newOldEnvironment(t *testing.T, p *Platform, name string) *environment {
	t.Helper()
	e := p.newEnvironment(target.EnvironmentID{Region: "eu", Name: name})
	e.file.Meta.Generation = 1
	home := filepath.Join(e.files.stack("oms", "1"), "home")
	if err := p.passage(filepath.Dir(home), filepath.Join(e.files.dir)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{home, e.files.accounts()} {
		if err := privateDir(dir, p.users.shared); err != nil {
			t.Fatal(err)
		}
		if err := p.writeFile(filepath.Join(dir, "acme.password"), []byte("secret"), 0o600, p.users.shared); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.save(e.files.record(), e.file); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAnEnvironmentOfBeforeMovesIn(t *testing.T) {
	t.Parallel()
	p := newWalledPlatform(t)
	e := newOldEnvironment(t, p, "production")
	if err := e.moveIn(); err != nil {
		t.Fatal(err)
	}
	u := e.application()
	if u.UID < firstID || u.UID > lastID || u.GID != u.UID {
		t.Errorf("it runs as %+v, want a user of its own", u)
	}
	for _, path := range []string{
		e.files.accounts(), filepath.Join(e.files.accounts(), "acme.password"),
		filepath.Join(e.files.stack("oms", "1"), "home", "acme.password"),
	} {
		if id, _ := ownerOf(path); id != u.UID {
			t.Errorf("%s belongs to %d, want %d", path, id, u.UID)
		}
	}
	if id, _ := ownerOf(e.files.record()); id != 0 {
		t.Errorf("the record belongs to %d, want root", id)
	}
	var remembered environmentFile
	if err := store.Load(e.files.record(), &remembered); err != nil || remembered.Users == nil || remembered.Users.Application != u.UID {
		t.Errorf("the record names %+v, %v, want %d", remembered.Users, err, u.UID)
	}
}

func TestAnEnvironmentThatRunsKeepsTheSharedUser(t *testing.T) {
	t.Parallel()
	p := newWalledPlatform(t)
	e := newOldEnvironment(t, p, "production")
	running := startProcess(t, p)
	s := e.newSlot(target.SlotID{Environment: e.id, Name: "oms"})
	s.file.Seats[target.Blue] = &seat{Instances: map[string]*instanceFile{"api/1": {Identity: running}}}
	e.slots["oms"] = s
	if err := e.moveIn(); err != nil {
		t.Fatal(err)
	}
	if u := e.application(); u != p.users.shared {
		t.Errorf("it runs as %+v, want the user of before", u)
	}
	if id, _ := ownerOf(e.files.accounts()); id != p.users.shared.UID {
		t.Errorf("its accounts belong to %d now: what runs can't read them any more", id)
	}
}

func TestIdsAreReservedByRecordsAndByFilesBesideBadRecords(t *testing.T) {
	t.Parallel()
	p := newWalledPlatform(t)
	good := newOldEnvironment(t, p, "production")
	if err := good.moveIn(); err != nil {
		t.Fatal(err)
	}
	suite, err := good.suite("oms")
	if err != nil {
		t.Fatal(err)
	}
	bad := newOldEnvironment(t, p, "sandbox")
	if err := bad.moveIn(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad.files.record(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.users.ids = newIdentities(func(int) (bool, error) { return false, nil })
	p.reserve([]string{"eu.production", "eu.sandbox"})
	for what, u := range map[string]*process.User{"the environment": good.application(), "its suite": suite, "the environment with a bad record": bad.application()} {
		if !p.users.ids.given[u.UID] {
			t.Errorf("%d of %s may be given again", u.UID, what)
		}
	}
	if again, err := good.suite("oms"); err != nil || *again != *suite {
		t.Errorf("the suite of a slot is %+v, %v, was %+v", again, err, suite)
	}
	if err := good.forgetSuite("oms"); err != nil {
		t.Fatal(err)
	}
	if p.users.ids.given[suite.UID] || good.file.Users.Suites["oms"] != 0 {
		t.Error("the id of a slot that is gone was not taken back")
	}
}
