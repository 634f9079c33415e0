package awstarget

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

const (
	// dialTimeout is how long a server may take to take a connection: nobody answers what a
	// security group does not let in.
	dialTimeout = 10 * time.Second
	// loginTimeout is how long it may take until a login is through. A paused cluster wakes for it
	// in 15 seconds, and after a day in 30 or more (Scaling to Zero ACUs with automatic pause and
	// resume for Aurora Serverless v2).
	loginTimeout = time.Minute
	// administratorConnections is how many a run opens to a cluster to make account databases.
	administratorConnections = 4
	// directIdle is how long a connection idles before it is closed: it keeps a cluster from
	// pausing.
	directIdle = 20 * time.Second
)

// pools are the connections of this run, by the cluster's host and the secret of the login.
type pools struct {
	mu   sync.Mutex
	open map[[2]string]*pgxpool.Pool
}

// direct carries statements to a database cluster over TLS connections.
type direct struct {
	pool    *pgxpool.Pool
	cluster dbCluster
	// secret is the ARN of the login's credentials.
	secret string
}

// connections are those of a login, so many at most. None is made before the first statement.
func (c dbCluster) connections(secret string, most int32) (direct, error) {
	d := direct{cluster: c, secret: secret}
	all := &c.target.pools
	all.mu.Lock()
	defer all.mu.Unlock()
	if d.pool = all.open[[2]string{c.host(), secret}]; d.pool != nil {
		return d, nil
	}
	config, err := d.config()
	if err == nil {
		config.MaxConns = most
		d.pool, err = pgxpool.NewWithConfig(context.Background(), config)
	}
	if err != nil {
		return d, fmt.Errorf("connect to database cluster %q: %w", c.name, err)
	}
	if all.open == nil {
		all.open = map[[2]string]*pgxpool.Pool{}
	}
	all.open[[2]string{c.host(), secret}] = d.pool
	return d, nil
}

// config says how to connect. None of it is what PostgreSQL's own programs read from the
// environment.
func (d direct) config() (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig("sslmode=disable channel_binding=prefer sslnegotiation=postgres target_session_attrs=any user=" + administrator)
	if err != nil {
		return nil, err
	}
	c, settings := config.ConnConfig, d.cluster.target.session.settings
	if c.TLSConfig, err = settings.databaseTLS(d.cluster.host()); err != nil {
		return nil, err
	}
	c.Host, c.Port, c.Database, c.Password, c.Fallbacks = d.cluster.host(), postgresPort, maintenance, "", nil
	c.ConnectTimeout = loginTimeout
	c.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil } // the dialer does it
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		return d.cluster.target.dialDatabase(ctx, network, address)
	}
	c.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	c.RuntimeParams = map[string]string{"application_name": "slipway", "client_encoding": "UTF8", "standard_conforming_strings": "on"}
	config.MinConns, config.MaxConnIdleTime = 0, directIdle
	// The password is read for each connection, and forgotten with it: RDS changes it every week.
	clients, secret := d.cluster.clients, d.secret
	config.BeforeConnect = func(ctx context.Context, c *pgx.ConnConfig) error {
		login, err := readSecret(unshared(ctx), clients, secret, "")
		c.User, c.Password = login.Username, login.Password
		return err
	}
	return config, nil
}

// connection is one that is free, or a new one. Where the password was changed after it had been
// read, it is read once more.
func (d direct) connection(ctx context.Context) (*pgxpool.Conn, error) {
	c, err := d.pool.Acquire(ctx)
	if sqlState(err, stateWrongPassword) {
		c, err = d.pool.Acquire(ctx)
	}
	if err != nil {
		return nil, d.unreachable(err)
	}
	return c, nil
}

func (d direct) query(ctx context.Context, sql string) ([]string, error) {
	c, err := d.connection(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Release()
	rows, err := c.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// execute sends the statements in one message, which is one transaction.
func (d direct) execute(ctx context.Context, sql ...string) error {
	c, err := d.connection(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	_, err = c.Exec(ctx, strings.Join(sql, "; "))
	return err
}

// SQLSTATEs (PostgreSQL Error Codes).
const (
	stateWrongPassword  = "28P01"
	stateNotAuthorized  = "28000"
	stateNoRight        = "42501"
	stateTooManyClients = "53300"
)

func (d direct) forbidden(err error) bool { return sqlState(err, stateNoRight) }

func (d direct) inTheWay(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && accountdb.InTheWay(said.Code)
}

func sqlState(err error, codes ...string) bool {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return false
	}
	for _, c := range codes {
		if said.Code == c {
			return true
		}
	}
	return false
}
