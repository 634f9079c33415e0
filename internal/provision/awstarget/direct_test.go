package awstarget_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestTheWayToTheDatabasesChangesInPlace makes an account database by the Data API, one over a
// direct connection, and one by the Data API again.
func TestTheWayToTheDatabasesChangesInPlace(t *testing.T) {
	t.Parallel()
	ctx, l := t.Context(), newLab(t)
	d, calls := faulty(t, l)
	calls.Refuse(1, map[string]string{ // as long as the region's key is new
		"CreateDBCluster": "KMSKeyNotAccessibleFault", "CreateSecret": "AccessDeniedException: Access to KMS is not allowed",
		"CreateLogGroup": "InvalidParameterException: The specified KMS Key Id could not be found.",
	})
	id := production(t, d)
	e := environment(t, id.Region, id.Name)
	change := func(access string) {
		t.Helper()
		e.AWS.Database.Access = access
		rec, err := d.GetEnvironment(ctx, id)
		if err == nil {
			_, err = d.PutEnvironment(ctx, e, target.PutOptions{Owner: "me", IfGeneration: rec.Meta.Generation})
		}
		if err != nil {
			t.Fatal(err)
		}
		l.sound(t, d, id, access)
	}
	put := func(account string) {
		t.Helper()
		rec, err := d.PutAccountDatabase(ctx, database(id, account), mine)
		if err != nil {
			t.Fatal(err)
		}
		l.usable(t, d, rec)
	}
	put("acme")

	change(target.AccessDirect)
	calls.FailAt(0, awstest.FailBefore) // forgets what was sent
	put("globex")
	for _, c := range calls.Sent() {
		if c.Service == "rds-data" {
			t.Errorf("a direct connection calls the Data API: %s", c.Operation)
		}
	}
	plansReadDirectly(t, l, id)
	cluster := l.onlyCluster(ctx, t)
	readersAreMended(t, l, database(id, "globex"), cluster)
	if _, err := rds.NewFromConfig(l.config(home)).EnableHttpEndpoint(ctx, &rds.EnableHttpEndpointInput{ResourceArn: cluster.DBClusterArn}); err != nil {
		t.Fatal(err)
	}
	if rec, err := d.GetEnvironment(ctx, id); err != nil || rec.Meta.Problem == "" {
		t.Errorf("the Data API that somebody has turned on is no problem (%v)", err)
	}
	change(target.AccessDirect)
	for name, c := range obstacles(l) {
		t.Run(name, func(t *testing.T) { c.check(t, l, id) })
	}

	calls.Refuse(2, map[string]string{"ExecuteStatement": "HttpEndpointNotEnabledException", "BeginTransaction": "HttpEndpointNotEnabledException"}) // a moment after it is enabled
	change(target.AccessDataAPI)
	calls.FailAt(0, awstest.FailBefore)
	put("initech")
	for _, account := range []string{"acme", "globex", "initech"} {
		if err := d.DeleteAccountDatabase(ctx, target.AccountDatabaseID{Environment: id, Account: account}); err != nil {
			t.Error(err)
		}
	}
}

