//go:build !windows

package awstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/postgrestest"
)

// sharedServer is the PostgreSQL server of this test binary. It ends, and its folder goes, with
// the process that started it, however that ends: a guard of its own waits for it, whose
// standard input is a pipe that nobody writes to.
type sharedServer struct {
	server *postgres.Server
	// input is kept because the pipe is closed when nothing refers to it any more.
	input io.WriteCloser
	// administering keeps statements about what all clusters share one after the other.
	administering sync.Mutex
}

// sharedPostgres starts the server when the first statement needs it.
var sharedPostgres = sync.OnceValues(func() (*sharedServer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	base, err := os.MkdirTemp("", "slipway-aws-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	s, err := startPostgres(ctx, base)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(base))
	}
	return s, nil
})

func startPostgres(ctx context.Context, base string) (*sharedServer, error) {
	options, err := postgrestest.Options(ctx, base)
	if err != nil {
		return nil, err
	}
	options.MaxConnections = 400
	server, err := postgres.New(options)
	if err != nil {
		return nil, err
	}
	if err := server.Ensure(ctx); err != nil {
		return nil, err
	}
	s := &sharedServer{server: server}
	if err := s.guard(base); err != nil {
		return nil, errors.Join(err, server.Remove(ctx))
	}
	return s, s.open(ctx)
}

// guard ends the server when this process has ended.
func (s *sharedServer) guard(base string) error {
	const script = `cat >/dev/null; kill -QUIT "$1"; until rm -rf "$2" 2>/dev/null; do :; done`
	cmd := exec.Command("/bin/sh", "-c", script, "guard", strconv.Itoa(s.server.Status().PID), base)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("guard PostgreSQL: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("guard PostgreSQL: %w", err)
	}
	s.input = in
	return nil
}

// open lets every login into every database that it has the right to, as Aurora does, and
// spares the server from writing to disk what no test reads after a crash.
func (s *sharedServer) open(ctx context.Context) error {
	c, err := s.administrator(ctx)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	var file string
	if err := c.QueryRow(ctx, "SHOW hba_file").Scan(&file); err != nil {
		return fmt.Errorf("find pg_hba.conf: %w", err)
	}
	rules, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read pg_hba.conf: %w", err)
	}
	f, err := os.OpenFile(file, os.O_TRUNC|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("open pg_hba.conf: %w", err)
	}
	// Without TLS come those who have come to the endpoint of a cluster with it.
	_, err = fmt.Fprintf(f, "hostnossl all all 127.0.0.1/32 scram-sha-256\n%shostssl all all 127.0.0.1/32 scram-sha-256\n", rules)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write pg_hba.conf: %w", err)
	}
	return run(ctx, c, "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC", "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
}

func (s *sharedServer) administrator(ctx context.Context) (*pgx.Conn, error) {
	address, err := s.server.AdminURL()
	if err != nil {
		return nil, err
	}
	return pgx.Connect(ctx, address)
}

func run(ctx context.Context, c *pgx.Conn, statements ...string) error {
	for _, sql := range statements {
		if _, err := c.Exec(ctx, sql, pgx.QueryExecModeExec); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// execute runs statements as a superuser.
func (s *sharedServer) execute(ctx context.Context, statements ...string) error {
	s.administering.Lock()
	defer s.administering.Unlock()
	c, err := s.administrator(ctx)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	return run(ctx, c, statements...)
}

// query returns the texts that a query of a superuser returns.
func (s *sharedServer) query(ctx context.Context, sql string, arguments ...any) ([]string, error) {
	c, err := s.administrator(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx)
	rows, err := c.Query(ctx, sql, arguments...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// dial connects to the server.
func (s *sharedServer) dial(ctx context.Context) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(s.server.Port()))
}

// address is where a login connects.
func (s *sharedServer) address(user, password, database string) string {
	query := url.Values{"sslmode": {"verify-full"}, "sslrootcert": {s.server.AuthorityFile()}}.Encode()
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password), Host: "localhost:" + strconv.Itoa(s.server.Port()),
		Path: "/" + database, RawQuery: strings.ReplaceAll(query, "+", "%20"), // pgx knows no other space
	}
	return u.String()
}

// wipe removes a cluster's master user with all databases and roles that it has made.
func (s *sharedServer) wipe(ctx context.Context, master string) error {
	s.administering.Lock()
	defer s.administering.Unlock()
	c, err := s.administrator(ctx)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	for _, kind := range []struct{ list, drop string }{
		{"SELECT datname::text FROM pg_database WHERE pg_has_role($1, datdba, 'MEMBER')", "DROP DATABASE %s WITH (FORCE)"},
		{"SELECT rolname::text FROM pg_roles WHERE pg_has_role($1, oid, 'MEMBER')", "DROP ROLE %s"},
	} {
		rows, err := c.Query(ctx, kind.list, master)
		if err != nil {
			return err
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := run(ctx, c, fmt.Sprintf(kind.drop, pgx.Identifier{name}.Sanitize())); err != nil {
				return err
			}
		}
	}
	return nil
}
