package process

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// usedBy asks ps, which may look into everybody's processes, for the CPU time of each. The kernel's
// list of processes has it no more.
func usedBy(ctx context.Context, _ []status) (func(status) time.Duration, error) {
	text, err := exec.CommandContext(ctx, "/bin/ps", "-A", "-o", "pid=,time=").Output()
	if err != nil {
		return nil, fmt.Errorf("ask ps for CPU times: %w", err)
	}
	used := map[int]time.Duration{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			continue
		}
		pid, err1 := strconv.Atoi(fields[0])
		spent, err2 := parseTime(fields[1])
		if err1 == nil && err2 == nil {
			used[pid] = spent
		}
	}
	return func(s status) time.Duration { return used[s.pid] }, nil
}

// parseTime reads "12:34.56", which are minutes and seconds, or "1:02:03.45" with hours.
func parseTime(text string) (time.Duration, error) {
	var minutes int
	parts := strings.Split(text, ":")
	for _, p := range parts[:len(parts)-1] {
		n, err := strconv.Atoi(p)
		if err != nil {
			return 0, fmt.Errorf("read CPU time %q: %w", text, err)
		}
		minutes = 60*minutes + n
	}
	seconds, err := strconv.ParseFloat(parts[len(parts)-1], 64)
	if err != nil {
		return 0, fmt.Errorf("read CPU time %q: %w", text, err)
	}
	return time.Duration(minutes)*time.Minute + time.Duration(seconds*float64(time.Second)), nil
}
