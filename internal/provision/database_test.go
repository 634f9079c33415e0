package provision_test

import (
	"context"
	"errors"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// A database that is gone is never made anew empty: that would hide a loss of data.
func TestAVanishedDatabaseIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	w := built(t)
	w.target.VanishAccountDatabase(acme)
	rec, err := w.ReadAccountDatabase(t.Context(), acme)
	w.refused(err, target.ErrVanished, `database "a_acme" of account database "eu/production/acme" is gone from the server`)
	if !rec.Vanished {
		t.Errorf("got %+v", rec)
	}
	_, _, err = w.CreateAccountDatabase(t.Context(), database())
	w.refused(err, target.ErrVanished, "It is not made anew", "restore it", `import "eu/production/acme"`, "\n  forget eu/production/acme\n")
	_, err = w.UpdateAccountDatabase(t.Context(), database())
	w.refused(err, target.ErrVanished, "It is not made anew")

	// Its environment may go all the same.
	w.ok(w.DeleteSlot(t.Context(), oms))
	w.ok(w.DeleteEnvironment(t.Context(), production))
}

func TestADatabaseOfSomebodyElseIsNotTouched(t *testing.T) {
	t.Parallel()
	w := before(t, nouns()[2])
	w.target.PlantForeign(acme)
	_, _, err := w.CreateAccountDatabase(t.Context(), database())
	w.refused(err, target.ErrForeign, `create account database "eu/production/acme"`)
	w.ok(w.DeleteAccountDatabase(t.Context(), acme))
}

func TestADatabaseThatStoppedHalfWayIsResumed(t *testing.T) {
	t.Parallel()
	w := before(t, nouns()[2])
	w.target.HinderAccountDatabase(acme, "the disk is full")
	for _, want := range []provision.Origin{provision.Made, provision.Resumed} {
		rec, origin, err := w.CreateAccountDatabase(t.Context(), database())
		w.refused(err, target.ErrUnavailable, `create account database "eu/production/acme": `, "the disk is full")
		if origin != want || rec.Meta.Generation != 1 || rec.Meta.Ready {
			t.Errorf("got origin %q, %+v, want %q", origin, rec.Meta, want)
		}
	}
	w.target.HinderAccountDatabase(acme, "")
	rec, origin, err := w.CreateAccountDatabase(t.Context(), database(func(d *target.AccountDatabase) { d.ConnectionLimit = 7 }))
	w.ok(err)
	if origin != provision.Resumed || rec.Meta.Generation != 1 || rec.Status.ObservedConnectionLimit != 7 {
		t.Errorf("got %+v, %q", rec, origin)
	}
}

func TestAnUpdateRepairsDrift(t *testing.T) {
	t.Parallel()
	w := built(t)
	w.target.Drift(acme, 99)
	rec, err := w.UpdateAccountDatabase(t.Context(), database())
	w.ok(err)
	if rec.Status.ObservedConnectionLimit != 5 || len(rec.Status.Drift) > 0 || rec.Meta.Generation != 1 {
		t.Errorf("got %+v", rec)
	}
}

func TestADatabaseThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	w := built(t)
	_, _, err := w.CreateEnvironment(t.Context(), environment(func(e *target.Environment) {
		e.Name, e.DomainName, e.Tenancy, e.Account = "single", "single.localhost", target.TenancySingleTenant, "acme"
		e.Network.HTTPSPort, e.Network.PreviewPort = 20445, 28445
	}))
	w.ok(err)
	for _, c := range []struct {
		change func(*target.AccountDatabase)
		want   string
	}{
		{func(d *target.AccountDatabase) { d.Account = "ACME" }, `account: "ACME" contains 'A', 'C', 'M', 'E'`},
		{func(d *target.AccountDatabase) { d.Environment.Name = "nowhere" }, `environment_id: there is no environment "eu/nowhere" on memory target "memory"`},
		{func(d *target.AccountDatabase) { d.DataResidency = []string{"US"} }, `account "acme" may keep data in ["US"], and region "eu" is under jurisdiction "EU"`},
		{func(d *target.AccountDatabase) { d.ConnectionLimit = 101 }, `101 is more than the 100 connections of environment "eu/production"`},
		{func(d *target.AccountDatabase) { d.Environment.Name, d.Account = "single", "globex" }, `environment "eu/single" is single-tenant and belongs to account "acme"`},
	} {
		d := database(c.change)
		_, _, err := w.CreateAccountDatabase(t.Context(), d)
		w.refused(err, target.ErrInvalid, c.want)
		if d.ID() == acme {
			_, err = w.UpdateAccountDatabase(t.Context(), d)
			w.refused(err, target.ErrInvalid, c.want)
		}
	}
	_, err = w.UpdateAccountDatabase(t.Context(), database(func(d *target.AccountDatabase) { d.Isolation = target.IsolationCluster }))
	w.refused(err, target.ErrInvalid, `isolation of account database "eu/production/acme" can't change from "database" to "cluster"`)
}

