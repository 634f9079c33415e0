package target

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
