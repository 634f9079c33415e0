package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

// Leaks is where an account's login gets that it must not.
type Leaks struct {
	// Databases are those, not its own, that it can connect to.
	Databases []string
	// Plaintext tells whether it can connect without TLS.
	Plaintext bool
}

// Statements are the SQL that a superuser closes the databases with.
func (l Leaks) Statements() []string {
	var sql []string
	for _, name := range l.Databases {
		sql = append(sql, accountdb.CloseDatabase(name))
	}
	return sql
}

// CloseMaintenance takes the right to connect, which PostgreSQL grants to everybody, off the
// maintenance databases, as far as the administrator may. [Cluster.Probe] sees what came of it.
func (c *Cluster) CloseMaintenance(ctx context.Context) error {
	connection, err := c.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer connection.Release()
	open, err := queryNames(ctx, connection.Conn(), accountdb.OpenMaintenance)
	if err != nil {
		return err
	}
	for _, statement := range (Leaks{Databases: open}).Statements() {
		err := c.send(ctx, connection.Conn(), "close maintenance database", statement)
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.Code == insufficientPrivilege {
			continue
		}
		if err != nil {
			return fmt.Errorf("close maintenance database: %w", err)
		}
	}
	return nil
}

// Probe makes an account of that name and mark, tries with its credentials what no account must
// be able to do, and removes it. That the account can't use its own database is an error. What a
// crash leaves of it is removed by the next probe of that name.
func (c *Cluster) Probe(ctx context.Context, name, mark string) (leaks Leaks, err error) {
	account := accountdb.Account{Name: name, Mark: mark, Password: accountdb.NewPassword()}
	if err := c.EnsureAccount(ctx, account); err != nil {
		return Leaks{}, err
	}
	defer func() {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, c.DropAccount(undo, name, mark))
	}()
	if err := c.tryLogin(ctx, account, name, true); err != nil {
		return Leaks{}, fmt.Errorf("log in as an account to its own database: %w", err)
	}
	connection, err := c.pool.Acquire(ctx)
	if err != nil {
		return Leaks{}, fmt.Errorf("connect: %w", err)
	}
	// Where the account has no right it does not get in; where it has, pg_hba may still keep it out.
	others, err := queryNames(ctx, connection.Conn(), `SELECT datname::text FROM pg_database
		WHERE datallowconn AND datname <> $1 AND has_database_privilege($1::name, oid, 'CONNECT') ORDER BY 1`, name)
	connection.Release()
	if err != nil {
		return Leaks{}, err
	}
	for _, other := range others {
		in, err := reached(c.tryLogin(ctx, account, other, true))
		if err != nil {
			return Leaks{}, fmt.Errorf("log in as an account to database %s: %w", other, err)
		}
		if in {
			leaks.Databases = append(leaks.Databases, other)
		}
	}
	leaks.Plaintext, err = reached(c.tryLogin(ctx, account, name, false))
	if err != nil {
		return Leaks{}, fmt.Errorf("log in as an account without TLS: %w", err)
	}
	return leaks, nil
}

// tryLogin connects as an account, the way that the administrator does.
func (c *Cluster) tryLogin(ctx context.Context, account accountdb.Account, database string, tls bool) error {
	config := c.pool.Config().ConnConfig.Copy()
	config.Tracer = nil
	config.User, config.Password, config.Database = account.Name, account.Password, database
	if !tls {
		config.TLSConfig, config.Fallbacks, config.ChannelBinding = nil, nil, "disable"
	}
	connection, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	return connection.Close(ctx)
}

// SQLSTATEs of logins that are turned away.
const (
	invalidAuthorization  = "28000" // pg_hba has no line for it, or one that rejects it
	invalidPassword       = "28P01" // pg_hba asks for another proof than the password
	insufficientPrivilege = "42501" // no right to connect
	noDatabase            = "3D000" // dropped meanwhile
	notAccepting          = "55000" // closed meanwhile
)

// reached tells a login that succeeded from one that the server turned away. Anything else is an
// error: nothing is known then.
func reached(err error) (bool, error) {
	if err == nil {
		return true, nil
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) && slices.Contains([]string{
		invalidAuthorization, invalidPassword, insufficientPrivilege, noDatabase, notAccepting,
	}, refused.Code) {
		return false, nil
	}
	return false, err
}

func queryNames(ctx context.Context, connection *pgx.Conn, sql string, arguments ...any) ([]string, error) {
	rows, err := connection.Query(ctx, sql, arguments...)
	if err != nil {
		return nil, fmt.Errorf("read databases: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read databases: %w", err)
	}
	return names, nil
}
