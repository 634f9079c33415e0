package accounts

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

// EnsureAccount makes the account, or makes it what it should be. Repeating it
// is harmless. The error is [accountdb.ErrForeign] where something of that name is not
// ours; then nothing was changed.
func (c *Cluster) EnsureAccount(ctx context.Context, account accountdb.Account) error {
	return c.change(ctx, "ensure", account, accountdb.Ensure(account))
}

// EnsureLogin makes a login beside the own role of an account, which must be there, or makes it
// what it should be; see [accountdb.EnsureLogin].
func (c *Cluster) EnsureLogin(ctx context.Context, login accountdb.Account, account string) error {
	return c.change(ctx, "ensure login of", login, accountdb.EnsureLogin(login, account))
}

// SetPassword sets the password of the account of that name and mark, which
// must exist. Sessions that are open stay so.
func (c *Cluster) SetPassword(ctx context.Context, name, mark, password string) error {
	if password == "" {
		return fmt.Errorf("set password of account %q: %w", name, accountdb.ErrNoPassword)
	}
	account := accountdb.Account{Name: name, Mark: mark, Password: password}
	return c.change(ctx, "set password of", account, accountdb.SetPassword(account))
}

// SetConnectionLimit sets how many connections the account of that name and
// mark, which must exist, may have at a time; 0 for no limit of its own.
func (c *Cluster) SetConnectionLimit(ctx context.Context, name, mark string, limit int) error {
	account := accountdb.Account{Name: name, Mark: mark, ConnectionLimit: limit}
	return c.change(ctx, "limit connections of", account, accountdb.SetLimit(account))
}

// DropAccount removes the account of that name and mark with all of its data,
// cutting off its sessions. One that does not exist is removed already.
func (c *Cluster) DropAccount(ctx context.Context, name, mark string) error {
	account := accountdb.Account{Name: name, Mark: mark}
	return c.change(ctx, "drop", account, accountdb.Drop(account))
}

// change works on one account under its lock until next has nothing to do.
func (c *Cluster) change(ctx context.Context, verb string, account accountdb.Account, next accountdb.Next) error {
	if err := account.Check(); err != nil {
		return fmt.Errorf("%s account: %w", verb, err)
	}
	if err := c.locked(ctx, account.Name, func(connection *pgx.Conn) error {
		asks := accountdb.Asker{Superuser: superuser(connection), Major: majorVersion(connection)}
		return accountdb.Converge(ctx, session{c, connection}, asks, account.Name, next)
	}); err != nil {
		return fmt.Errorf("%s account %q: %w", verb, account.Name, err)
	}
	return nil
}

// locked runs work while this session holds the account's lock. If anything
// goes wrong the connection is closed, which gives up the lock as well.
func (c *Cluster) locked(ctx context.Context, name string, work func(*pgx.Conn) error) (err error) {
	pooled, err := c.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer pooled.Release()
	connection := pooled.Conn()
	defer func() {
		if err != nil {
			closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			_ = connection.Close(closing) // the error at hand is the one to tell
		}
	}()
	key := lockKey(name)
	if err := c.send(ctx, connection, "lock", "SELECT pg_advisory_lock($1)", key); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if err := work(connection); err != nil {
		return err
	}
	if err := c.send(ctx, connection, "unlock", "SELECT pg_advisory_unlock($1)", key); err != nil {
		return fmt.Errorf("unlock: %w", err)
	}
	return nil
}

// lockKey is the account's advisory lock in the maintenance database.
func lockKey(name string) int64 {
	sum := sha256.Sum256([]byte("slipway account " + name))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// session is one connection, which holds the account's lock.
type session struct {
	cluster    *Cluster
	connection *pgx.Conn
}

// Observe implements accountdb.Server.
func (s session) Observe(ctx context.Context, name string) (accountdb.Entry, error) {
	entries, err := s.cluster.read(ctx, s.connection, "%s = $1", name)
	if err != nil || len(entries) == 0 {
		return accountdb.Entry{Name: name}, err
	}
	return entries[0], nil
}

// Do implements accountdb.Server: one message is one transaction.
func (s session) Do(ctx context.Context, step accountdb.Step) error {
	return s.cluster.send(ctx, s.connection, step.What, strings.Join(step.SQL, "; "))
}

// Again implements accountdb.Server.
func (s session) Again(ctx context.Context, err error, attempt int) bool {
	return inTheWay(err) && pause(ctx, attempt) == nil
}

// send sends one message and waits for its end.
func (c *Cluster) send(ctx context.Context, connection *pgx.Conn, what, sql string, arguments ...any) error {
	if err := c.before(ctx, what); err != nil {
		return err
	}
	arguments = append([]any{pgx.QueryExecModeSimpleProtocol}, arguments...)
	if _, err := connection.Exec(ctx, sql, arguments...); err != nil {
		return err
	}
	return c.after(ctx, what)
}

func (c *Cluster) before(ctx context.Context, what string) error {
	if c.options.Before == nil {
		return nil
	}
	return c.options.Before(ctx, what)
}

func (c *Cluster) after(ctx context.Context, what string) error {
	if c.options.After == nil {
		return nil
	}
	return c.options.After(ctx, what)
}

// inTheWay tells whether err may be because of what somebody else did at the same time.
func inTheWay(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && accountdb.InTheWay(refused.Code)
}

// pause waits a little, longer each time, never in step with others.
func pause(ctx context.Context, retries int) error {
	longest := min(time.Second, 20*time.Millisecond<<retries)
	timer := time.NewTimer(longest/2 + rand.N(longest/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
