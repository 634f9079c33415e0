//go:build linux

package acceptance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

// placement looks for a place in an environment that the same configuration makes.
const placement = `data "slipway_placement" "acme" {
  account        = "acme"
  data_residency = ["EU"]
  near           = { location = "Paris" }
  depends_on     = [slipway_environment.test]
}
`

var placed = attrs{
	"environment_id": "data.slipway_placement.acme.environment_id", "data_residency": "data.slipway_placement.acme.data_residency",
}

// TestAccLocalRotation places an account, and changes its password again and again while somebody
// opens connections, as the guide for applications says to.
func TestAccLocalRotation(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := func(a attrs) string { return m.base(nil) + placement + database("acme", placed.with(a)) }
	m.apply(config(nil))
	m.emptyPlan("after an account was placed")
	if id := m.state("slipway_account_database.acme")["id"]; id != "eu/production/acme" {
		t.Errorf("the account was placed at %v", id)
	}
	dir := m.state("slipway_environment.test")["accounts_directory"].(string)
	secret := m.state("slipway_account_database.acme")["secret_id"]
	passwords := map[string]bool{}
	another := func(after string) {
		t.Helper()
		e := m.account("acme")
		password, err := e.password()
		m.ok(err)
		if passwords[password] {
			t.Errorf("after %s the password is an old one", after)
		}
		passwords[password] = true
		if e.PasswordFile != secret {
			t.Errorf("after %s the password is in %s, want %s", after, e.PasswordFile, secret)
		}
		_, err = connect(t.Context(), dir)
		m.ok(err)
	}
	another("the first apply")
	c := startConnecting(t, dir)
	for n := range 5 {
		m.ok(m.invoke("slipway_rotate_credentials", map[string]string{"account_database_id": "eu/production/acme"}))
		another(fmt.Sprintf("rotation %d", n+1))
	}
	m.emptyPlan("after rotations")
	m.apply(config(attrs{"connection_limit": "41"}))
	if password, err := m.account("acme").password(); err != nil || !passwords[password] {
		t.Errorf("another connection limit made another password, or took one back: %v", err)
	}
	m.apply(config(attrs{"credential_version": "2"}))
	another("another version")
	c.stop()
	t.Logf("%d connections by %d logins, %d refused", c.opened, len(c.roles), len(c.refused))
	if len(c.roles) != 2 {
		t.Errorf("connections were opened as %v, want by two logins in turn", c.roles)
	}
	if len(c.refused) > 0 {
		t.Errorf("%d of %d connections were refused, such as: %v", len(c.refused), c.opened+len(c.refused), c.refused[0])
	}

	m.interruptRotation()
	another("the agent came back")
	m.emptyPlan("after an interrupted rotation")
	m.destroy()
}

// interruptRotation leaves what a crash leaves between the server's password and the file's, and
// lets another agent come up.
func (m *machine) interruptRotation() {
	m.Helper()
	e := m.account("acme")
	next := accountdb.NewPassword()
	m.ok(os.WriteFile(e.PasswordFile+".next", []byte(next), 0o600))
	admin, err := pgx.Connect(m.Context(), m.administrator())
	m.ok(err)
	_, err = admin.Exec(m.Context(), fmt.Sprintf("ALTER ROLE %s PASSWORD '%s'", e.Role, next))
	m.ok(err)
	m.ok(admin.Close(m.Context()))
	m.killAgent()
	m.agentUp()
	m.eventually(30*time.Second, "the password is the one that the server has", func() (string, bool) {
		password, err := e.password()
		return fmt.Sprint(err), password == next
	})
}

// connecting opens one connection after the other.
type connecting struct {
	end     context.CancelFunc
	ended   sync.WaitGroup
	opened  int
	roles   map[string]int
	refused []error
}

func startConnecting(t *testing.T, dir string) *connecting {
	ctx, cancel := context.WithCancel(t.Context())
	c := &connecting{end: cancel, roles: map[string]int{}}
	c.ended.Go(func() {
		for ctx.Err() == nil {
			role, err := connect(context.WithoutCancel(ctx), dir)
			if err != nil {
				c.refused = append(c.refused, err)
				continue
			}
			c.opened++
			c.roles[role]++
		}
	})
	t.Cleanup(c.stop)
	return c
}

func (c *connecting) stop() {
	c.end()
	c.ended.Wait()
}

// connect reads how, connects, and sees to it that what it makes is the account's.
func connect(ctx context.Context, dir string) (role string, err error) {
	e, err := readAccount(dir, "acme")
	if err != nil {
		return "", err
	}
	password, err := e.password()
	if err != nil {
		return "", err
	}
	conn, err := pgx.Connect(ctx, e.url(password, e.Database, "verify-full"))
	if err != nil {
		return "", err
	}
	acts := ""
	err = conn.QueryRow(ctx, "SELECT current_user").Scan(&acts)
	if err == nil && acts != e.Database { // the name of the account's own role as well
		err = fmt.Errorf("%s acts as %s", e.Role, acts)
	}
	return e.Role, errors.Join(err, conn.Close(ctx))
}
