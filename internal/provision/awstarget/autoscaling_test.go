package awstarget

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestSchedulesBecomeTheMomentsAtWhichTheFloorChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		schedules []target.Schedule
		want      []string
	}{
		{"none", nil, nil},
		{"every day", []target.Schedule{{From: "08:00", To: "18:30", Min: 3, TimeZone: "Europe/Berlin"}}, []string{
			"cron(0 8 ? * * *) 3 Europe/Berlin", "cron(30 18 ? * * *) 1 Europe/Berlin",
		}},
		{"on some days, past midnight", []target.Schedule{{Days: []string{"fri", "sat"}, From: "22:00", To: "02:00", Min: 4}}, []string{
			"cron(0 2 ? * * *) 1 ", "cron(0 22 ? * SUN,MON,TUE,WED,THU *) 1 ", "cron(0 22 ? * FRI,SAT *) 4 ",
		}},
		{"two that overlap", []target.Schedule{{From: "08:00", To: "20:00", Min: 2}, {Days: []string{"mon"}, From: "12:00", To: "13:00", Min: 5}}, []string{
			"cron(0 8 ? * * *) 2 ", "cron(0 12 ? * SUN,TUE,WED,THU,FRI,SAT *) 2 ", "cron(0 12 ? * MON *) 5 ", "cron(0 13 ? * * *) 2 ", "cron(0 20 ? * * *) 1 ",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, v := range timedFloors(target.Scaling{Min: 1, Max: 9, Schedules: c.schedules}) {
				got = append(got, fmt.Sprintf("%s %d %s", v.expression, v.min, v.zone))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("moments (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	plain, follows := target.Scaling{Min: 2, Max: 6}, target.Scaling{Min: 2, Max: 6, TargetCPUPercent: 50}
	for _, c := range []struct {
		name    string
		scaling target.Scaling
		least   int
		hold    bool
		want    bounds
	}{
		{"nothing sets the number but us", plain, 0, false, bounds{min: 2, max: 2}},
		{"a capacity is kept", plain, 4, false, bounds{min: 4, max: 4, keep: true}},
		{"a policy has room", follows, 0, false, bounds{min: 2, max: 6}},
		{"a policy may add to a capacity and not take away", follows, 4, false, bounds{min: 4, max: 6, keep: true}},
		{"a capacity above the most is kept", follows, 8, false, bounds{min: 8, max: 8, keep: true}},
		{"a held worker has none", follows, 4, true, bounds{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := target.StackSpec{HoldWorkers: c.hold, Definition: target.Definition{Components: map[string]target.Component{"worker": {Scaling: c.scaling}}}}
			if c.least > 0 {
				s.Capacity = map[string]int{"worker": c.least}
			}
			if got := boundsOf(s, "worker", time.Now()); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
