package accounts

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrPlaintext says that an address would allow connections without TLS.
var ErrPlaintext = errors.New("TLS is required: say sslmode=verify-full, verify-ca or require")

// Options change how [Open] talks to a server. The zero value works.
type Options struct {
	// Password is the administrator's, if the address does not hold it.
	Password string
	// MaxConnections is how many connections are opened at most, default 8.
	// They are opened when needed and closed when idle.
	MaxConnections int
	// Before and After are called around each message to the server, with a
	// few words that say what it does. An error of theirs ends the work on the
	// spot, as if the process had died there: tests use them.
	Before, After func(ctx context.Context, what string) error
}

// Cluster is one PostgreSQL server, seen by an administrator who works in its
// maintenance database. Its methods may be called from many goroutines.
type Cluster struct {
	pool    *pgxpool.Pool
	options Options
	traffic traffic
}

// Open returns the server at address, a postgres:// URL that names the
// maintenance database, the same one for everybody who works on the server:
// locks hold within a database. It connects when there is something to do.
func Open(address string, options Options) (*Cluster, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("read address of PostgreSQL server: %w", err)
	}
	if plaintext(config.ConnConfig) {
		return nil, fmt.Errorf("use PostgreSQL server %s: %w", config.ConnConfig.Host, ErrPlaintext)
	}
	if options.Password != "" {
		config.ConnConfig.Password = options.Password
	}
	if options.MaxConnections <= 0 {
		options.MaxConnections = 8
	}
	cluster := &Cluster{options: options}
	config.MaxConns = int32(options.MaxConnections)
	config.MinConns = 0
	config.MinIdleConns = 0
	config.MaxConnIdleTime = time.Minute
	// A server that was restarted left connections behind that are dead.
	config.ShouldPing = func(_ context.Context, about pgxpool.ShouldPingParams) bool {
		return about.IdleDuration > 100*time.Millisecond
	}
	config.ConnConfig.Tracer = &cluster.traffic
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "slipway"
	}
	config.ConnConfig.RuntimeParams["client_encoding"] = "UTF8"
	config.ConnConfig.RuntimeParams["standard_conforming_strings"] = "on"
	if cluster.pool, err = pgxpool.NewWithConfig(context.Background(), config); err != nil {
		return nil, fmt.Errorf("use PostgreSQL server %s: %w", config.ConnConfig.Host, err)
	}
	return cluster, nil
}

// Close closes all connections, waiting for work under way.
func (c *Cluster) Close() { c.pool.Close() }

// Ping returns nil when the server answers.
func (c *Cluster) Ping(ctx context.Context) error {
	if err := c.pool.Ping(ctx); err != nil {
		return fmt.Errorf("ask whether the server is up: %w", err)
	}
	return nil
}

// plaintext tells whether the configuration allows a connection over the
// network without TLS. A unix socket needs none.
func plaintext(config *pgx.ConnConfig) bool {
	if config.TLSConfig == nil && !strings.HasPrefix(config.Host, "/") {
		return true
	}
	for _, fallback := range config.Fallbacks {
		if fallback.TLSConfig == nil && !strings.HasPrefix(fallback.Host, "/") {
			return true
		}
	}
	return false
}

func superuser(connection *pgx.Conn) bool {
	return connection.PgConn().ParameterStatus("is_superuser") == "on"
}

// majorVersion reads "15.18 (Debian 15.18-0+deb12u1)"; 0 if it cannot.
func majorVersion(connection *pgx.Conn) int {
	text := connection.PgConn().ParameterStatus("server_version")
	if end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		text = text[:end]
	}
	major, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return major
}
