package target

import (
	"fmt"
	"time"
)

// Weekdays are the days of a schedule, in time's order.
func Weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

func (f *Faults) scaling(path string, s Scaling) {
	switch {
	case s.Min < 1 || s.Min > maxInstances:
		f.addf(path+".min", "%d is out of range: expected 1 to %d instances", s.Min, maxInstances)
	case s.Max < s.Min || s.Max > maxInstances:
		f.addf(path+".max", "%d is out of range: expected min (%d) to %d instances", s.Max, s.Min, maxInstances)
		s.Max = maxInstances // one fault is enough
	}
	if s.TargetCPUPercent < 0 || s.TargetCPUPercent > 100 {
		f.addf(path+".target_cpu_percent", "%d is out of range: expected 1 to 100 percent", s.TargetCPUPercent)
	}
	if s.TargetConcurrentRequests < 0 {
		f.addf(path+".target_concurrent_requests", "%d is out of range: expected 1 or more requests", s.TargetConcurrentRequests)
	}
	for i, v := range s.Schedules {
		f.schedule(fmt.Sprintf("%s.schedules.%d", path, i), s, v)
	}
}

func (f *Faults) schedule(path string, s Scaling, v Schedule) {
	for i, d := range v.Days {
		f.oneOf(fmt.Sprintf("%s.days.%d", path, i), d, Weekdays()...)
	}
	for _, t := range []struct{ name, value string }{{"from", v.From}, {"to", v.To}} {
		if t.value == "" {
			f.addf(path+"."+t.name, "it is missing: each schedule needs a time of day, in hours and minutes such as \"08:30\"")
			continue
		}
		if _, err := time.Parse("15:04", t.value); err != nil || len(t.value) != len("15:04") {
			f.addf(path+"."+t.name, "%q is not a time of day: expected hours and minutes such as \"08:30\"", t.value)
		}
	}
	if v.TimeZone == "Local" {
		f.addf(path+".time_zone", "\"Local\" means something else on each machine: expected a name such as \"Europe/Berlin\"")
	} else if _, err := time.LoadLocation(v.TimeZone); err != nil {
		f.addf(path+".time_zone", "%q is no time zone: expected a name such as \"Europe/Berlin\", or none for UTC", v.TimeZone)
	}
	switch {
	case v.Min == 0:
		f.addf(path+".min", "it is missing, or 0: each schedule needs 1 to max (%d) instances", s.Max)
	case v.Min < 1 || v.Min > s.Max:
		f.addf(path+".min", "%d is out of range: expected 1 to max (%d) instances", v.Min, s.Max)
	}
}
