package awstarget

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// twoSeats is a slot with releases 1 and 2 in its seats, whose components have these routes.
func twoSeats(blue, green []target.Route) slotState {
	id := target.SlotID{Environment: target.EnvironmentID{Region: "eu", Name: "production"}, Name: "oms"}
	s := slotState{Seats: map[target.Color]*seat{}}
	for n, of := range []struct {
		color  target.Color
		routes []target.Route
	}{{target.Blue, blue}, {target.Green, green}} {
		s.Seats[of.color] = &seat{
			Attempt: n + 1, TargetGroups: map[string]string{"web": string(of.color)},
			Spec: target.StackSpec{Slot: id, Color: of.color, Definition: target.Definition{
				Release: fmt.Sprint(n + 1), Components: map[string]target.Component{"web": {Routes: of.routes}},
			}},
		}
	}
	return s
}

// inWords is a rule as a person would tell it.
func inWords(all []wanted) []string {
	var out []string
	for _, r := range all {
		var line []string
		for _, c := range r.conditions {
			line = append(line, c.header+strings.Join(c.values, ","))
		}
		for _, s := range r.shares {
			line = append(line, fmt.Sprintf("%s=%d", s.group, s.of))
		}
		if r.answer != "" {
			line = append(line, "says "+r.answer)
		}
		if r.sticky {
			line = append(line, "sticky")
		}
		out = append(out, strings.Join(line, " "))
	}
	return out
}

