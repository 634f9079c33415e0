package awstarget_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/rdsdata"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
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
	plansHandOutNothing(t, l, d, database(id, "acme"))
	secretsAreLookedAfter(t, l, d, database(id, "globex"))
	brokenClustersAreRepaired(t, l, database(id, "acme"))
	readersAreMended(t, l, database(id, "acme"), l.onlyCluster(ctx, t))
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
	l.forgetCalls()
	for _, account := range []string{"acme", "globex"} {
		if _, err := d.GetAccountDatabase(t.Context(), target.AccountDatabaseID{Environment: id, Account: account}); err != nil {
			t.Fatal(err)
		}
	}
	l.heldToPlans(t)
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

// plansHandOutNothing wants the policy for plans to keep passwords from who has it, unless it is
// given the statement of the guide, and then those of the account only that it names.
func plansHandOutNothing(t *testing.T, l *lab, d *awstarget.Target, spec target.AccountDatabase) {
	t.Helper()
	needs := func(spec target.AccountDatabase) []awstest.Need {
		rec, err := l.client(t).GetAccountDatabase(t.Context(), spec.ID())
		if err != nil {
			t.Fatal(err)
		}
		l.Judge.Asked()
		if _, err := d.ReadSecret(t.Context(), rec.Status.SecretID); err != nil {
			t.Fatal(err)
		}
		return l.Judge.Asked()
	}
	guide, err := os.ReadFile("../../../templates/guides/aws-permissions.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	const begin = "```json\n" // the guide's last
	block, _, _ := strings.Cut(string(guide[strings.LastIndex(string(guide), begin)+len(begin):]), "```")
	more, err := awstest.ReadPolicies([]byte(`{"Statement": ` + block + `}`))
	if err != nil {
		t.Fatal(err)
	}
	plan := policies(t, "plan.json")
	if denied := plan.Denied(needs(spec)); len(denied) != 1 || !strings.HasPrefix(denied[0], "secretsmanager:GetSecretValue on ") {
		t.Errorf("the policy for plans denies %q", denied)
	}
	if denied := append(plan, more...).Denied(needs(spec)); len(denied) > 0 {
		t.Errorf("with the guide's statement it denies %q", denied)
	}
	spec.Account = "globex"
	if denied := append(plan, more...).Denied(needs(spec)); len(denied) != 1 {
		t.Errorf("of another account it denies %q", denied)
	}
}

// secretsAreLookedAfter removes an account's secret behind the target's back, with a window in which
// it can be taken back and without one.
func secretsAreLookedAfter(t *testing.T, l *lab, d target.Driver, spec target.AccountDatabase) {
	t.Helper()
	c := secretsmanager.NewFromConfig(l.config(home))
	seen := func() target.AccountDatabaseStatus {
		t.Helper()
		rec, err := l.client(t).GetAccountDatabase(t.Context(), spec.ID()) // as another run
		if err != nil {
			t.Fatal(err)
		}
		return rec.Status
	}
	for want, spoil := range map[string]func(secret *string) error{
		"the secret is to be deleted": func(secret *string) error {
			return second(c.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: secret, RecoveryWindowInDays: aws.Int64(7)}))
		},
		"the secret is gone": func(secret *string) error {
			return second(c.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: secret, ForceDeleteWithoutRecovery: aws.Bool(true)}))
		},
		"the value of the secret was changed by somebody else": func(secret *string) error {
			return second(c.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: secret, SecretString: aws.String("{}")}))
		},
	} {
		if err := spoil(aws.String(seen().SecretID)); err != nil {
			t.Fatal(err)
		}
		if got := seen().Drift; !slices.Equal(got, []string{want}) {
			t.Errorf("drift: got %q, want %q", got, want)
		}
		rec, err := d.PutAccountDatabase(t.Context(), spec, target.PutOptions{Owner: "me", IfGeneration: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := seen(); len(got.Drift) > 0 || got.SecretID != rec.Status.SecretID {
			t.Errorf("not repaired: %+v", got)
		}
		in := l.login(t, rec.Status.SecretID)
		db, err := awstest.Connect(t, in.Username, in.Password, in.DBName)
		if err == nil {
			err = db.Close(t.Context())
		}
		if err != nil {
			t.Errorf("after %q the login does not work: %v", want, err)
		}
	}
}

// brokenClustersAreRepaired breaks what plans read the catalogue with. A look goes on to see the database,
// takes nothing for gone, and says why it can't tell more; the environment is repaired, and then it is whole.
func brokenClustersAreRepaired(t *testing.T, l *lab, spec target.AccountDatabase) {
	t.Helper()
	s := &spoiler{t.Context(), l, t}
	whole, err := l.client(t).GetAccountDatabase(t.Context(), spec.ID())
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(){
		"the Data API is off": func() {
			s.do(s.rds().DisableHttpEndpoint(s.ctx, &rds.DisableHttpEndpointInput{ResourceArn: s.cluster().DBClusterArn}))
		},
		"the reader's secret is gone": func() {
			s.do(s.secrets().DeleteSecret(s.ctx, &secretsmanager.DeleteSecretInput{SecretId: aws.String(readersSecret), ForceDeleteWithoutRecovery: aws.Bool(true)}))
		},
		"the reader's secret holds something else": func() {
			s.do(s.secrets().PutSecretValue(s.ctx, &secretsmanager.PutSecretValueInput{SecretId: aws.String(readersSecret), SecretString: aws.String("{}")}))
		},
	} {
		spoil()
		l.forgetCalls()
		rec, err := l.client(t).GetAccountDatabase(t.Context(), spec.ID())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		l.heldToPlans(t)
		if len(rec.Status.Drift) != 1 || !strings.Contains(rec.Status.Drift[0], "can't be read") || rec.Vanished || rec.Status.DatabaseName != whole.Status.DatabaseName || rec.Status.SecretID != whole.Status.SecretID {
			t.Errorf("%s: a look sees %+v", name, rec)
		}
		d := l.client(t)
		in, err := d.GetEnvironment(t.Context(), spec.Environment)
		if err != nil || in.Meta.Problem == "" {
			t.Errorf("%s: of the environment it says %q, with error %v", name, in.Meta.Problem, err)
		}
		if _, err := d.PutEnvironment(t.Context(), in.Spec, again); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := d.PutAccountDatabase(t.Context(), spec, again); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		d = l.client(t)
		in, inErr := d.GetEnvironment(t.Context(), spec.Environment)
		if rec, err = d.GetAccountDatabase(t.Context(), spec.ID()); err != nil || inErr != nil || in.Meta.Problem != "" || len(rec.Status.Drift) > 0 {
			t.Errorf("%s: not repaired: %q, %q, with errors %v and %v", name, in.Meta.Problem, rec.Status.Drift, inErr, err)
		}
	}
}

// readersAreMended changes the login of plans on the database server itself. A plan for an account
// database says that it does not work, and a put of that makes it work.
func readersAreMended(t *testing.T, l *lab, spec target.AccountDatabase, cluster rdstypes.DBCluster) {
	t.Helper()
	const keptOut = `REVOKE CONNECT ON DATABASE "postgres" FROM "slipway_reader"`
	for name, statements := range map[string][]string{
		"it has another password":       {`ALTER ROLE "slipway_reader" PASSWORD 'another'`},
		"it may not log in":             {`ALTER ROLE "slipway_reader" NOLOGIN`},
		"it may not enter the database": {keptOut},
		"it is gone":                    {keptOut, `DROP ROLE "slipway_reader"`},
	} {
		if err := l.Tamper(t.Context(), home, aws.ToString(cluster.DBClusterIdentifier), statements...); err != nil {
			t.Fatal(err)
		}
		l.forgetCalls()
		rec, err := l.client(t).GetAccountDatabase(t.Context(), spec.ID())
		if err != nil || len(rec.Status.Drift) != 1 || rec.Vanished {
			t.Fatalf("%s: a look sees %+v, with error %v", name, rec, err)
		}
		l.heldToPlans(t)
		if rec, err = l.client(t).PutAccountDatabase(t.Context(), spec, target.PutOptions{Owner: "me", IfGeneration: rec.Meta.Generation}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		l.usable(t, l.client(t), rec)
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
