package target_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the machine may have none

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestAScheduleRaisesTheFloorInItsTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		schedule target.Schedule
		at       string // 2026-11-04 is a Wednesday
		want     bool
	}{
		{"at its first minute", target.Schedule{From: "08:30", To: "17:00"}, "2026-11-04T08:30:00Z", true},
		{"just before it", target.Schedule{From: "08:30", To: "17:00"}, "2026-11-04T08:29:59Z", false},
		{"at its end", target.Schedule{From: "08:30", To: "17:00"}, "2026-11-04T17:00:00Z", false},
		{"on another day", target.Schedule{From: "08:30", To: "17:00", Days: []string{"tue", "thu"}}, "2026-11-04T09:00:00Z", false},
		{"on its day", target.Schedule{From: "08:30", To: "17:00", Days: []string{"wed"}}, "2026-11-04T09:00:00Z", true},
		{"past midnight, on the day that it began on", target.Schedule{From: "22:00", To: "02:00", Days: []string{"wed"}}, "2026-11-04T23:00:00Z", true},
		{"past midnight, on the day after", target.Schedule{From: "22:00", To: "02:00", Days: []string{"wed"}}, "2026-11-05T01:59:00Z", true},
		{"past midnight, after the day before", target.Schedule{From: "22:00", To: "02:00", Days: []string{"wed"}}, "2026-11-04T01:00:00Z", false},
		{"past midnight from Saturday to Sunday", target.Schedule{From: "22:00", To: "02:00", Days: []string{"sat"}}, "2026-11-08T01:00:00Z", true},
		{"the whole day", target.Schedule{From: "00:00", To: "00:00"}, "2026-11-04T12:00:00Z", true},
		{"by the clock of its time zone", target.Schedule{From: "08:00", To: "09:00", TimeZone: "Europe/Berlin"}, "2026-11-04T07:30:00Z", true},
		{"by its weekday in its time zone", target.Schedule{From: "00:00", To: "01:00", TimeZone: "Europe/Berlin", Days: []string{"thu"}}, "2026-11-04T23:30:00Z", true},
		{"by the clock of its time zone in summer", target.Schedule{From: "08:00", To: "09:00", TimeZone: "Europe/Berlin"}, "2026-07-01T06:30:00Z", true},
		{"in summer at the time of winter", target.Schedule{From: "08:00", To: "09:00", TimeZone: "Europe/Berlin"}, "2026-07-01T07:30:00Z", false},
		{"before an hour that summer time leaves out", target.Schedule{From: "02:30", To: "05:00", TimeZone: "Europe/Berlin"}, "2026-03-29T00:59:00Z", false},
		{"after an hour that summer time leaves out", target.Schedule{From: "02:30", To: "05:00", TimeZone: "Europe/Berlin"}, "2026-03-29T01:00:00Z", true},
		{"in an hour that comes twice, the first time", target.Schedule{From: "02:15", To: "02:45", TimeZone: "Europe/Berlin"}, "2026-10-25T00:30:00Z", true},
		{"in an hour that comes twice, between", target.Schedule{From: "02:15", To: "02:45", TimeZone: "Europe/Berlin"}, "2026-10-25T01:00:00Z", false},
		{"in an hour that comes twice, the second time", target.Schedule{From: "02:15", To: "02:45", TimeZone: "Europe/Berlin"}, "2026-10-25T01:30:00Z", true},
		{"without a valid time", target.Schedule{From: "8", To: "09:00"}, "2026-11-04T08:30:00Z", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.schedule.Holds(at); got != c.want {
				t.Errorf("holds: %t, want %t", got, c.want)
			}
			c.schedule.Min = 7
			low := c.schedule
			low.Min = 1
			want := 2
			if c.want {
				want = 7
			}
			if got := (target.Scaling{Min: 2, Max: 9, Schedules: []target.Schedule{low, c.schedule}}).Floor(at); got != want {
				t.Errorf("the floor is %d, want %d", got, want)
			}
		})
	}
}
