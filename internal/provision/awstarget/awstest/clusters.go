package awstest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// emulated is a database cluster on the PostgreSQL server that all of them share. What every
// cluster has by the same name, its maintenance database and its own logins, bears its number
// on the server: "slipway" is "slipway@7". Statements are translated on their way there, and
// results on their way back.
type emulated struct {
	server *sharedServer
	suffix string
	// master is the cluster's administrator, managed the ARN of the secret with its password, host
	// the name that it is reached by.
	master, managed, host string

	mu    sync.Mutex
	pools map[login]*pgxpool.Pool
	// address is where the cluster's endpoint is on this machine, "" before it is.
	address string
}

// login is who connects, and to which database, by the names of the cluster.
type login struct{ user, password, database string }

// clusters counts the emulated clusters of this test binary.
var clusters atomic.Int64

const maintenance = "postgres"

// own are the names that every cluster has, where a statement quotes them.
var own = regexp.MustCompile(`(["'])(slipway|slipway_reader|` + maintenance + `)(["'])`)

func (e *emulated) outward(sql string) string {
	return own.ReplaceAllString(sql, "${1}${2}"+e.suffix+"${3}")
}
func (e *emulated) inward(s string) string { return strings.ReplaceAll(s, e.suffix, "") }

func (e *emulated) name(s string) string { return strings.Trim(e.outward(`"`+s+`"`), `"`) }

var (
	masterName    = regexp.MustCompile(`<MasterUsername>([^<]*)</MasterUsername>`)
	masterSecret  = regexp.MustCompile(`<SecretArn>([^<]*)</SecretArn>`)
	clusterHost   = regexp.MustCompile(`<Endpoint>([^<]*)</Endpoint>`)
	clusterMember = regexp.MustCompile(`<DBClusterMember>`)
)

// login tells which cluster a statement is for and with whose credentials it comes.
func (d *dataAPI) login(ctx context.Context, c Call, in sqlCall, moto http.Handler) (*emulated, login, error) {
	name := in.ResourceARN[strings.LastIndex(in.ResourceARN, ":")+1:]
	d.mu.Lock()
	on := d.on[name]
	d.mu.Unlock()
	if !on {
		return nil, login{}, &refused{http.StatusBadRequest, "HttpEndpointNotEnabledException", "HttpEndpoint is not enabled for cluster " + name}
	}
	s, err := readSecret(ctx, c, moto, in.SecretARN)
	if err != nil {
		return nil, login{}, err
	}
	e, err := d.emulated(ctx, c.Region, moto, name)
	if err != nil {
		return nil, login{}, err
	}
	l := login{user: s.Username, password: s.Password, database: in.Database}
	if l.database == "" {
		l.database = maintenance
	}
	return e, l, nil
}

// emulated makes a cluster on the shared server when it is first asked for. RDS has set the
// password that is in the master's secret.
func (d *dataAPI) emulated(ctx context.Context, region string, moto http.Handler, name string) (*emulated, error) {
	d.making.Lock()
	defer d.making.Unlock()
	if e := d.clusters[name]; e != nil {
		return e, nil
	}
	form := url.Values{"Action": {"DescribeDBClusters"}, "Version": {"2014-10-31"}, "DBClusterIdentifier": {name}}.Encode()
	seen := ask(ctx, moto, Call{Service: "rds", Region: region}, "application/x-www-form-urlencoded", "", form).Body.Bytes()
	master, managed, host := masterName.FindSubmatch(seen), masterSecret.FindSubmatch(seen), clusterHost.FindSubmatch(seen)
	if master == nil || managed == nil || host == nil || !clusterMember.Match(seen) {
		return nil, &refused{http.StatusBadRequest, "DatabaseNotFoundException", "cluster " + name + " is not there, has no instance, or no managed password"}
	}
	s, err := readSecret(ctx, Call{Region: region}, moto, string(managed[1]))
	if err != nil {
		return nil, err
	}
	server, err := sharedPostgres()
	if err != nil {
		return nil, err
	}
	e := &emulated{
		server: server, suffix: fmt.Sprintf("@%d", clusters.Add(1)), master: string(master[1]), managed: string(managed[1]), host: string(host[1]),
		pools: map[login]*pgxpool.Pool{},
	}
	user, database := pgx.Identifier{e.name(e.master)}.Sanitize(), pgx.Identifier{e.name(maintenance)}.Sanitize()
	err = server.execute(ctx,
		"CREATE ROLE "+user+" LOGIN CREATEDB CREATEROLE PASSWORD "+quoted(s.Password),
		"CREATE DATABASE "+database+" OWNER "+user+" TEMPLATE template0")
	if err != nil {
		return nil, err
	}
	d.clusters[name] = e
	return e, nil
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// pool is the connections of a login. None keeps anything of its session from one call to the
// next.
func (e *emulated) pool(_ context.Context, l login) (*pgxpool.Pool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.pools[l]; p != nil {
		return p, nil
	}
	config, err := pgxpool.ParseConfig(e.server.address(e.name(l.user), l.password, e.name(l.database)))
	if err != nil {
		return nil, err
	}
	config.MaxConns, config.MaxConnIdleTime = 4, 5*time.Second
	config.AfterRelease = func(c *pgx.Conn) bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err := c.Exec(ctx, "DISCARD ALL")
		return err == nil
	}
	p, err := pgxpool.NewWithConfig(context.Background(), config)
	if err == nil {
		e.pools[l] = p
	}
	return p, err
}

