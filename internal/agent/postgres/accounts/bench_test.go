//go:build !windows

package accounts_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/postgrestest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

// BenchmarkAccounts measures making, reading and removing 200 accounts over 8
// connections, on a server that writes to disk, beside the floor: the same
// statements sent by hand. One operation is all 200. Run it with
//
//	go test -run '^$' -bench Accounts -benchtime 3x ./internal/agent/postgres/accounts
func BenchmarkAccounts(b *testing.B) {
	const count, connections = 200, 8
	options := postgrestest.TestOptions(b)
	options.Logger = nil
	server := postgrestest.Start(b, options)
	many := make([]accountdb.Account, count)
	for i := range many {
		many[i] = accountdb.Account{Name: fmt.Sprintf("acct_%03d", i), Mark: "bench", Password: accountdb.NewPassword()}
	}
	each := func(b *testing.B, work func(accountdb.Account) error) {
		b.Helper()
		queue := make(chan accountdb.Account)
		var group sync.WaitGroup
		for range connections {
			group.Go(func() {
				for account := range queue {
					if err := work(account); err != nil {
						b.Error(err)
					}
				}
			})
		}
		for _, account := range many {
			queue <- account
		}
		close(queue)
		group.Wait()
	}
	ctx := b.Context()
	cleaner := openServer(b, server, accounts.Options{MaxConnections: connections})
	drop := func(b *testing.B) {
		each(b, func(account accountdb.Account) error { return cleaner.DropAccount(ctx, account.Name, account.Mark) })
	}
	// measure runs work once per operation, with prepare outside of the time.
	measure := func(name string, prepare, work func(*testing.B, *accounts.Cluster)) {
		b.Run(name, func(b *testing.B) {
			var sent accounts.Traffic
			for range b.N {
				b.StopTimer()
				prepare(b, cleaner)
				cluster := openServer(b, server, accounts.Options{MaxConnections: connections})
				b.StartTimer()
				work(b, cluster)
				b.StopTimer()
				traffic := cluster.Traffic()
				sent.Connections += traffic.Connections
				sent.Statements += traffic.Statements
				b.StartTimer()
			}
			b.ReportMetric(float64(sent.Connections)/float64(b.N), "connections/op")
			b.ReportMetric(float64(sent.Statements)/float64(b.N), "statements/op")
		})
	}
	fill := func(b *testing.B, cluster *accounts.Cluster) {
		each(b, func(account accountdb.Account) error { return cluster.EnsureAccount(ctx, account) })
	}
	empty := func(b *testing.B, _ *accounts.Cluster) { drop(b) }

	b.Run("floor", func(b *testing.B) {
		for range b.N {
			b.StopTimer()
			drop(b)
			pool := floorPool(b, server, connections)
			b.StartTimer()
			each(b, func(account accountdb.Account) error { return floor(ctx, pool, account) })
			b.StopTimer()
			pool.Close()
			b.StartTimer()
		}
		b.ReportMetric(connections, "connections/op")
		b.ReportMetric(count*6, "statements/op")
	})
	measure("ensure", empty, fill)
	measure("ensure again", fill, fill)
	measure("catalogue", fill, func(b *testing.B, cluster *accounts.Cluster) {
		if entries, err := cluster.Catalogue(ctx, "acct_"); err != nil || len(entries) != count {
			b.Errorf("got %d entries, %v", len(entries), err)
		}
	})
	measure("drop", fill, func(b *testing.B, cluster *accounts.Cluster) {
		each(b, func(account accountdb.Account) error { return cluster.DropAccount(ctx, account.Name, account.Mark) })
	})
}

func floorPool(b *testing.B, server *postgres.Server, connections int) *pgxpool.Pool {
	b.Helper()
	address, err := server.AdminURL()
	if err != nil {
		b.Fatal(err)
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns = int32(connections)
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	return pool
}

// floor makes an account with the fewest statements that do it safely: lock,
// read, role, database, rights, unlock.
func floor(ctx context.Context, pool *pgxpool.Pool, account accountdb.Account) error {
	connection, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer connection.Release()
	for _, statement := range []string{
		"SELECT pg_advisory_lock(hashtext('%[1]s'))",
		"SELECT r.oid, d.oid FROM pg_roles r FULL JOIN pg_database d ON datname = rolname WHERE coalesce(datname, rolname) = '%[1]s'",
		"CREATE ROLE %[1]s LOGIN CONNECTION LIMIT 5 PASSWORD '" + floorVerifier + "'; COMMENT ON ROLE %[1]s IS '%[2]s'",
		"CREATE DATABASE %[1]s OWNER %[1]s TEMPLATE template0 ALLOW_CONNECTIONS false",
		"REVOKE ALL ON DATABASE %[1]s FROM PUBLIC; GRANT CONNECT, TEMPORARY, CREATE ON DATABASE %[1]s TO %[1]s; " +
			"COMMENT ON DATABASE %[1]s IS '%[2]s'; ALTER DATABASE %[1]s ALLOW_CONNECTIONS true",
		"SELECT pg_advisory_unlock(hashtext('%[1]s'))",
	} {
		if _, err := connection.Exec(ctx, fmt.Sprintf(statement+" /* %[1]s %[2]s */", account.Name, account.Mark)); err != nil {
			return err
		}
	}
	return nil
}

// floorVerifier is that of RFC 7677's example.
const floorVerifier = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
