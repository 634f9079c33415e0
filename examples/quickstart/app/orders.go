package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// order is one order of an account. Key is chosen by the client: sending it twice places
// one order.
type order struct {
	ID       int64     `json:"id"`
	Key      string    `json:"key"`
	Item     string    `json:"item"`
	Quantity int       `json:"quantity"`
	PlacedAt time.Time `json:"placed_at"`
	PlacedBy string    `json:"placed_by,omitempty"` // the release that took it, since schema 2
}

// book holds the orders of one account.
type book struct {
	pool    *pgxpool.Pool
	schema  int
	release string
}

// books finds the book of an account.
func (d *databases) book(ctx context.Context, account string) (orderBook, error) {
	pool, err := d.get(ctx, account)
	if err != nil {
		return nil, err
	}
	return &book{pool: pool, schema: d.schema, release: release}, nil
}

// place stores an order and returns its id once it is committed; isNew is false where the
// key was there before.
func (b *book) place(ctx context.Context, o order) (id int64, isNew bool, err error) {
	insert, args := `INSERT INTO orders (key, item, quantity) VALUES ($1, $2, $3)`, []any{o.Key, o.Item, o.Quantity}
	if b.schema >= 2 {
		insert, args = `INSERT INTO orders (key, item, quantity, placed_by) VALUES ($1, $2, $3, $4)`, append(args, b.release)
	}
	err = b.pool.QueryRow(ctx, insert+` ON CONFLICT (key) DO NOTHING RETURNING id`, args...).Scan(&id)
	if err == nil {
		return id, true, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return 0, false, fmt.Errorf("place order: %w", err)
	}
	if err := b.pool.QueryRow(ctx, `SELECT id FROM orders WHERE key = $1`, o.Key).Scan(&id); err != nil {
		return 0, false, fmt.Errorf("find order: %w", err)
	}
	return id, false, nil
}

// list returns the newest orders, with a key just that order.
func (b *book) list(ctx context.Context, key string, limit int) ([]order, error) {
	placedBy := `''`
	if b.schema >= 2 {
		placedBy = `placed_by`
	}
	rows, err := b.pool.Query(ctx, `SELECT id, key, item, quantity, placed_at, `+placedBy+`
		FROM orders WHERE $1 = '' OR key = $1 ORDER BY id DESC LIMIT $2`, key, limit)
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	orders, err := pgx.CollectRows(rows, pgx.RowToStructByPos[order])
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return orders, nil
}

// count says how many orders there are.
func (b *book) count(ctx context.Context) (n int64, err error) {
	if err := b.pool.QueryRow(ctx, `SELECT count(*) FROM orders`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count orders: %w", err)
	}
	return n, nil
}

// remove deletes an order. One that is not there is success.
func (b *book) remove(ctx context.Context, id int64) error {
	if _, err := b.pool.Exec(ctx, `DELETE FROM orders WHERE id = $1`, id); err != nil {
		return fmt.Errorf("remove order %d: %w", id, err)
	}
	return nil
}
