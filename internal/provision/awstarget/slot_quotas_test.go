package awstarget

import (
	"fmt"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// A slot needs as many rules as are made of its routes while it swaps: what room counts is held to what
// production and preview make.
func TestRoomIsCountedAsRulesAreMade(t *testing.T) {
	t.Parallel()
	definition := func(from, to int) target.Definition {
		c := target.Component{Port: 8080}
		for i := range to - from {
			c.Routes = append(c.Routes, target.Route{PathPrefix: fmt.Sprintf("/%d", from+i)})
		}
		return target.Definition{Components: map[string]target.Component{"web": c}}
	}
	slot := func(name string, d target.Definition) target.Slot {
		return target.Slot{Environment: target.EnvironmentID{Region: "eu", Name: "production"}, Name: name, Definition: d}
	}
	for _, c := range []struct {
		name   string
		is, to target.Definition
		others []target.Slot
		rules  int
		full   bool
	}{
		{"49 routes that stay", definition(0, 49), definition(0, 49), nil, 99, false},
		{"50 routes", definition(0, 49), definition(0, 50), nil, 101, true},
		{"a route for another", definition(0, 49), definition(1, 50), nil, 101, true},
		{"fewer routes", definition(0, 50), definition(0, 1), nil, 101, true},
		{"32 more slots with a route", definition(0, 1), definition(0, 1), make([]target.Slot, 32), 3, false},
		{"33 more slots with a route", definition(0, 1), definition(0, 1), make([]target.Slot, 33), 3, true},
	} {
		s := slotState{Seats: map[target.Color]*seat{
			target.Blue: {Spec: target.StackSpec{Definition: c.is}, Attempt: 1}, target.Green: {Spec: target.StackSpec{Definition: c.to}, Attempt: 2},
		}}
		s.Traffic = target.Traffic{Color: target.Blue, Percent: 50}
		if made := len(s.production(s.Traffic, "example.com")) + len(s.preview("example.com")) + 1; made != c.rules {
			t.Errorf("%s: %d rules are made, want %d", c.name, made, c.rules)
		}
		others := []target.Slot{slot("oms", c.is)}
		for i := range c.others {
			others = append(others, slot(fmt.Sprint("other-", i), definition(0, 1)))
		}
		faults, err := room(slot("oms", c.to), others, func() (map[string]int, error) {
			return map[string]int{quotaGroups: quotaUsual, quotaRules: quotaUsual}, nil
		})
		if err != nil || len(faults) > 0 != c.full {
			t.Errorf("%s: got faults %v (%v), want %t", c.name, faults, err, c.full)
		}
	}
}
