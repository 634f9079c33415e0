package awstarget_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rdsdata"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/rights"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// production makes a region with an environment and returns the environment's id.
func production(t *testing.T, d target.Driver) target.EnvironmentID {
	t.Helper()
	if _, err := d.PutRegion(t.Context(), eu, mine); err != nil {
		t.Fatal(err)
	}
	e := environment(t, eu.Name, "production")
	if _, err := d.PutEnvironment(t.Context(), e, mine); err != nil {
		t.Fatal(err)
	}
	return e.ID()
}

func database(id target.EnvironmentID, account string) target.AccountDatabase {
	return target.AccountDatabase{
		Environment: id, Account: account, Isolation: target.IsolationDatabase, ConnectionLimit: 5, CredentialVersion: 1,
	}
}

// login is what is in the secret of an account database.
type login struct {
	Engine, Host, Username, Password, DBName, DBClusterIdentifier string
	Port                                                          int
}

func (l *lab) login(t *testing.T, arn string) login {
	t.Helper()
	out, err := secretsmanager.NewFromConfig(l.config(home)).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("AWSCURRENT")})
	if err != nil {
		t.Fatal(err)
	}
	var in login
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &in); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestAnAccountGetsIntoItsOwnDatabaseOnly(t *testing.T) {
	t.Parallel()
	ctx, l := t.Context(), newLab(t)
	d := l.client(t)
	id := production(t, d)
	logins := map[string]login{}
	for _, account := range []string{"acme", "globex"} {
		rec, err := d.PutAccountDatabase(ctx, database(id, account), mine)
		if err != nil {
			t.Fatal(err)
		}
		in := l.login(t, rec.Status.SecretID)
		want := login{
			Engine: "postgres", Host: rec.Status.Host, Port: 5432, Username: rec.Status.RoleName, Password: in.Password,
			DBName: rec.Status.DatabaseName, DBClusterIdentifier: in.DBClusterIdentifier,
		}
		if in != want || in.Host == "" || in.DBClusterIdentifier == "" || strings.Contains(in.DBName, account) {
			t.Errorf("the secret holds %+v, the record %+v", in, rec.Status)
		}
		logins[account] = in
	}
	for account, in := range logins {
		for other, to := range logins {
			c, err := awstest.Connect(t, in.Username, in.Password, to.DBName)
			if err == nil {
				err = errors.Join(c.Ping(ctx), c.Close(ctx))
			}
			var refused *pgconn.PgError
			if account == other && err != nil || account != other && (!errors.As(err, &refused) || refused.Code != "42501") {
				t.Errorf("%s in the database of %s: got error %v", account, other, err)
			}
		}
	}
	plansUseTheReader(t, l, id)
	readerReadsOnly(t, l, logins["acme"])
	passwordsChangeInTurn(t, l, d, database(id, "acme"), logins["acme"])
}

