//go:build linux

package acceptance

import (
	"fmt"
	"math"
	"net/http"
	"net/http/cookiejar"
	"sync"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/localtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// oms is the slot that the tests deploy.
var oms = target.SlotID{Environment: target.EnvironmentID{Region: "eu", Name: "production"}, Name: "oms"}

// target reaches the machine's agent without Terraform.
func (m *machine) target() *localtarget.Target {
	m.Helper()
	d := localtarget.New(localtarget.Options{DataDir: m.data, Executable: built.provider, Version: "dev"})
	m.Cleanup(d.Close)
	return d
}

// observe looks at the slot.
func (m *machine) observe() target.Observation {
	m.Helper()
	obs, err := m.target().Observe(m.Context(), oms)
	m.ok(err)
	return obs
}

// divide leaves the traffic with release 1 but for a percentage that goes to release 2.
func (m *machine) divide(percent int, by target.StickyBy) {
	m.Helper()
	d := m.target()
	l, err := d.AcquireLease(m.Context(), oms, "the test", m.Name(), d.LeaseTTL())
	m.ok(err)
	var one target.Color
	for c, st := range m.observe().Stacks {
		if st.Spec.Definition.Release == "1" {
			one = c
		}
	}
	_, err = d.SetTraffic(m.Context(), oms, target.Traffic{Color: one, Percent: percent, StickyBy: by}, 10*time.Second, l)
	m.ok(err)
	m.ok(d.ReleaseLease(m.Context(), oms, l.Token))
	if obs := m.observe(); obs.Serving != one || obs.Percent != percent {
		m.Fatalf("%s serves but for %d percent, want %s but for %d", obs.Serving, obs.Percent, one, percent)
	}
}

// pair brings up releases 1 and 2 beside each other.
func (m *machine) pair() {
	m.Helper()
	m.apply(m.base(nil) + slot("1", nil))
	m.apply(m.base(nil) + slot("2", nil))
}

// releases sends requests over some connections and counts who answered.
func (m *machine) releases(connections, each int) map[string]int {
	m.Helper()
	var mu sync.Mutex
	got := map[string]int{}
	var all sync.WaitGroup
	for _, c := range m.clients(connections) {
		all.Go(func() {
			for range each {
				a, err := ask(m.Context(), c, http.MethodGet, m.url("", "/"))
				if err != nil || a.status != http.StatusOK || a.release != a.body {
					m.Errorf("got %+v, %v", a, err)
					return
				}
				mu.Lock()
				got[a.release]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return got
}

func TestAccLocalSharesAreWhatClientsGet(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.pair()
	const connections, each = 8, 1250
	for _, percent := range []int{1, 10, 50} {
		m.divide(percent, "")
		got := m.releases(connections, each)
		share := 100 * float64(got["2"]) / (connections * each)
		t.Logf("asked for %d percent of %d requests, got %.2f", percent, connections*each, share)
		if got["1"]+got["2"] != connections*each || math.Abs(share-float64(percent)) > 1 {
			t.Errorf("with a share of %d percent these answered: %v", percent, got)
		}
	}
	m.divide(0, "")
	m.apply(m.base(nil) + slot("2", nil))
	m.destroy()
}

// TestAccLocalClientsStayOnTheirSide has many clients, and many accounts, ask again and again
// while the share grows and shrinks, and while the agent is killed.
func TestAccLocalClientsStayOnTheirSide(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.pair()
	const many = 200
	clients := m.clients(many)
	for _, c := range clients {
		jar, err := cookiejar.New(nil)
		m.ok(err)
		c.Jar = jar
	}
	for by, side := range map[target.StickyBy]func(n int) string{
		target.StickyByClient:  func(n int) string { return m.side(clients[n], "") },
		target.StickyByAccount: func(n int) string { return m.side(clients[0], fmt.Sprintf("account-%d", n)) },
	} {
		sides := func(percent int) map[int]bool {
			t.Helper()
			m.divide(percent, by)
			two := map[int]bool{}
			for n := range many {
				two[n] = side(n) == "2"
			}
			m.stay(by, two, side)
			return two
		}
		few, half, fewer := sides(20), sides(50), sides(35)
		for n := range many {
			if few[n] && !half[n] || fewer[n] && !half[n] || few[n] && !fewer[n] {
				t.Errorf("by %s: %d was on side 2 with 20 percent: %t, with 50: %t, with 35 again: %t", by, n, few[n], half[n], fewer[n])
			}
		}
		half = sides(50)
		m.killAgent()
		obs := m.observe() // which starts the agent again
		if obs.Percent != 50 {
			t.Errorf("after the agent was killed the share is %d percent, want 50", obs.Percent)
		}
		m.stay(by, half, side)
		m.divide(0, "")
	}
	m.apply(m.base(nil) + slot("2", nil))
	m.destroy()
}

// stay ends the test unless everybody is still on the side of before.
func (m *machine) stay(by target.StickyBy, before map[int]bool, side func(int) string) {
	m.Helper()
	for n, two := range before {
		if now := side(n); (now == "2") != two {
			m.Errorf("by %s: %d was on side 2: %t, and is on side %s", by, n, two, now)
		}
	}
}

// side is the release that answers a client.
func (m *machine) side(c *http.Client, account string) string {
	m.Helper()
	a, err := ask(m.Context(), c, http.MethodGet, m.url(account, "/"))
	if err != nil || a.status != http.StatusOK {
		m.Fatalf("got %+v, %v", a, err)
	}
	return a.release
}
