package target

import (
	"slices"
	"time"
)

// Scaling bounds the number of a component's instances, and says what it follows. Within its
// bounds the target scales by itself: up within seconds, down slowly.
type Scaling struct {
	Min int `json:"min"`
	Max int `json:"max"`
	// TargetCPUPercent is the CPU use of an instance to keep to, in percent of one CPU on
	// local and of the task's CPU on aws; 0: CPU is not looked at.
	TargetCPUPercent int `json:"target_cpu_percent,omitempty"`
	// TargetConcurrentRequests is how many requests an instance is to have at a time; 0: they
	// are not looked at.
	TargetConcurrentRequests int `json:"target_concurrent_requests,omitempty"`
	// Schedules raise Min at known times.
	Schedules []Schedule `json:"schedules,omitempty"`
}

// Schedule is a time of the week in which there are to be more instances.
type Schedule struct {
	// Days are "mon" … "sun"; none means every day.
	Days []string `json:"days,omitempty"`
	// From and To are "15:04"; a To that is not after From is on the next day.
	From string `json:"from"`
	To   string `json:"to"`
	// TimeZone is a name of the IANA time zone database such as "Europe/Berlin", "" for UTC.
	TimeZone string `json:"time_zone,omitempty"`
	// Min is the fewest instances in this time.
	Min int `json:"min"`
}

// Floor is the fewest instances that there are to be at a moment: Min, or what the highest
// schedule says that holds then.
func (s Scaling) Floor(at time.Time) int {
	n := s.Min
	for _, v := range s.Schedules {
		if v.Holds(at) {
			n = max(n, v.Min)
		}
	}
	return n
}

// Holds says whether a moment is in the schedule's time. One that runs past midnight belongs
// to the day on which it begins. A schedule that does not validate never holds.
func (v Schedule) Holds(at time.Time) bool {
	zone, errZone := time.LoadLocation(v.TimeZone)
	from, errFrom := time.Parse("15:04", v.From)
	to, errTo := time.Parse("15:04", v.To)
	if errZone != nil || errFrom != nil || errTo != nil {
		return false
	}
	local := at.In(zone)
	on := func(d time.Weekday) bool { return len(v.Days) == 0 || slices.Contains(v.Days, Weekdays()[d]) }
	today, yesterday := local.Weekday(), (local.Weekday()+6)%7
	now, begin, end := local.Hour()*60+local.Minute(), from.Hour()*60+from.Minute(), to.Hour()*60+to.Minute()
	if begin < end {
		return on(today) && begin <= now && now < end
	}
	return on(today) && begin <= now || on(yesterday) && now < end
}
