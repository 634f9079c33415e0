package scale

import (
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Floor is the fewest instances that a component's scaling allows at a time. A schedule whose
// time zone is unknown here, or whose times can't be read, counts all day: too many instances
// do less harm than too few.
func Floor(s target.Scaling, at time.Time) int {
	floor := s.Min
	for _, v := range s.Schedules {
		if holds(v, at) {
			floor = max(floor, v.Min)
		}
	}
	return floor
}

// holds says whether a schedule is in force. It goes by the clock on the wall: an hour that a
// change to summer time leaves out is not missed, and one that comes twice counts twice.
func holds(v target.Schedule, at time.Time) bool {
	zone, err := time.LoadLocation(v.TimeZone)
	from, err1 := time.Parse("15:04", v.From)
	to, err2 := time.Parse("15:04", v.To)
	if err != nil || err1 != nil || err2 != nil {
		return true
	}
	wall := at.In(zone)
	today, yesterday := wall.Weekday(), (wall.Weekday()+6)%7
	now, begin, end := minute(wall), minute(from), minute(to)
	if begin < end {
		return on(v, today) && begin <= now && now < end
	}
	return on(v, today) && begin <= now || on(v, yesterday) && now < end
}

func minute(t time.Time) int { return 60*t.Hour() + t.Minute() }

func on(v target.Schedule, day time.Weekday) bool {
	for _, name := range v.Days {
		if name == target.Weekdays()[day] {
			return true
		}
	}
	return len(v.Days) == 0
}