// transaction is one that was begun, on a connection of its own. The server ends one that is
// given up. Its statements come one after the other, also where a client has given one up.
type transaction struct {
	login      login
	mu         sync.Mutex
	connection *pgx.Conn
}

// transactionIdle is how many seconds a transaction without statements lives (BeginTransaction).
const transactionIdle = 180

var errNoTransaction = &refused{http.StatusNotFound, "TransactionNotFoundException", "there is no such transaction"}

func (d *dataAPI) begin(ctx context.Context, e *emulated, l login) (any, error) {
	pool, err := e.pool(ctx, l)
	if err != nil {
		return nil, err
	}
	pooled, err := pool.Acquire(ctx)
	if err != nil {
		return nil, badRequest("log in: %v", err)
	}
	connection := pooled.Hijack()
	if _, err := connection.Exec(ctx, fmt.Sprintf("SET idle_in_transaction_session_timeout = %d; BEGIN", faster(transactionIdle).Milliseconds())); err != nil {
		return nil, errors.Join(err, connection.Close(ctx))
	}
	id := rand.Text()
	d.transactions.Store(id, &transaction{login: l, connection: connection})
	return map[string]string{"transactionId": id}, nil
}

func (d *dataAPI) end(ctx context.Context, id string, commit bool) (any, error) {
	t, ok := d.transactions.LoadAndDelete(id)
	if !ok {
		return nil, errNoTransaction
	}
	begun := t.(*transaction)
	begun.mu.Lock()
	defer begun.mu.Unlock()
	connection := begun.connection
	defer connection.Close(context.WithoutCancel(ctx))
	verb, said := "ROLLBACK", "Rollback Complete"
	if commit {
		verb, said = "COMMIT", "Transaction Committed"
	}
	tag, err := connection.Exec(ctx, verb)
	if err != nil { // it was idle for too long
		return nil, errNoTransaction
	}
	if commit && tag.String() != "COMMIT" { // a statement of it failed
		return nil, &refused{http.StatusBadRequest, "DatabaseErrorException", "the transaction was aborted"}
	}
	return map[string]string{"transactionStatus": said}, nil
}

// EndTransactions ends those of the account's databases that nobody has ended, as if nothing had
// come for as long as they live. Nobody may work at one meanwhile.
func (a *Account) EndTransactions(ctx context.Context) error {
	var failed error
	a.databases.transactions.Range(func(id, _ any) bool {
		if _, err := a.databases.end(ctx, id.(string), false); err != nil && !errors.Is(err, errNoTransaction) {
			failed = errors.Join(failed, err)
		}
		return true
	})
	return failed
}

// Execute runs statements behind everybody's back, with the rights of a superuser, on the server
// where the databases of all clusters are.
func Execute(t testing.TB, statements ...string) {
	t.Helper()
	s, err := sharedPostgres()
	if err == nil {
		err = s.execute(t.Context(), statements...)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Tamper runs statements behind everybody's back on the server of a database cluster, with the names
// that the cluster has. Who comes by the Data API after that logs in anew.
func (a *Account) Tamper(ctx context.Context, region, name string, statements ...string) error {
	e, err := a.databases.emulated(ctx, region, a.cloud.moto, name)
	if err != nil {
		return err
	}
	for i, sql := range statements {
		statements[i] = e.outward(sql)
	}
	if err := e.server.execute(ctx, statements...); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.pools {
		p.Reset()
	}
	return nil
}

// Query returns the texts that a query of a superuser returns on that server.
func Query(t testing.TB, sql string, arguments ...any) []string {
	t.Helper()
	s, err := sharedPostgres()
	var texts []string
	if err == nil {
		texts, err = s.query(t.Context(), sql, arguments...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// Connect logs in to a database as a stack would.
func Connect(t testing.TB, user, password, database string) (*pgx.Conn, error) {
	t.Helper()
	s, err := sharedPostgres()
	if err != nil {
		t.Fatal(err)
	}
	return pgx.Connect(t.Context(), s.address(user, password, database))
}

// forget removes what a cluster that is being deleted holds.
func (d *dataAPI) forget(ctx context.Context, name string) error {
	d.making.Lock()
	defer d.making.Unlock()
	e := d.clusters[name]
	if e == nil {
		return nil
	}
	delete(d.clusters, name)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.pools {
		p.Close()
	}
	return e.server.wipe(context.WithoutCancel(ctx), e.name(e.master))
}
