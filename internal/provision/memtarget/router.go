package memtarget

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// ProbeFrontDoor asks the stack that serves.
func (t *Target) ProbeFrontDoor(ctx context.Context, id target.SlotID) (target.Probe, error) {
	return call(ctx, t, reads, "ProbeFrontDoor", func(s *store) (target.Probe, error) {
		l, err := s.slot(id)
		if err != nil {
			return target.Probe{}, err
		}
		st, ok := l.stacks[l.traffic.Color]
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
	var from *slot
	var component string
	rank := -1
	for id, l := range s.slots {
		if id.Environment != environment {
			continue
		}
		st, ok := l.stacks[l.next(host)]
		if !ok {
			continue
		}
		for name, c := range st.spec.Definition.Components {
			for _, r := range c.Routes {
				if n := routeRank(r.Normal(), e.record.Spec.DomainName, host, path); n > rank {
					best, from, component, rank = st, l, name, n
				}
			}
		}
	}
	if best == nil {
		return "", http.StatusNotFound
	}
	ok = best.healthy(component)
	from.answered = append(from.answered, answer{s.now(), best.spec.SwapID, ok})
	if !ok {
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
