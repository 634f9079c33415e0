package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// migrations lead from an empty database to the newest schema. While a release rolls out,
// the old one still runs on the new schema, and it may come back afterwards: so a step only
// adds, with a default, and what nobody uses any more is removed one release later.
var migrations = []string{
	1: `CREATE TABLE orders (
	      id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	      key       text NOT NULL UNIQUE,
	      item      text NOT NULL,
	      quantity  integer NOT NULL CHECK (quantity > 0),
	      placed_at timestamptz NOT NULL DEFAULT now())`,
	2: `ALTER TABLE orders ADD COLUMN placed_by text NOT NULL DEFAULT ''`,
}

// schemaOf is the schema that a release uses: release 1 was written before schema 2.
func schemaOf(release string) int {
	newest := len(migrations) - 1
	if n, err := strconv.Atoi(release); err == nil && n >= 1 {
		return min(n, newest)
	}
	return newest
}

// migrateCommand migrates every account. It can be run again after any failure.
func migrateCommand(ctx context.Context, getenv func(string) string, out io.Writer) error {
	dir := directory(getenv("SLIPWAY_ACCOUNTS_DIR"))
	names, err := dir.names()
	if err != nil {
		return err
	}
	schema := schemaOf(release)
	dbs := newDatabases(dir, schema)
	defer dbs.close()
	for _, name := range names {
		if _, err := dbs.get(ctx, name); err != nil {
			return fmt.Errorf("migrate account %q: %w", name, err)
		}
		fmt.Fprintf(out, "account %s has schema %d\n", name, schema)
	}
	return nil
}

// migrate runs the steps that a database lacks, in one transaction, one program at a time.
func migrate(ctx context.Context, pool *pgxpool.Pool, schema int) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// Steps wait for running statements to end, but not so long that a queue forms.
		_, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '5s'`)
		if err != nil {
			return fmt.Errorf("limit lock waits: %w", err)
		}
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(1)`); err != nil {
			return fmt.Errorf("lock schema: %w", err)
		}
		if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_steps (step integer PRIMARY KEY)`); err != nil {
			return fmt.Errorf("create table of steps: %w", err)
		}
		var done int
		if err := tx.QueryRow(ctx, `SELECT coalesce(max(step), 0) FROM schema_steps`).Scan(&done); err != nil {
			return fmt.Errorf("read schema: %w", err)
		}
		for step := done + 1; step <= schema; step++ {
			if _, err := tx.Exec(ctx, migrations[step]); err != nil {
				return fmt.Errorf("run step %d: %w", step, err)
			}
			if _, err := tx.Exec(ctx, `INSERT INTO schema_steps (step) VALUES ($1)`, step); err != nil {
				return fmt.Errorf("record step %d: %w", step, err)
			}
		}
		return nil
	})
}
