package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connectionsPerAccount bounds one instance's connections to one account's database. While
// a release rolls out two stacks run: the account's connection limit must hold
// (instances of the old stack + of the new one) × this.
const connectionsPerAccount = 3

// databases opens the database of an account when it is first asked for.
type databases struct {
	dir    directory
	schema int

	mu      sync.Mutex
	open    map[string]*database
	closing sync.WaitGroup
}

// database is the pool of one account. The first user brings its schema up to date: an
// account that came after the last release was migrated by nobody else.
type database struct {
	account account
	pool    *pgxpool.Pool
	turn    chan struct{} // holds one token: a mutex that a deadline can end
	ready   bool
}

func newDatabases(dir directory, schema int) *databases {
	return &databases{dir: dir, schema: schema, open: map[string]*database{}}
}

// get returns the pool of an account, or errUnknownAccount.
func (d *databases) get(ctx context.Context, name string) (*pgxpool.Pool, error) {
	db, err := d.find(name)
	if err != nil {
		return nil, err
	}
	select {
	case db.turn <- struct{}{}:
		defer func() { <-db.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("open database of account %q: %w", name, ctx.Err())
	}
	if db.ready {
		return db.pool, nil
	}
	if err := migrate(ctx, db.pool, d.schema); err != nil {
		return nil, fmt.Errorf("open database of account %q: %w", name, err)
	}
	db.ready = true
	return db.pool, nil
}

func (d *databases) find(name string) (*database, error) {
	a, err := d.dir.account(name)
	if err != nil && !errors.Is(err, errUnknownAccount) {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	db := d.open[name]
	if db != nil && db.account == a {
		return db, nil
	}
	if db != nil { // The account is gone, or its database is elsewhere now.
		delete(d.open, name)
		d.closing.Go(db.pool.Close)
	}
	if err != nil {
		return nil, err
	}
	pool, err := d.connect(a)
	if err != nil {
		return nil, err
	}
	d.open[name] = &database{account: a, pool: pool, turn: make(chan struct{}, 1)}
	return d.open[name], nil
}

func (d *databases) connect(a account) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(a.url())
	if err != nil {
		return nil, fmt.Errorf("open database of account %q: %w", a.Name, err)
	}
	config.MaxConns = connectionsPerAccount
	config.MaxConnIdleTime = time.Minute
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) (err error) {
		c.Password, err = a.password() // never remembered: it changes when it is rotated
		return err
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("open database of account %q: %w", a.Name, err)
	}
	return pool, nil
}

// close ends all connections.
func (d *databases) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, db := range d.open {
		db.pool.Close()
	}
	d.closing.Wait()
}
