//go:build linux || darwin

package process

import (
	"context"
	"time"
)

// Usage returns how much CPU time has been used in the sessions of processes: by who is alive in them
// and by children that they have waited for. Only what it grows by means something. Sessions without
// anybody alive are left out. It is one look at all processes, however many are asked for.
func Usage(ctx context.Context, leaders []Identity) (map[Identity]time.Duration, error) {
	everybody, err := all()
	if err != nil {
		return nil, err
	}
	used, err := usedBy(ctx, everybody)
	if err != nil {
		return nil, err
	}
	sessions := map[int][]status{}
	for _, s := range everybody {
		sessions[s.session] = append(sessions[s.session], s)
		if s.session != s.pid {
			sessions[s.pid] = append(sessions[s.pid], s) // for membersAmong to see who has a leader's number
		}
	}
	out := map[Identity]time.Duration{}
	for _, leader := range leaders {
		members := membersAmong(leader, sessions[leader.PID])
		if len(members) == 0 {
			continue
		}
		var sum time.Duration
		for _, m := range members {
			sum += used(m)
		}
		out[leader] = sum
	}
	return out, nil
}
