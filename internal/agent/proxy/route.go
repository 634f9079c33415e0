package proxy

import (
	"cmp"
	"fmt"
	"strings"
)

// AnyLabel as a route's host matches any single label under the environment's domain.
const AnyLabel = "*"

// Route sends the requests of one host and path to a component of its stack. Among the
// routes that match, an exact host goes before "*" and that before "", then the longest
// path prefix wins.
type Route struct {
	// Host is relative to the environment's domain: "console" is console.<domain>, "*" any
	// one label under it, "" the domain itself and all names under it.
	Host string
	// PathPrefix is made of whole segments: "/api" matches /api and /api/orders, not /apix.
	PathPrefix string
	Component  string
}

func (r Route) check() error {
	switch {
	case !strings.HasPrefix(r.PathPrefix, "/"):
		return fmt.Errorf("path prefix %q does not begin with a slash", r.PathPrefix)
	case r.Component == "":
		return fmt.Errorf("route to %q has no component", r.Host+r.PathPrefix)
	}
	return nil
}

// matcher is a route as it is matched.
type matcher struct {
	host   string // lower case, with the domain; AnyLabel; or ""
	prefix string // without a slash at its end, so "" matches everything
}

func newMatcher(r Route, domain string) matcher {
	m := matcher{host: strings.ToLower(r.Host), prefix: strings.TrimRight(r.PathPrefix, "/")}
	if m.host != "" && m.host != AnyLabel {
		m.host += "." + domain
	}
	return m
}

func (m matcher) match(n name, path string) bool {
	switch m.host {
	case "":
	case AnyLabel:
		if !n.oneLabel {
			return false
		}
	default:
		if m.host != n.host {
			return false
		}
	}
	return strings.HasPrefix(path, m.prefix) && (len(path) == len(m.prefix) || path[len(m.prefix)] == '/')
}

// compare orders matchers by precedence, the first to be tried first.
func (m matcher) compare(o matcher) int {
	return cmp.Or(
		cmp.Compare(m.rank(), o.rank()),
		cmp.Compare(len(o.prefix), len(m.prefix)),
		cmp.Compare(m.host, o.host),
		cmp.Compare(m.prefix, o.prefix),
	)
}

func (m matcher) rank() int {
	switch m.host {
	case "":
		return 2
	case AnyLabel:
		return 1
	}
	return 0
}

// name is the host of a request, seen from the environment's domain.
type name struct {
	host     string // lower case, without port and final dot
	oneLabel bool   // exactly one label under the domain
}

// parseName reads a Host header. It reports false for a host outside the domain.
func parseName(host, domain string) (name, bool) {
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == domain {
		return name{host: host}, true
	}
	label, under := strings.CutSuffix(host, domain)
	label, dotted := strings.CutSuffix(label, ".")
	if !under || !dotted || label == "" {
		return name{}, false
	}
	return name{host: host, oneLabel: strings.IndexByte(label, '.') < 0}, true
}
