//go:build !windows

package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// errOtherServer says that whoever answers on the port is not our server.
var errOtherServer = errors.New("another server answers on the port")

// AdminURL returns the address of the maintenance database with the
// administrator's name and password, for the package accounts. It holds a
// secret. The server need not run, but it must have been made.
func (s *Server) AdminURL() (string, error) {
	port := s.Port()
	if port == 0 {
		return "", fmt.Errorf("tell address of PostgreSQL server %q: it was never ensured", s.options.Name)
	}
	password, err := s.adminPassword()
	if err != nil {
		return "", err
	}
	address := url.URL{
		Scheme: "postgres",
		User:   url.UserPassword(Administrator, password),
		Host:   net.JoinHostPort(Host, strconv.Itoa(port)),
		Path:   maintenance,
		// In these addresses a + is no space.
		RawQuery: "sslmode=verify-full&channel_binding=require&sslrootcert=" +
			strings.ReplaceAll(url.QueryEscape(s.files.authority()), "+", "%20"),
	}
	return address.String(), nil
}

// Port returns the server's port on 127.0.0.1, 0 before the first Ensure.
func (s *Server) Port() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status.Port
}

// AuthorityFile is the certificate, in PEM, that clients check the server's
// with.
func (s *Server) AuthorityFile() string { return s.files.authority() }

// login logs in as administrator, makes sure that it is the server of said
// who answers, and closes the maintenance databases to everybody else.
func (s *Server) login(ctx context.Context, said *record) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	address, err := s.AdminURL()
	if err != nil {
		return err
	}
	connection, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	defer connection.Close(context.WithoutCancel(ctx))
	var data string
	var started time.Time
	const who = `SELECT current_setting('data_directory'), pg_postmaster_start_time()`
	if err := connection.QueryRow(ctx, who).Scan(&data, &started); err != nil {
		return fmt.Errorf("ask who answers: %w", err)
	}
	if !sameFolder(data, s.files.data()) || started.Sub(said.started).Abs() > 10*time.Second {
		return fmt.Errorf("%w: %d is answered by the server of %s, started at %s", errOtherServer, said.port, data, started.UTC().Format(time.RFC3339))
	}
	return closeMaintenance(ctx, connection)
}

// closeMaintenance takes the right to connect, which PostgreSQL grants to
// everybody, off the databases that are not an account's.
func closeMaintenance(ctx context.Context, connection *pgx.Conn) error {
	const open = `SELECT datname FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) AS acl
		WHERE datname IN ('postgres', 'template1') AND acl.grantee = 0 GROUP BY datname`
	rows, err := connection.Query(ctx, open)
	if err != nil {
		return fmt.Errorf("read rights on maintenance databases: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("read rights on maintenance databases: %w", err)
	}
	for _, name := range names {
		revoke := "REVOKE ALL ON DATABASE " + pgx.Identifier{name}.Sanitize() + " FROM PUBLIC"
		if _, err := connection.Exec(ctx, revoke); err != nil {
			return fmt.Errorf("close database %s: %w", name, err)
		}
	}
	return nil
}

// sameFolder tells whether two paths lead to one folder. The server's user
// owns the data, so as root or as that user we may look.
func sameFolder(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}
