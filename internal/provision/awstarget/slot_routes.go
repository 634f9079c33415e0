package awstarget

import (
	"slices"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// wanted is a rule of a listener as it should be. Its conditions tell it from every other rule:
// the slots of an environment share no route.
type wanted struct {
	conditions []condition
	// rank is where its priority begins; the smaller the earlier it is looked at.
	rank int
	// shares are the weights of target groups, answer the body of a fixed answer instead.
	shares []weight
	sticky bool
	answer string
}

// condition is one of a rule. Header is set for one on a header of that name.
type condition struct {
	field, header string
	values        []string
}

const (
	fieldHost   = "host-header"
	fieldPath   = "path-pattern"
	fieldHeader = "http-header"
)

// weight is how much of a rule's requests a target group gets.
type weight struct {
	group string // ARN
	of    int
}

// Headers that lead past an environment's routes: to the answer that names a slot's release, and
// to the stack in one seat.
const (
	headerProbe = "Slipway-Probe"
	headerColor = "Slipway-Color"
)

// Priorities are 1 to 50000 (CreateRule). Each kind of host has its range, in which longer paths
// come first; rules of one kind and length can't both match a request.
const (
	rankHeader   = 1
	rankExact    = 1000
	rankOneLabel = 17000
	rankAny      = 33000
	rankWidth    = 125 // of the rules with paths of one length
	longestPath  = 128
)

func rank(r target.Route) int {
	first := rankExact
	switch r.Host {
	case "*":
		first = rankOneLabel
	case "":
		first = rankAny
	}
	return first + (longestPath-len(r.PathPrefix))*rankWidth
}

// conditions of a route. A pattern of AWS with "*" for a label matches several labels as well;
// the certificate does not.
func conditions(r target.Route, domain string) []condition {
	hosts := []string{r.Host + "." + domain}
	if r.Host == "" {
		hosts = []string{domain, "*." + domain}
	}
	all := []condition{{field: fieldHost, values: hosts}}
	if r.PathPrefix != "/" {
		all = append(all, condition{field: fieldPath, values: []string{r.PathPrefix, r.PathPrefix + "/*"}})
	}
	return all
}

// same says whether two rules have the same conditions, in whatever order.
func sameConditions(a, b []condition) bool {
	text := func(all []condition) string {
		var lines []string
		for _, c := range all {
			values := slices.Clone(c.values)
			slices.Sort(values)
			lines = append(lines, strings.ToLower(c.field+" "+c.header+" ")+strings.Join(values, " "))
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	return text(a) == text(b)
}

// routes lists, in order, the routes of some seats, and the components that they lead to.
func (s slotState) routes(colors ...target.Color) ([]target.Route, map[target.Route]map[target.Color]string) {
	to := map[target.Route]map[target.Color]string{}
	var all []target.Route
	for _, c := range colors {
		of := s.Seats[c]
		if of == nil || of.Ending {
			continue
		}
		d := of.Spec.Definition.Expand()
		for _, name := range target.SortedKeys(d.Components) {
			for _, r := range d.Components[name].Routes {
				if to[r] == nil {
					to[r] = map[target.Color]string{}
					all = append(all, r)
				}
				to[r][c] = name
			}
		}
	}
	return all, to
}

// production are the rules of the routes at the production entrance. While the traffic is divided, a route that
// only one of the stacks has leads to that one.
func (s slotState) production(t target.Traffic, domain string) []wanted {
	if t.Color == "" {
		return nil
	}
	share := map[target.Color]int{t.Color: 100 - t.Percent}
	if t.Percent > 0 {
		share[t.Color.Other()] = t.Percent
	}
	routes, to := s.routes(target.SortedKeys(share)...)
	var all []wanted
	for _, r := range routes {
		v := wanted{conditions: conditions(r, domain), rank: rank(r), sticky: t.StickyBy == target.StickyByClient && len(to[r]) > 1}
		for _, c := range target.SortedKeys(to[r]) {
			of := share[c]
			if len(to[r]) == 1 {
				of = 100
			}
			v.shares = append(v.shares, weight{s.Seats[c].TargetGroups[to[r][c]], of})
		}
		all = append(all, v)
	}
	return all
}

// production are the rules of the production entrance: those of the routes, and the one that answers with
// the release that serves.
func (w *slotWork) production(t target.Traffic) []wanted {
	all := w.state.production(t, w.spec.DomainName)
	if of := w.state.Seats[t.Color]; of != nil {
		// Last, for it is read as a sign that the others are in effect.
		all = append(all, wanted{conditions: probeConditions(w.probeMark()), rank: rankHeader, answer: of.Spec.Definition.Release})
	}
	return all
}

// probeMark is what a request bears that is to be told the slot's release. Nobody outside can guess it:
// what a platform runs is nobody's matter.
func (w *slotWork) probeMark() string {
	return accountdb.Keyed([]byte(w.installation), "probe", w.id.String())
}

func probeConditions(mark string) []condition {
	return []condition{{field: fieldHeader, header: headerProbe, values: []string{mark}}}
}

// tells says whether a rule tells the slot's release. Those of earlier versions did so to whoever named
// the slot.
func (w *slotWork) tells(r wanted) bool {
	return sameConditions(r.conditions, probeConditions(w.probeMark())) || sameConditions(r.conditions, probeConditions(w.id.Name))
}

// previewed is the seat that the preview entrance leads to: the one beside what serves, else what
// serves; before anything serves the one that was put last.
func (s slotState) previewed() target.Color {
	var best target.Color
	for c, of := range s.Seats {
		switch {
		case of.Ending:
		case best == "":
			best = c
		case best == s.Traffic.Color, c != s.Traffic.Color && of.Attempt > s.Seats[best].Attempt:
			best = c
		}
	}
	return best
}

// preview are the rules of the preview entrance. Every routed component's target group is in one,
// from before its service is made: else ECS refuses it and nothing checks its health.
func (s slotState) preview(domain string) []wanted {
	seen := s.previewed()
	routes, to := s.routes(target.Blue, target.Green)
	var all []wanted
	for _, r := range routes {
		v := wanted{conditions: conditions(r, domain), rank: rank(r)}
		for _, c := range target.SortedKeys(to[r]) {
			w := weight{group: s.Seats[c].TargetGroups[to[r][c]]}
			if c == seen || len(to[r]) == 1 {
				w.of = 1
			}
			if _, has := to[r][seen]; !has {
				// Not what is looked at: reached only by who asks for this seat.
				v.rank = rankHeader
				v.conditions = append(v.conditions, condition{field: fieldHeader, header: headerColor, values: []string{string(c)}})
			}
			v.shares = append(v.shares, w)
		}
		all = append(all, v)
	}
	return all
}
