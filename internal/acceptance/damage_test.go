//go:build linux

package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAccLocalBadRecords damages records while no agent runs: each takes down what it
// describes and nothing else, with a message that names it, and is never taken for empty.
func TestAccLocalBadRecords(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	crm := strings.NewReplacer(`"slipway_deployment_slot" "test"`, `"slipway_deployment_slot" "crm"`, `"oms"`, `"crm"`).Replace(
		slot("7", attrs{"components": "{ crm = " + component("ok", attrs{"routes": `[{ path_prefix = "/crm" }]`}) + " }"}))
	config := m.base(nil) + database("acme", nil) + database("globex", nil) + slot("1", nil) + crm
	m.apply(config)
	m.serves("1")
	environment := filepath.Join(m.data, "environments", "eu.production")
	for _, c := range []struct {
		name, path string
		damage     func([]byte) []byte
	}{
		{"a torn record of a slot", "slots/crm/slot.json", func(b []byte) []byte { return b[:len(b)/2] }},
		{"an empty record of a slot", "slots/crm/slot.json", func([]byte) []byte { return nil }},
		{"a changed record of a slot", "slots/crm/slot.json", func(b []byte) []byte { return bytes.Replace(b, []byte("green"), []byte("blue"), 1) }},
		{"a torn record of an account database", "databases/globex.json", func(b []byte) []byte { return b[:len(b)/2] }},
	} {
		path := filepath.Join(environment, c.path)
		good, err := os.ReadFile(path)
		m.ok(err)
		bad := c.damage(bytes.Clone(good))
		if bytes.Equal(bad, good) {
			bad = bytes.Replace(good, []byte(`"7"`), []byte(`"8"`), 1)
		}
		m.killAgent()
		m.ok(os.WriteFile(path, bad, 0o600))

		o := m.plan()
		flat := unwrapped(o.out)
		if o.code != 1 || !strings.Contains(strings.ReplaceAll(flat, " ", ""), path) || !strings.Contains(flat, "restore it from a backup") {
			t.Errorf("%s: plan ended with %d, want an error that names %s:\n%s", c.name, o.code, path, o.out)
		}
		if strings.Count(o.out, "Error:") != 1 {
			t.Errorf("%s takes others down:\n%s", c.name, o.out)
		}
		t.Logf("%s: %s", c.name, diagnostic(flat))
		m.serves("1")
		if a := m.tryApply(config); a.code == 0 {
			t.Errorf("%s: apply succeeded:\n%s", c.name, a.out)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, bad) {
			t.Errorf("%s was changed: %v", c.name, err)
		}

		if s := m.agent("status"); !strings.Contains(s, path) {
			t.Errorf("%s: agent status does not name it:\n%s", c.name, s)
		}
		m.ok(os.WriteFile(path, good, 0o600))
		m.emptyPlan("after " + c.name + " was restored")
		if n := len(m.instances("7")); n != 1 {
			t.Errorf("%s: %d instances of the slot run, want the one of before", c.name, n)
		}
	}
	m.destroy()
}

// TestAccLocalDatabaseServer kills the database server, and gives it data of another version.
func TestAccLocalDatabaseServer(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := m.base(nil) + database("acme", nil) + shop("1", nil)
	m.apply(config)
	m.emptyPlan("after the first apply")
	l := m.startLoad("acme", 2, 20*time.Millisecond)
	m.eventually(20*time.Second, "orders are placed", func() (string, bool) { return "", l.answered() > 50 })

	before := m.postmaster()
	before.kill()
	m.eventually(30*time.Second, "the database server is back and orders are placed", func() (string, bool) {
		a, err := ask(t.Context(), l.m.client(), "POST", m.url("acme", "/orders")+"?id=back-"+time.Now().Format("150405.000000000"))
		return a.body, err == nil && a.status == 200
	})
	if now := m.postmaster(); now.pid == before.pid {
		t.Errorf("the database server was not started again: %v", now)
	}
	l.stop()
	l.kept()
	m.emptyPlan("after the database server was killed")

	// The server dies while no agent is there to see it.
	m.killAgent()
	m.postmaster().kill()
	m.emptyPlan("after the agent and the database server were killed")
	l.kept()

	m.agent("stop")
	file := filepath.Join(m.data, "environments", "eu.production", "postgres", "data", "PG_VERSION")
	good, err := os.ReadFile(file)
	m.ok(err)
	m.ok(os.WriteFile(file, []byte("9\n"), 0o600))
	o := m.plan()
	if flat := unwrapped(o.out); o.code != 1 || !strings.Contains(flat, "PostgreSQL 9, the version of the existing data") {
		t.Errorf("plan with data of another version ended with %d:\n%s", o.code, o.out)
	} else {
		t.Logf("another version: %s", diagnostic(flat))
	}
	m.ok(os.WriteFile(file, good, 0o600))
	m.agent("stop")
	m.emptyPlan("after the version was put right")
	l.kept()
	m.destroy()
}

// TestAccLocalOwnDatabaseServer gives an account a server of its own, which comes back by
// itself after everything was killed, as by a reboot.
func TestAccLocalOwnDatabaseServer(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	config := m.base(nil) + database("acme", attrs{"isolation": `"cluster"`}) + shop("1", nil)
	m.apply(config)
	m.emptyPlan("after the first apply")
	c := m.client()
	m.ok(place(t.Context(), c, m.url("acme", "/orders"), "before"))
	if n := len(m.postmasters()); n != 2 {
		t.Fatalf("%d database servers run, want the environment's and the account's", n)
	}
	m.killAgent()
	kill(m.postmasters())
	kill(m.instances("1"))
	m.agentUp()
	m.eventually(30*time.Second, "orders are placed again", func() (string, bool) {
		err := place(t.Context(), c, m.url("acme", "/orders"), "after-"+time.Now().Format("150405.000000000"))
		return fmt.Sprint(err), err == nil
	})
	if stored := m.orders("acme"); !stored["before"] {
		t.Errorf("the order of before is not among %v", stored)
	}
	m.emptyPlan("after everything was killed")
	m.agent("stop")
	if left := m.processes(); len(left) > 0 {
		t.Errorf("stop left %v", left)
	}
	m.destroy()
}

// agentUp starts the agent in the background as a boot would, and leaves it to itself.
func (m *machine) agentUp() {
	m.Helper()
	cmd := m.agentCommand(built.provider)
	m.ok(cmd.Start())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // it is ended by the test, in one way or another
	}()
	m.Cleanup(func() { <-done })
}