func TestRulesLeadTheRoutesOfWhatCarriesTraffic(t *testing.T) {
	t.Parallel()
	shop, old, young := target.Route{Host: "shop", PathPrefix: "/"}, target.Route{Host: "*", PathPrefix: "/old/"}, target.Route{PathPrefix: "/young"}
	s := twoSeats([]target.Route{shop, old}, []target.Route{shop, young})
	for _, c := range []struct {
		name    string
		traffic target.Traffic
		want    []string
	}{
		{"nothing serves", target.Traffic{}, nil},
		{"one seat has all", target.Traffic{Color: target.Blue}, []string{"shop.x.org blue=100", "*.x.org /old,/old/* blue=100"}},
		{"it is divided", target.Traffic{Color: target.Blue, Percent: 10}, []string{
			"shop.x.org blue=90 green=10", "*.x.org /old,/old/* blue=100", "x.org,*.x.org /young,/young/* green=100",
		}},
		{"it is divided by client", target.Traffic{Color: target.Green, Percent: 1, StickyBy: target.StickyByClient}, []string{
			"shop.x.org blue=1 green=99 sticky", "*.x.org /old,/old/* blue=100", "x.org,*.x.org /young,/young/* green=100",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, inWords(s.production(c.traffic, "x.org"))); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheReleaseIsToldToWhoHasTheMark(t *testing.T) {
	t.Parallel()
	w := &slotWork{noun: &noun{installation: "a"}, spec: target.Environment{DomainName: "x.org"}, id: target.SlotID{Name: "oms"}}
	w.state = twoSeats([]target.Route{{Host: "shop", PathPrefix: "/"}}, nil)
	all := w.production(target.Traffic{Color: target.Blue})
	last := all[len(all)-1]
	mark := last.conditions[0].values[0]
	if len(all) != 2 || last.answer != "1" || len(mark) < 24 || strings.Contains(mark, "oms") || strings.Contains(last.words(), mark) {
		t.Errorf("the rules are %q, and the last one is told of as %q", inWords(all), last.words())
	}
	for value, want := range map[string]bool{mark: true, "oms": true, "shop": false} { // by the name in earlier versions
		if r := (wanted{conditions: probeConditions(value), answer: "1"}); w.owns(r, nil) != want {
			t.Errorf("a rule for %q is the slot's: %t, want %t", value, !want, want)
		}
	}
	w.installation = "b"
	if w.probeMark() == mark {
		t.Error("two installations have the same mark")
	}
}

func TestEveryTargetGroupIsInARuleOfThePreviewEntrance(t *testing.T) {
	t.Parallel()
	shop, old := target.Route{Host: "shop", PathPrefix: "/"}, target.Route{Host: "old", PathPrefix: "/"}
	s := twoSeats([]target.Route{shop, old}, []target.Route{shop})
	want := []string{"shop.x.org blue=0 green=1", "old.x.org Slipway-Colorblue blue=1"}
	for _, serves := range []target.Color{"", target.Blue} { // the younger one is looked at
		s.Traffic.Color = serves
		if diff := cmp.Diff(want, inWords(s.preview("x.org"))); diff != "" {
			t.Errorf("with %q serving (-want +got):\n%s", serves, diff)
		}
	}
	s.Traffic.Color = target.Green // the fallback is
	if diff := cmp.Diff([]string{"shop.x.org blue=1 green=0", "old.x.org blue=1"}, inWords(s.preview("x.org"))); diff != "" {
		t.Errorf("with green serving (-want +got):\n%s", diff)
	}
	s.Seats[target.Blue].Ending = true
	if diff := cmp.Diff([]string{"shop.x.org green=1"}, inWords(s.preview("x.org"))); diff != "" {
		t.Errorf("while blue is removed (-want +got):\n%s", diff)
	}
}

func TestPrioritiesPutTheNarrowerRouteFirst(t *testing.T) {
	t.Parallel()
	longest := "/" + strings.Repeat("a", longestPath-1)
	last := 0
	for _, r := range []target.Route{
		{Host: "shop", PathPrefix: longest}, {Host: "shop", PathPrefix: "/a"}, {Host: "shop", PathPrefix: "/"},
		{Host: "*", PathPrefix: longest}, {Host: "*", PathPrefix: "/"}, {PathPrefix: longest}, {PathPrefix: "/"},
	} {
		if n := rank(r); n < last+rankWidth || n+rankWidth > 50000 {
			t.Errorf("%s begins at %d, after %d", r, n, last)
		}
		last = rank(r)
	}
}

func TestWhatServesIsReadFromTheRules(t *testing.T) {
	t.Parallel()
	shop := target.Route{Host: "shop", PathPrefix: "/"}
	s := twoSeats([]target.Route{shop, {Host: "a", PathPrefix: "/"}}, []target.Route{shop})
	rules := func(all ...wanted) (out []listenerRule) {
		for _, w := range all {
			out = append(out, listenerRule{wanted: w})
		}
		return out
	}
	blue, divided := target.Traffic{Color: target.Blue}, target.Traffic{Color: target.Blue, Percent: 30}
	half := s.production(divided, "x.org")
	half[0].shares = []weight{{"green", 100}} // as after the first of two rules of a switch to green
	for _, c := range []struct {
		name     string
		recorded target.Traffic
		moving   *target.Traffic
		rules    []listenerRule
		want     target.Traffic
	}{
		{"no rule: what was last divided", blue, nil, nil, target.Traffic{Color: target.Blue}},
		{"as recorded", blue, nil, rules(s.production(blue, "x.org")...), blue},
		{"divided as recorded", divided, nil, rules(s.production(divided, "x.org")...), divided},
		{"divided, not recorded yet", blue, &divided, rules(s.production(divided, "x.org")...), divided},
		{"changed by somebody else", blue, nil, rules(s.production(target.Traffic{Color: target.Green}, "x.org")...), target.Traffic{Color: target.Green}},
		{"a switch half-way", blue, &target.Traffic{Color: target.Green}, rules(half...), target.Traffic{Color: target.Blue, Percent: 99}},
		{"rules of others", target.Traffic{}, nil, rules(wanted{shares: []weight{{"another slot's", 100}}}), target.Traffic{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := s
			s.Traffic, s.Moving = c.recorded, c.moving
			if got := s.divided(c.rules, "x.org"); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestBothShapesOfARuleAreTheSame(t *testing.T) {
	t.Parallel()
	s := twoSeats(nil, nil)
	for _, shares := range [][]weight{{{"blue", 1}}, {{"green", 0}, {"blue", 999}}, {{"blue", 100}, {"green", 0}}} {
		got := s.divided([]listenerRule{{wanted: wanted{shares: shares}}}, "x.org")
		if want := (target.Traffic{Color: target.Blue}); got != want {
			t.Errorf("%v: got %+v, want %+v", shares, got, want)
		}
	}
}

func TestNamesAreShortAndTellUnitsApart(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", target.MaxNameLength)
	seen := map[string]bool{}
	for _, slot := range []string{"a", "a-b", long} {
		for _, component := range []string{"b", "b-c", "c", long} {
			of := slotState{Attempts: 11}
			spec := target.StackSpec{Slot: target.SlotID{Environment: target.EnvironmentID{Region: long, Name: long}, Name: slot}, Color: target.Blue}
			if err := of.seat(spec, nil, 0); err != nil {
				t.Fatal(err)
			}
			u := of.Seats[target.Blue].unit(component)
			again := slotState{Attempts: 11} // the slot was removed meanwhile
			if err := again.seat(spec, nil, 0); err != nil {
				t.Fatal(err)
			}
			if next := again.Seats[target.Blue].unit(component); next.token() == u.token() || next.service() != u.service() {
				t.Errorf("services %q and %q have the tokens %q and %q; want the same name and other tokens", u.service(), next.service(), u.token(), next.token())
			}
			if n := len(u.targetGroup()); n > 32 {
				t.Errorf("target group %q has %d characters", u.targetGroup(), n)
			}
			if len(u.token()) > 36 || len(u.family()) > 255 {
				t.Errorf("token %q or family %q is too long", u.token(), u.family())
			}
			for _, name := range []string{u.targetGroup(), u.service(), u.token()} {
				if seen[name] {
					t.Errorf("two things are called %q", name)
				}
				seen[name] = true
			}
		}
	}
}

func TestAScheduledActionIsNeverTooEarly(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 3, 12, 0, 30, 0, time.UTC)
	d := New(Settings{}, Options{})
	for after, want := range map[time.Duration]string{
		time.Second:      "12:03:00", // AWS may not have noticed it before
		90 * time.Second: "12:03:00",
		5 * time.Minute:  "12:06:00",
		// A whole minute stays.
		5*time.Minute - 30*time.Second: "12:05:00",
	} {
		if got := d.due(now.Add(after), now).Format(time.TimeOnly); got != want {
			t.Errorf("to retire after %s: at %s, want %s", after, got, want)
		}
	}
}

func TestWhatWasLastDividedCountsWhereRulesDoNotTell(t *testing.T) {
	t.Parallel()
	shop := []target.Route{{Host: "shop", PathPrefix: "/"}}
	blue, green := target.Traffic{Color: target.Blue}, target.Traffic{Color: target.Green}
	to := func(group string) []listenerRule {
		return []listenerRule{{wanted: wanted{shares: []weight{{group, 1}}}}}
	}
	ended := twoSeats(shop, shop)
	ended.Seats[target.Blue].Ending = true
	for _, c := range []struct {
		name    string
		slot    slotState
		last    target.Traffic
		moving  *target.Traffic
		has     []listenerRule
		color   target.Color
		percent int
	}{
		{name: "all rules were deleted", slot: twoSeats(shop, shop), last: blue, color: target.Blue},
		{name: "all rules of a divided traffic were deleted", slot: twoSeats(shop, shop), last: target.Traffic{Color: target.Blue, Percent: 10}, color: target.Blue, percent: 10},
		{name: "nothing had traffic yet", slot: twoSeats(shop, nil)},
		{name: "what had it is being removed", slot: ended, last: blue},
		{name: "nothing has routes", slot: twoSeats(nil, nil), last: green, color: target.Green},
		{name: "workers are to give way to workers", slot: twoSeats(nil, nil), last: green, moving: &blue, color: target.Green},
		{name: "workers have a share beside what has routes", slot: twoSeats(shop, nil), last: target.Traffic{Color: target.Blue, Percent: 10}, has: to("blue"), color: target.Blue, percent: 10},
		{name: "workers have not quite given way to what has routes", slot: twoSeats(shop, nil), last: green, moving: &blue, has: to("blue"), color: target.Green, percent: 99},
		{name: "what had routes has not quite given way to workers", slot: twoSeats(shop, nil), last: blue, moving: &green, color: target.Blue},
		{name: "rules lead to the other seat", slot: twoSeats(shop, shop), last: blue, has: to("green"), color: target.Green},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.slot.Traffic, c.slot.Moving = c.last, c.moving
			if got := c.slot.divided(c.has, "x.org"); got.Color != c.color || got.Percent != c.percent {
				t.Errorf("divided as %+v, want %q but for %d percent", got, c.color, c.percent)
			}
		})
	}
}
