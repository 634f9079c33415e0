package scale

import (
	"testing"
	"time"
	_ "time/tzdata" // the machine may have none

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestFloor(t *testing.T) {
	t.Parallel()
	const berlin = "Europe/Berlin"
	workdays := []string{"mon", "tue", "wed", "thu", "fri"}
	for name, c := range map[string]struct {
		schedule target.Schedule
		at       string // 2026-11-25 is a Wednesday
		holds    bool
	}{
		"the first minute counts":             {target.Schedule{From: "08:00", To: "18:00"}, "2026-11-25T08:00:00Z", true},
		"the minute before does not":          {target.Schedule{From: "08:00", To: "18:00"}, "2026-11-25T07:59:59Z", false},
		"the last minute counts":              {target.Schedule{From: "08:00", To: "18:00"}, "2026-11-25T17:59:59Z", true},
		"the end does not":                    {target.Schedule{From: "08:00", To: "18:00"}, "2026-11-25T18:00:00Z", false},
		"a day that is not named":             {target.Schedule{Days: workdays, From: "08:00", To: "18:00"}, "2026-11-28T12:00:00Z", false},
		"a day that is named":                 {target.Schedule{Days: workdays, From: "08:00", To: "18:00"}, "2026-11-27T12:00:00Z", true},
		"the day is that of the zone":         {target.Schedule{Days: []string{"thu"}, From: "00:00", To: "01:00", TimeZone: berlin}, "2026-11-25T23:30:00Z", true},
		"the time is that of the zone":        {target.Schedule{From: "08:00", To: "09:00", TimeZone: berlin}, "2026-11-25T07:30:00Z", true},
		"and an hour earlier in summer":       {target.Schedule{From: "08:00", To: "09:00", TimeZone: berlin}, "2026-07-01T06:30:00Z", true},
		"so that the winter's is not it":      {target.Schedule{From: "08:00", To: "09:00", TimeZone: berlin}, "2026-07-01T07:30:00Z", false},
		"over midnight, the evening":          {target.Schedule{Days: []string{"fri"}, From: "22:00", To: "04:00"}, "2026-11-27T23:00:00Z", true},
		"over midnight, the morning after":    {target.Schedule{Days: []string{"fri"}, From: "22:00", To: "04:00"}, "2026-11-28T03:59:00Z", true},
		"over midnight, the morning before":   {target.Schedule{Days: []string{"fri"}, From: "22:00", To: "04:00"}, "2026-11-27T03:00:00Z", false},
		"over midnight from Saturday":         {target.Schedule{Days: []string{"sat"}, From: "22:00", To: "04:00"}, "2026-11-29T01:00:00Z", true},
		"from a time to itself is a day":      {target.Schedule{Days: []string{"wed"}, From: "06:00", To: "06:00"}, "2026-11-26T05:59:00Z", true},
		"and no longer":                       {target.Schedule{Days: []string{"wed"}, From: "06:00", To: "06:00"}, "2026-11-26T06:00:00Z", false},
		"an hour that is left out, before":    {target.Schedule{From: "02:30", To: "05:00", TimeZone: berlin}, "2026-03-29T00:59:00Z", false},
		"an hour that is left out, after":     {target.Schedule{From: "02:30", To: "05:00", TimeZone: berlin}, "2026-03-29T01:00:00Z", true},
		"an hour that comes twice, first":     {target.Schedule{From: "02:15", To: "02:45", TimeZone: berlin}, "2026-10-25T00:30:00Z", true},
		"an hour that comes twice, second":    {target.Schedule{From: "02:15", To: "02:45", TimeZone: berlin}, "2026-10-25T01:30:00Z", true},
		"an hour that comes twice, between":   {target.Schedule{From: "02:15", To: "02:45", TimeZone: berlin}, "2026-10-25T01:00:00Z", false},
		"a zone that is not known counts all": {target.Schedule{From: "08:00", To: "09:00", TimeZone: "Nowhere/At_All"}, "2026-11-25T12:00:00Z", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			c.schedule.Min = 7
			want := 2
			if c.holds {
				want = 7
			}
			if got := Floor(target.Scaling{Min: 2, Max: 9, Schedules: []target.Schedule{c.schedule}}, at); got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		})
	}
}

func TestTheHighestFloorCounts(t *testing.T) {
	t.Parallel()
	s := target.Scaling{Min: 4, Max: 9, Schedules: []target.Schedule{
		{From: "00:00", To: "00:00", Min: 6}, {From: "00:00", To: "00:00", Min: 2}, {From: "01:00", To: "02:00", Min: 9},
	}}
	if got := Floor(s, noon); got != 6 {
		t.Errorf("got %d, want 6", got)
	}
}