// onlyCluster is the only one in the account.
func (l *lab) onlyCluster(ctx context.Context, t *testing.T) rdstypes.DBCluster {
	t.Helper()
	out, err := rds.NewFromConfig(l.config(home)).DescribeDBClusters(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out.DBClusters[0]
}

// sound wants an environment to have one way to its databases, and nothing else to be wrong.
func (l *lab) sound(t *testing.T, d target.Driver, id target.EnvironmentID, access string) {
	t.Helper()
	rec, err := d.GetEnvironment(t.Context(), id)
	if err != nil || rec.Meta.Problem != "" {
		t.Errorf("the environment's problem is %q (%v)", rec.Meta.Problem, err)
	}
	c := l.onlyCluster(t.Context(), t)
	if on := aws.ToBool(c.HttpEndpointEnabled); on != (access == target.AccessDataAPI) {
		t.Errorf("with access %q the Data API is on: %t", access, on)
	}
	conn, err := l.Dial(t.Context(), "tcp", aws.ToString(c.Endpoint)+":5432")
	if err == nil {
		err = conn.Close()
	}
	if (err == nil) != (access == target.AccessDirect) {
		t.Errorf("with access %q the way to the cluster is: %v", access, err)
	}
}

// plansReadDirectly wants a plan to read no other secret than the reader's, and to do nothing
// that the policy for plans does not allow.
func plansReadDirectly(t *testing.T, l *lab, id target.EnvironmentID) {
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
	reads := 0
	for _, c := range calls.Sent() {
		if c.Operation != "GetSecretValue" {
			continue
		}
		if reads++; !strings.Contains(string(c.Body), "slipway-reader/") {
			t.Errorf("a plan reads another secret than the reader's: %s", c.Body)
		}
	}
	if reads != 1 {
		t.Errorf("a plan for two databases read the secret %d times, want once", reads)
	}
}

// obstacle is something in the way of a direct connection.
type obstacle struct {
	// change puts it there for one client.
	change func(t *testing.T, s *awstarget.Settings, o *awstarget.Options)
	// want is what the error is; nil is none.
	want error
	// reads is how often the secret of the cluster's administrator is read, whose turn is after the login
	// of plans was tried.
	reads int
}

func obstacles(l *lab) map[string]obstacle {
	dial := func(f func(ctx context.Context, t *testing.T, network, address string) (net.Conn, error)) func(*testing.T, *awstarget.Settings, *awstarget.Options) {
		return func(t *testing.T, _ *awstarget.Settings, o *awstarget.Options) {
			o.DialDatabase = func(ctx context.Context, network, address string) (net.Conn, error) {
				return f(ctx, t, network, address)
			}
		}
	}
	var dials atomic.Int32
	return map[string]obstacle{
		"nothing": {func(*testing.T, *awstarget.Settings, *awstarget.Options) {}, nil, 1},
		"an authority that nobody knows": {func(t *testing.T, s *awstarget.Settings, _ *awstarget.Options) {
			other := httptest.NewTLSServer(nil)
			defer other.Close()
			s.DatabaseCABundle = awstest.File(t, "other.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other.Certificate().Raw})))
		}, target.ErrInvalid, 0},
		"a server of another name": {dial(func(_ context.Context, t *testing.T, _, _ string) (net.Conn, error) {
			return impostor(t), nil
		}), target.ErrInvalid, 0},
		"a server that is down": {dial(func(ctx context.Context, t *testing.T, network, address string) (net.Conn, error) {
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("the attempt has no end")
			}
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}), target.ErrUnavailable, 0},
		"a password that changes on the way": {dial(func(ctx context.Context, t *testing.T, network, address string) (net.Conn, error) {
			if dials.Add(1) == 2 { // the administrator's
				l.anotherPassword(ctx, t, true)
			}
			return l.Dial(ctx, network, address)
		}), nil, 2},
		"a password that is not in the secret": {func(t *testing.T, _ *awstarget.Settings, _ *awstarget.Options) {
			l.anotherPassword(t.Context(), t, false)
			t.Cleanup(func() { l.anotherPassword(context.WithoutCancel(t.Context()), t, true) })
		}, target.ErrUnavailable, 2},
	}
}

// check puts a database that is there, past the obstacle.
func (c obstacle) check(t *testing.T, l *lab, id target.EnvironmentID) {
	var calls *awstest.Calls
	d := l.client(t, func(s *awstarget.Settings, o *awstarget.Options) {
		calls = awstest.NewCalls(l.Transport())
		o.Transport = func(http.RoundTripper) http.RoundTripper { return calls }
		c.change(t, s, o)
	})
	_, err := d.PutAccountDatabase(t.Context(), database(id, "acme"), mine)
	if !errors.Is(err, c.want) || c.want == nil && err != nil {
		t.Errorf("got error %v, want %v", err, c.want)
	}
	reads := 0
	for _, call := range calls.Sent() {
		if call.Operation == "GetSecretValue" && strings.Contains(string(call.Body), "rds!cluster-") {
			reads++
		}
	}
	if reads != c.reads {
		t.Errorf("the secret was read %d times, want %d", reads, c.reads)
	}
}

// anotherPassword is what RDS gives the administrator of the cluster.
func (l *lab) anotherPassword(ctx context.Context, t *testing.T, tell bool) {
	t.Helper()
	if err := l.Rotate(ctx, home, aws.ToString(l.onlyCluster(ctx, t).DBClusterIdentifier), tell); err != nil {
		t.Error(err)
	}
}

// impostor is a connection to a server that a known authority has given a certificate of another
// name.
func impostor(t *testing.T) net.Conn {
	t.Helper()
	certificate := awstest.Certificate(t, "elsewhere.example.com")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the client's connection
		defer server.Close()
		asks := make([]byte, 8) // for TLS
		if _, err := io.ReadFull(server, asks); err != nil {
			return
		}
		if _, err := server.Write([]byte("S")); err != nil {
			return
		}
		_ = tls.Server(server, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}).Handshake()
	}()
	return client
}