func TestARaisedCredentialVersionMakesANewPassword(t *testing.T) {
	t.Parallel()
	w := built(t)
	rec, err := w.ReadAccountDatabase(t.Context(), acme)
	w.ok(err)
	before := w.target.Secret(rec.Status.SecretID)
	_, err = w.UpdateAccountDatabase(t.Context(), database(func(d *target.AccountDatabase) { d.CredentialVersion = 2 }))
	w.ok(err)
	if after := w.target.Secret(rec.Status.SecretID); after == before || before == "" {
		t.Errorf("the password was %q and is %q", before, after)
	}
}

func TestARotationIsNeitherUndoneNorRepeatedByItsOwner(t *testing.T) {
	t.Parallel()
	w := built(t)
	secret := func() string {
		w.Helper()
		rec, err := w.ReadAccountDatabase(t.Context(), acme)
		w.ok(err)
		return w.target.Secret(rec.Status.SecretID)
	}
	first := secret()
	rec, err := w.of("somebody").RotateCredentials(t.Context(), acme)
	w.ok(err)
	second := secret()
	if second == first || rec.Meta.Owner != "this state" || rec.Spec.CredentialVersion != 1 {
		t.Errorf("the password was %q and is %q: %+v", first, second, rec)
	}
	for range 2 {
		rec, err = w.UpdateAccountDatabase(t.Context(), database(func(d *target.AccountDatabase) { d.ConnectionLimit = 7 }))
		w.ok(err)
	}
	if got := secret(); got != second || rec.Status.ObservedConnectionLimit != 7 {
		t.Errorf("an update made the password %q of %q: %+v", got, second, rec)
	}
	_, _, err = w.CreateAccountDatabase(t.Context(), database(func(d *target.AccountDatabase) { d.ConnectionLimit = 7 }))
	var exists *provision.ExistsError
	if !errors.As(err, &exists) || exists.Why != "it was changed since it was made" {
		t.Errorf("got %v", err)
	}
}

func TestADatabaseThatIsNotFinishedIsNotRotated(t *testing.T) {
	t.Parallel()
	w := before(t, nouns()[2])
	w.target.HinderAccountDatabase(acme, "the disk is full")
	_, _, err := w.CreateAccountDatabase(t.Context(), database())
	w.refused(err, target.ErrUnavailable)
	_, err = w.RotateCredentials(t.Context(), acme)
	w.refused(err, target.ErrUnavailable, `account database "eu/production/acme" is not finished`)
}

// late is a driver that says of every database that it could not be finished, which it was.
type late struct{ target.Driver }

func (d late) PutAccountDatabase(ctx context.Context, a target.AccountDatabase, o target.PutOptions) (target.AccountDatabaseRecord, error) {
	_, err := d.Driver.PutAccountDatabase(ctx, a, o)
	return target.AccountDatabaseRecord{}, errors.Join(err, target.MadeIf(true, target.Errorf(target.ErrUnavailable, "the last answer was lost")))
}

// What is finished may be in use, whatever became of the create.
func TestADatabaseThatGotFinishedIsNotOneToRemove(t *testing.T) {
	t.Parallel()
	w := before(t, nouns()[2])
	p := provision.New(late{w.target}, "this state", provision.Options{Clock: w.clock})
	rec, origin, err := p.CreateAccountDatabase(t.Context(), database())
	w.refused(err, target.ErrUnavailable, "the last answer was lost")
	if origin != provision.Resumed || !rec.Meta.Ready {
		t.Errorf("got %+v, %q", rec.Meta, origin)
	}
	_, origin, err = w.CreateAccountDatabase(t.Context(), database())
	w.ok(err)
	if origin != provision.Made && origin != provision.Adopted {
		t.Errorf("got %q", origin)
	}
}
