//go:build linux

package acceptance

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres/accounts"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

const (
	benchDatabases   = 200
	benchConnections = 8
)

// phase is what one part of the benchmark took and sent to the server.
type phase struct {
	took        time.Duration
	connections int64
	statements  int64
}

// BenchmarkAccountDatabases applies, plans and destroys 200 account databases with
// Terraform, beside the floor: the same work on the same server without Terraform. One
// operation is all of it.
func BenchmarkAccountDatabases(b *testing.B) {
	for range b.N {
		b.StopTimer()
		m := newMachine(b)
		m.apply(m.base(nil))
		floor := m.floor()
		all := m.base(nil)
		for n := range benchDatabases {
			all += database(fmt.Sprintf("a%03d", n), nil)
		}
		b.StartTimer()
		phases := map[string]phase{
			"apply": m.phase(func() time.Duration { return m.apply(all).took }),
			"plan": m.phase(func() time.Duration {
				o := m.plan()
				if o.code != 0 {
					b.Fatalf("plan ended with %d:\n%s", o.code, o.out)
				}
				return o.took
			}),
			"destroy": m.phase(func() time.Duration { return m.apply(m.base(nil)).took }),
		}
		b.StopTimer()
		for _, name := range []string{"apply", "plan", "destroy"} {
			p, f := phases[name], floor[name]
			ratio := p.took.Seconds() / f.took.Seconds()
			b.Logf("%-8s %6.2f s, floor %6.2f s, ratio %5.2f; %d connections, %d statements, floor %d and %d",
				name, p.took.Seconds(), f.took.Seconds(), ratio, p.connections, p.statements, f.connections, f.statements)
			b.ReportMetric(p.took.Seconds(), name+"-s")
			b.ReportMetric(f.took.Seconds(), name+"-floor-s")
			b.ReportMetric(float64(p.connections), name+"-connections")
			b.ReportMetric(float64(p.statements), name+"-statements")
		}
		m.destroy()
	}
}

// phase measures work, and what the agent sends to the server for it.
func (m *machine) phase(work func() time.Duration) phase {
	m.Helper()
	before := m.status().Databases
	took := work()
	after := m.status().Databases
	if len(before) != 1 || len(after) != 1 {
		m.Fatalf("status counts servers %v and %v, want one", before, after)
	}
	return phase{took, after[0].Connections - before[0].Connections, after[0].Statements - before[0].Statements}
}

// floor does on the environment's server what Terraform will be asked to do there.
func (m *machine) floor() map[string]phase {
	m.Helper()
	many := make([]accountdb.Account, benchDatabases)
	for i := range many {
		many[i] = accountdb.Account{Name: fmt.Sprintf("floor_%03d", i), Mark: "bench", Password: accountdb.NewPassword(), ConnectionLimit: 40}
	}
	ctx := m.Context()
	measure := func(work func(*accounts.Cluster)) phase {
		cluster, err := accounts.Open(m.administrator(), accounts.Options{MaxConnections: benchConnections})
		m.ok(err)
		defer cluster.Close()
		began := time.Now()
		work(cluster)
		sent := cluster.Traffic()
		return phase{time.Since(began), sent.Connections, sent.Statements}
	}
	each := func(work func(accountdb.Account) error) {
		queue := make(chan accountdb.Account)
		var group sync.WaitGroup
		for range benchConnections {
			group.Go(func() {
				for account := range queue {
					if err := work(account); err != nil {
						m.Error(err)
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
	return map[string]phase{
		"apply": measure(func(c *accounts.Cluster) {
			each(func(a accountdb.Account) error { return c.EnsureAccount(ctx, a) })
		}),
		"plan": measure(func(c *accounts.Cluster) {
			if entries, err := c.Catalogue(ctx, "floor_"); err != nil || len(entries) != benchDatabases {
				m.Errorf("the catalogue has %d entries, %v", len(entries), err)
			}
		}),
		"destroy": measure(func(c *accounts.Cluster) {
			each(func(a accountdb.Account) error { return c.DropAccount(ctx, a.Name, a.Mark) })
		}),
	}
}

// administrator is the address of the environment's server for its administrator, whose
// password only root and the server's user can read.
func (m *machine) administrator() string {
	m.Helper()
	dir := filepath.Join(m.data, "environments", "eu.production", "postgres")
	password, err := os.ReadFile(filepath.Join(dir, "admin.password"))
	m.ok(err)
	port, ok := m.state("slipway_environment.test")["database_port"].(float64)
	if !ok {
		m.Fatal("the environment has no database_port")
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(postgres.Administrator, strings.TrimSpace(string(password))),
		Host: "localhost:" + strconv.Itoa(int(port)), Path: "/postgres",
		RawQuery: url.Values{"sslmode": {"verify-full"}, "sslrootcert": {filepath.Join(dir, "authority.crt")}}.Encode(),
	}
	return u.String()
}
