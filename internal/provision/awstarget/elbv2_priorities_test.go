package awstarget

import (
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// placed is a rule of a listener at a priority.
func placed(priority int, all ...condition) listenerRule {
	return listenerRule{wanted: wanted{conditions: all}, priority: priority}
}

// at is a rule for a route in its place, or so much behind it.
func at(r target.Route, more int) listenerRule {
	return placed(rank(r)+more, conditions(r, "x.org")...)
}

func TestARuleIsMisplacedWhereTheOrderDecides(t *testing.T) {
	t.Parallel()
	shop, admin, everything, oneLabel := target.Route{Host: "shop", PathPrefix: "/"}, target.Route{Host: "shop", PathPrefix: "/admin"}, target.Route{PathPrefix: "/"}, target.Route{Host: "*", PathPrefix: "/"}
	other, like := target.Route{Host: "other", PathPrefix: "/"}, target.Route{Host: "shop", PathPrefix: "/administer"}
	probe := probeConditions("3f2a")
	colored := append(conditions(admin, "x.org"), condition{field: fieldHeader, header: headerColor, values: []string{"blue"}})
	for _, c := range []struct {
		name string
		all  []listenerRule // the first is judged
		want bool
	}{
		{"all are in their places", []listenerRule{at(admin, 1), at(shop, 0), at(everything, 0), placed(1, probe...)}, false},
		{"a narrower route is behind a wider one of the host", []listenerRule{at(admin, 40000), at(shop, 0)}, true},
		{"a wider one was moved to the front", []listenerRule{at(shop, 1-rank(shop)), at(admin, 0)}, true},
		{"then the narrower one is where it should be", []listenerRule{at(admin, 0), at(shop, 1-rank(shop))}, false},
		{"a host is behind all hosts", []listenerRule{at(shop, 49000-rank(shop)), at(everything, 0)}, true},
		{"all hosts of one label are behind all hosts", []listenerRule{at(oneLabel, 49000-rank(oneLabel)), at(everything, 0)}, true},
		{"what another slot is reached at does not matter", []listenerRule{at(shop, 40000-rank(shop)), at(other, 0)}, false},
		{"a path that only begins alike does not matter", []listenerRule{at(admin, 20000), at(like, 0)}, false},
		{"all were numbered anew in their order", []listenerRule{at(admin, 3-rank(admin)), at(shop, 4-rank(shop)), placed(2, probe...), at(everything, 5-rank(everything))}, false},
		{"a probe is behind a route", []listenerRule{placed(49000, probe...), at(other, 0)}, true},
		{"one for a seat is behind its route", []listenerRule{placed(20000, colored...), at(admin, 0)}, true},
		{"a rule of somebody else is in front", []listenerRule{at(shop, 45000-rank(shop)), placed(9, condition{field: "source-ip", values: []string{"10.0.0.0/8"}})}, false},
		{"it is somebody else's", []listenerRule{placed(9, condition{field: fieldHost, values: []string{"shop.example.com"}}), at(everything, 0)}, false},
		{"the listener's own action is no rule", []listenerRule{placed(49000, probe...), {fallThrough: true}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, got := misplaced(c.all, 0, "x.org"); got != c.want {
				t.Errorf("misplaced: %t, want %t", got, c.want)
			}
		})
	}
}
