package accounts

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

// Catalogue returns everything whose name begins with prefix, ours or not,
// ordered by name. It is one query, however many accounts there are.
func (c *Cluster) Catalogue(ctx context.Context, prefix string) ([]accountdb.Entry, error) {
	connection, err := c.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	defer connection.Release()
	entries, err := c.read(ctx, connection.Conn(), "starts_with(%s::text, $1)", prefix)
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	return entries, nil
}

func (c *Cluster) read(ctx context.Context, connection *pgx.Conn, condition, argument string) ([]accountdb.Entry, error) {
	if err := c.before(ctx, "read"); err != nil {
		return nil, err
	}
	rows, err := connection.Query(ctx, accountdb.Catalogue(accountdb.CurrentUser, condition), argument)
	if err != nil {
		return nil, err
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (accountdb.Entry, error) {
		var text string
		if err := row.Scan(&text); err != nil {
			return accountdb.Entry{}, err
		}
		return accountdb.ParseEntry(text)
	})
	if err != nil {
		return nil, err
	}
	return entries, c.after(ctx, "read")
}
