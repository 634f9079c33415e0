package awstarget

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// timed is a moment of the week at which the fewest instances change.
type timed struct {
	// expression is "cron(minutes hours day month weekday)" ("Schedule recurring scaling actions
	// using cron expressions"), zone the IANA name that it is in.
	expression, zone string
	min              int
}

// timedFloors are the moments at which a scaling's floor changes. All schedules are in one time
// zone, which CheckSlot sees to.
func timedFloors(s target.Scaling) []timed {
	if len(s.Schedules) == 0 {
		return nil
	}
	zone := s.Schedules[0].TimeZone
	var clocks []string
	for _, v := range s.Schedules {
		clocks = append(clocks, v.From, v.To)
	}
	slices.Sort(clocks)
	var all []timed
	for _, clock := range slices.Compact(clocks) {
		at, err := time.Parse("15:04", clock)
		if err != nil {
			continue // validated before
		}
		days := map[int][]string{} // by the floor from then on
		for n, day := range target.Weekdays() {
			floor := floorOn(s, time.Weekday(n), at)
			days[floor] = append(days[floor], strings.ToUpper(day))
		}
		for _, floor := range sortedInts(days) {
			week := "*"
			if len(days[floor]) < 7 {
				week = strings.Join(days[floor], ",")
			}
			all = append(all, timed{fmt.Sprintf("cron(%d %d ? * %s *)", at.Minute(), at.Hour(), week), zone, floor})
		}
	}
	return all
}

func sortedInts(m map[int][]string) []int {
	var all []int
	for n := range m {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// floorOn is the floor from a time of a weekday on: that of a week in UTC in which the schedules
// are taken to be in UTC too.
func floorOn(s target.Scaling, day time.Weekday, clock time.Time) int {
	s.Schedules = slices.Clone(s.Schedules)
	for i := range s.Schedules {
		s.Schedules[i].TimeZone = ""
	}
	const firstSunday = 4 // of January 1970
	return s.Floor(time.Date(1970, time.January, firstSunday+int(day), clock.Hour(), clock.Minute(), 0, 0, time.UTC))
}
