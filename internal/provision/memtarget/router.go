package memtarget

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Serve moves the traffic of a slot in one write. While the old stack has requests in flight
// (HoldRequests) it waits for the whole drain limit, also when it is called again.
func (t *Target) Serve(ctx context.Context, id target.SlotID, c target.Color, drain time.Duration, l target.Lease) (target.Switched, error) {
	switched, err := call(ctx, t, changes, "Serve", func(s *store) (target.Switched, error) {
		held, err := s.leased(id, l)
		if err != nil {
			return target.Switched{}, err
		}
		return s.serve(id, held, c)
	})
	if err != nil || switched.Drained {
		return switched, err
	}
	if err := t.store.options.Clock.Sleep(ctx, drain); err != nil {
		return switched, err
	}
	return switched, nil
}

func (s *store) serve(id target.SlotID, l *slot, c target.Color) (target.Switched, error) {
	out := target.Switched{Drained: true}
	if old, ok := l.stacks[c.Other()]; ok && old.inFlight > 0 {
		out.Drained = false
	}
	if l.serving == c && c != "" {
		return out, nil
	}
	st, ok := l.stacks[c]
	if !ok {
		return out, target.Errorf(target.ErrConflict, "the %s seat of slot %q is empty", c, id)
	}
	if name := st.unhealthy(); name != "" {
		return out, target.Errorf(target.ErrConflict, "component %q of release %q in the %s seat of slot %q has no healthy instance", name, st.spec.Definition.Release, c, id)
	}
	out.At = s.now()
	if old, ok := l.stacks[l.serving]; ok {
		l.before = old.spec.Definition.Release
		if out.Drained {
			out.LastOldAnswer = &out.At
		}
	}
	l.serving, st.retireAt = c, nil
	s.record(Served, id, c, st.spec.Definition.Release)
	return out, nil
}

// ProbeFrontDoor asks the stack that serves.
func (t *Target) ProbeFrontDoor(ctx context.Context, id target.SlotID) (target.Probe, error) {
	return call(ctx, t, reads, "ProbeFrontDoor", func(s *store) (target.Probe, error) {
		l, err := s.slot(id)
		if err != nil {
			return target.Probe{}, err
		}
		st, ok := l.stacks[l.serving]
		switch {
		case !ok:
			return target.Probe{StatusCode: http.StatusServiceUnavailable, Problem: "nothing serves"}, nil
		case st.unhealthy() != "":
			return target.Probe{StatusCode: http.StatusServiceUnavailable, Problem: fmt.Sprintf("component %q has no healthy instance", st.unhealthy())}, nil
		case l.lag > 0 && l.before != "":
			l.lag--
			return target.Probe{Release: l.before, StatusCode: http.StatusOK}, nil
		}
		return target.Probe{Release: st.spec.Definition.Release, StatusCode: http.StatusOK}, nil
	})
}

// Answer is what the front door of an environment would answer to a request for a host and
// path: the release that served, "" if none did, and the status code.
func (t *Target) Answer(environment target.EnvironmentID, host, path string) (release string, status int) {
	s := t.store
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.environments[environment]
	if !ok {
		return "", http.StatusNotFound
	}
	var best *stack
	var component string
	rank := -1
	for id, l := range s.slots {
		st, ok := l.stacks[l.serving]
		if !ok || id.Environment != environment {
			continue
		}
		for name, c := range st.spec.Definition.Components {
			for _, r := range c.Routes {
				if n := routeRank(r.Normal(), e.record.Spec.DomainName, host, path); n > rank {
					best, component, rank = st, name, n
				}
			}
		}
	}
	switch {
	case best == nil:
		return "", http.StatusNotFound
	case !best.healthy(component):
		return "", http.StatusServiceUnavailable
	}
	return best.spec.Definition.Release, http.StatusOK
}

// routeRank says how well a route fits a request, -1 if it does not: the host counts before
// the path, and each by how exact it is.
func routeRank(r target.Route, domain, host, path string) int {
	if path != r.PathPrefix && !strings.HasPrefix(path, strings.TrimRight(r.PathPrefix, "/")+"/") {
		return -1
	}
	label, under := strings.CutSuffix(host, "."+domain)
	const byHost = 1000 // above any length of a path
	switch {
	case r.Host == "" && (under || host == domain):
		return len(r.PathPrefix)
	case r.Host == "*" && under && !strings.Contains(label, "."):
		return byHost + len(r.PathPrefix)
	case r.Host != "" && under && r.Host == label:
		return 2*byHost + len(r.PathPrefix)
	}
	return -1
}
