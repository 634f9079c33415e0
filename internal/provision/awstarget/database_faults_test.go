package awstarget_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// TestAnAccountDatabaseSurvivesEveryFault lets each call fail once in each way while a database is
// made, changed with a new password, and removed.
func TestAnAccountDatabaseSurvivesEveryFault(t *testing.T) {
	t.Parallel()
	ctx, l := t.Context(), newLab(t)
	r := l.try(t, wait.NewFake(time.Now()), 10*time.Second)
	id := production(t, r)
	all, whole := faultyDatabases(id), l.left(t, home)
	for _, c := range all {
		t.Run(c.spec.Account, func(t *testing.T) {
			fault, spec := c.fault, c.spec
			put := func(generation int64) (rec target.AccountDatabaseRecord) {
				t.Helper()
				if err := r.untilDone(ctx, fault, func(ctx context.Context) (err error) {
					rec, err = r.PutAccountDatabase(ctx, spec, target.PutOptions{Owner: "me", IfGeneration: generation})
					return err
				}); err != nil {
					t.Fatal(err)
				}
				l.usable(t, r, rec)
				return rec
			}
			first := put(0)
			password := l.login(t, first.Status.SecretID).Password
			spec.ConnectionLimit, spec.CredentialVersion = 7, 2
			changed := put(1)
			if changed.Status.SecretID != first.Status.SecretID || l.login(t, changed.Status.SecretID).Password == password {
				t.Error("the password is still the same, or in another secret")
			}
			if err := r.untilDone(ctx, fault, func(ctx context.Context) error { return r.provisioner().DeleteAccountDatabase(ctx, spec.ID()) }); err != nil {
				t.Fatal(err)
			}
			l.nothingOf(t, first.Status.DatabaseName)
			kept := 0
			for name := range l.snapshots(t) {
				if strings.Contains(changed.Status.Recovery, name) {
					kept++
				}
			}
			if kept != 1 || changed.Status.Recovery != first.Status.Recovery {
				t.Errorf("%d snapshots are kept of what %s", kept, changed.Status.Recovery)
			}
		})
	}
	whole["database snapshot"] = len(all) // one of each
	if got, want := words(l.left(t, home)), words(whole); got != want {
		t.Errorf("there is %s\nwant %s", got, want)
	}
}

// faultyDatabase is a database and what happens to the calls that make, change and remove it.
type faultyDatabase struct {
	fault awstest.Fault
	spec  target.AccountDatabase
}

// faultyDatabases are one for each kind of fault, and one on a cluster of its own for those after
// which a call may have had effect. With SLIPWAY_ACC_ROUNDS there is one of these for each kind.
func faultyDatabases(id target.EnvironmentID) []faultyDatabase {
	var all []faultyDatabase
	for _, fault := range awstest.Faults {
		name := strings.ReplaceAll(fault.String(), " ", "-")
		all = append(all, faultyDatabase{fault, database(id, name)})
		if fault == awstest.FailAfter || fault == awstest.Interrupt || os.Getenv("SLIPWAY_ACC_ROUNDS") != "" {
			all = append(all, faultyDatabase{fault, ownCluster(id, "own-"+name)})
		}
	}
	return all
}

// usable says that a database is as its record says, and that its login works.
func (l *lab) usable(t *testing.T, d target.Driver, rec target.AccountDatabaseRecord) {
	t.Helper()
	got, err := d.GetAccountDatabase(t.Context(), rec.Spec.ID())
	if err != nil {
		t.Fatal(err)
	}
	if !got.Meta.Ready || got.Meta.Problem != "" || got.Vanished || len(got.Status.Drift) > 0 || got.Status.ObservedConnectionLimit != rec.Spec.ConnectionLimit {
		t.Fatalf("the record is %+v", got)
	}
	in := l.login(t, rec.Status.SecretID)
	c, err := awstest.Connect(t, in.Username, in.Password, in.DBName)
	if err == nil {
		err = errors.Join(c.Ping(t.Context()), c.Close(t.Context()))
	}
	if err != nil {
		t.Fatalf("the login in the secret does not work: %v", err)
	}
}

// nothingOf says that neither a database, nor a role, nor a secret is left of an account.
func (l *lab) nothingOf(t *testing.T, name string) {
	t.Helper()
	if left := awstest.Query(t, "SELECT rolname::text FROM pg_roles WHERE starts_with(rolname, $1) UNION ALL SELECT datname::text FROM pg_database WHERE starts_with(datname, $1)", name); len(left) > 0 {
		t.Errorf("left on the server: %q", left)
	}
	kept, err := secretsmanager.NewFromConfig(l.config(home)).ListSecrets(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range kept.SecretList {
		if strings.Contains(aws.ToString(s.Name), "/accounts/") {
			t.Errorf("secret %s is left", aws.ToString(s.Name))
		}
	}
}