// passwordsChangeInTurn wants the login before a change to work until the next change, and what
// is made with either to belong to the account.
func passwordsChangeInTurn(t *testing.T, l *lab, d target.Driver, spec target.AccountDatabase, first login) {
	t.Helper()
	logins := []login{first}
	for generation := range int64(2) {
		spec.CredentialVersion++
		rec, err := d.PutAccountDatabase(t.Context(), spec, target.PutOptions{Owner: "me", IfGeneration: generation + 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(rec.Status.Drift) > 0 {
			t.Errorf("drift: %q", rec.Status.Drift)
		}
		logins = append(logins, l.login(t, rec.Status.SecretID))
	}
	for i, want := range []bool{false, true, true} {
		in := logins[i]
		c, err := awstest.Connect(t, in.Username, in.Password, in.DBName)
		if (err == nil) != want {
			t.Errorf("login %d of %d: got error %v, want it to work: %t", i+1, len(logins), err, want)
		}
		if err != nil {
			continue
		}
		var owner string
		table := fmt.Sprintf("made_%d", i)
		if _, err := c.Exec(t.Context(), "CREATE SCHEMA "+table); err != nil {
			t.Error(err)
		}
		if err := c.QueryRow(t.Context(), "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = $1", table).Scan(&owner); err != nil || owner != first.Username {
			t.Errorf("what %s makes belongs to %q (%v), want %q", in.Username, owner, err, first.Username)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// plansUseTheReader wants a refresh of all databases to be a few calls, which the policy for plans
// allows, and to come with the reader's secret.
func plansUseTheReader(t *testing.T, l *lab, id target.EnvironmentID) {
	t.Helper()
	d, calls := faulty(t, l)
	calls.FailAt(0, awstest.FailBefore)
	l.operations()
	for _, account := range []string{"acme", "globex"} {
		if _, err := d.GetAccountDatabase(t.Context(), target.AccountDatabaseID{Environment: id, Account: account}); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range l.operations() {
		if _, planned := rights.Covers(o.service, o.name); !planned {
			t.Errorf("a plan calls %s %s, which the policy for plans does not allow", o.service, o.name)
		}
	}
	statements := 0
	for _, c := range calls.Sent() {
		if c.Service != "rds-data" {
			continue
		}
		if statements++; !strings.Contains(string(c.Body), "slipway-reader/") {
			t.Errorf("a plan uses another secret than the reader's: %s", c.Body)
		}
	}
	if statements != 1 {
		t.Errorf("a refresh of two databases took %d statements, want 1", statements)
	}
}

// readerReadsOnly tries what the login of plans must not be able to do.
func readerReadsOnly(t *testing.T, l *lab, account login) {
	t.Helper()
	ctx, c := t.Context(), l.config(home)
	secret, err := secretsmanager.NewFromConfig(c).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String("slipway-reader/eu/production/database")})
	if err != nil {
		t.Fatal(err)
	}
	clusters, err := rds.NewFromConfig(c).DescribeDBClusters(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	run := func(database, sql string) error {
		_, err := rdsdata.NewFromConfig(c).ExecuteStatement(ctx, &rdsdata.ExecuteStatementInput{
			ResourceArn: clusters.DBClusters[0].DBClusterArn, SecretArn: secret.ARN, Database: &database, Sql: &sql,
		})
		return err
	}
	if err := run("postgres", "SELECT datname::text FROM pg_database"); err != nil {
		t.Errorf("the reader can't read: %v", err)
	}
	for _, c := range []struct{ database, sql string }{
		{account.DBName, "SELECT 1"},
		{"postgres", "CREATE ROLE another"},
		{"postgres", "CREATE DATABASE another"},
		{"postgres", "CREATE TABLE another ()"},
		{"postgres", "ALTER ROLE " + account.Username + " NOLOGIN"},
		{"postgres", "GRANT " + account.Username + " TO slipway_reader"},
	} {
		if err := run(c.database, c.sql); err == nil {
			t.Errorf("the reader may run %q in %s", c.sql, c.database)
		}
	}
}

// TestAnAccountDatabaseSurvivesEveryFault lets each request that changes something fail once in
// each way, while a database is made, changed with a new password, and removed.
func TestAnAccountDatabaseSurvivesEveryFault(t *testing.T) {
	t.Parallel()
	ctx, l := t.Context(), newLab(t)
	d, calls := faulty(t, l)
	id := production(t, d)
	before := words(l.built(t, home))
	for _, c := range faultyDatabases(id) {
		fault, spec := c.fault, c.spec
		put := func(generation int64) target.AccountDatabaseRecord {
			t.Helper()
			var rec target.AccountDatabaseRecord
			calls.FailEach(fault)
			if err := untilDone(func() (err error) {
				rec, err = d.PutAccountDatabase(ctx, spec, target.PutOptions{Owner: "me", IfGeneration: generation})
				return err
			}); err != nil {
				t.Fatalf("%s: %v", fault, err)
			}
			calls.FailAt(0, fault)
			l.usable(t, d, rec)
			return rec
		}
		first := put(0)
		password := l.login(t, first.Status.SecretID).Password
		spec.ConnectionLimit, spec.CredentialVersion = 7, 2
		second := put(1)
		if second.Status.SecretID != first.Status.SecretID || l.login(t, second.Status.SecretID).Password == password {
			t.Errorf("%s: the password is still the same, or in another secret", fault)
		}
		calls.FailEach(fault)
		if err := untilDone(func() error { return d.DeleteAccountDatabase(ctx, spec.ID()) }); err != nil {
			t.Fatalf("%s: %v", fault, err)
		}
		calls.FailAt(0, fault)
		l.nothingOf(t, first.Status.DatabaseName)
		kept := 0
		for name := range l.snapshots(t) {
			if strings.Contains(second.Status.Recovery, name) {
				kept++
			}
		}
		if kept != 1 || second.Status.Recovery != first.Status.Recovery {
			t.Errorf("%s: %d snapshots are kept of what %s", fault, kept, second.Status.Recovery)
		}
	}
	if got, want := len(l.snapshots(t)), 2*len(awstest.Faults); got != want {
		t.Errorf("there are %d snapshots, want one of each database, %d", got, want)
	}
	if got := words(l.built(t, home)); got != before {
		t.Errorf("left: %s, before: %s", got, before)
	}
}

// faultyDatabase is a database and what happens to the calls that make, change and remove it.
type faultyDatabase struct {
	fault awstest.Fault
	spec  target.AccountDatabase
}

// faultyDatabases are one on each kind of cluster for each kind of fault.
func faultyDatabases(id target.EnvironmentID) []faultyDatabase {
	var all []faultyDatabase
	for _, fault := range awstest.Faults {
		name := strings.ReplaceAll(fault.String(), " ", "-")
		all = append(all, faultyDatabase{fault, database(id, name)}, faultyDatabase{fault, ownCluster(id, "own-"+name)})
	}
	return all
}

// TestAnAccountDatabaseSurvivesAFailureOfEachCall lets each call of a create and of a destroy
// fail in turn and does the same again without a fault.
func TestAnAccountDatabaseSurvivesAFailureOfEachCall(t *testing.T) {
	t.Parallel()
	ctx, l := t.Context(), newLab(t)
	d, calls := faulty(t, l)
	id := production(t, d)
	const fault = awstest.FailBefore
	spec := database(id, "acme")
	for n, more := 1, true; more; n++ {
		calls.FailAt(n, fault)
		_, err := d.PutAccountDatabase(ctx, spec, mine)
		more = calls.Failed()
		calls.FailAt(0, fault)
		rec, again := d.PutAccountDatabase(ctx, spec, mine)
		if again != nil {
			t.Fatalf("create again after fault %d (%v): %v", n, err, again)
		}
		l.usable(t, d, rec)

		calls.FailAt(n, fault)
		err = d.DeleteAccountDatabase(ctx, spec.ID())
		more = more || calls.Failed()
		calls.FailAt(0, fault)
		if again := d.DeleteAccountDatabase(ctx, spec.ID()); again != nil {
			t.Fatalf("destroy again after fault %d (%v): %v", n, err, again)
		}
		l.nothingOf(t, rec.Status.DatabaseName)
	}
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