func TestTheWayToTheDatabasesIsCheckedAtPlan(t *testing.T) {
	t.Parallel()
	ctx, l := t.Context(), newLab(t)
	with := l.client(t)
	without := l.client(t, func(s *awstarget.Settings, _ *awstarget.Options) { s.DatabaseCABundle = "" })
	region := eu
	region.Location = "ap-south-2"
	e := environment(t, eu.Name, "production")
	for _, c := range []struct {
		name   string
		d      *awstarget.Target
		access string
		in     target.Region
		faults int
	}{
		{"the Data API where it is", with, target.AccessDataAPI, eu, 0},
		{"the Data API where it is not", with, target.AccessDataAPI, region, 1},
		{"a direct connection into a network that is to be made", with, target.AccessDirect, region, 1},
		{"the same without certificates", without, target.AccessDirect, region, 2},
	} {
		e.AWS.Database.Access = c.access
		faults, err := c.d.CheckEnvironment(ctx, e, c.in)
		faults = slices.DeleteFunc(faults, func(f target.Fault) bool { return f.Path != "aws.database.access" })
		if err != nil || len(faults) != c.faults {
			t.Errorf("%s: got %d faults, want %d: %v (%v)", c.name, len(faults), c.faults, faults, err)
		}
	}
	e.AWS.Database.Access, e.AWS.Database.EngineVersion = target.AccessDataAPI, "17.1" // not there, and "17.7" is
	if faults, err := with.CheckEnvironment(ctx, e, eu); err != nil || len(faults) != 1 || faults[0].Path != "aws.database.engine_version" {
		t.Errorf("a version that there is not: %v (%v)", faults, err)
	}
	e.AWS.Database.EngineVersion = "29.1"
	if faults, err := with.CheckEnvironment(ctx, e, eu); err != nil || len(faults) != 1 || faults[0].Path != "aws.database.engine_version" {
		t.Errorf("a major version that there is not: %v (%v)", faults, err)
	}
	e.AWS.Database.EngineVersion = "16.2" // it can't pause
	if faults, err := with.CheckEnvironment(ctx, e, eu); err != nil || len(faults) != 1 || faults[0].Path != "aws.database.min_capacity_units" {
		t.Errorf("a version that has no capacity of %g: %v (%v)", e.AWS.Database.MinCapacity, faults, err)
	}
	e.AWS.Database.EngineVersion = "17.7"
	id := production(t, with)
	if id != e.ID() {
		t.Fatalf("got %q", id)
	}
	e.AWS.Database.Access = target.AccessDirect
	if faults, err := with.CheckEnvironment(ctx, e, eu); err != nil || len(faults) > 0 {
		t.Errorf("a direct connection into a network that is there: %v (%v)", faults, err)
	}
}

func TestTheBundleOfCertificatesIsChecked(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"no/such/file.pem", awstest.File(t, "empty.pem", "no certificate")} {
		if faults := (awstarget.Settings{DatabaseCABundle: path}).ValidateFiles(); len(faults) != 1 || faults[0].Path != "database_ca_bundle" {
			t.Errorf("%s: got %v", path, faults)
		}
	}
}
