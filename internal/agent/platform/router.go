//go:build !windows

package platform

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// probeTimeout bounds one request through the front door.
const probeTimeout = 5 * time.Second

// Serve implements target.Router. The record is the commit point: it is written before the
// front door's pointer moves, so that a crash in between ends in the new stack serving.
func (p *Platform) Serve(ctx context.Context, id target.SlotID, c target.Color, drain time.Duration, l target.Lease) (target.Switched, error) {
	s, err := p.slot(id, false)
	if err != nil {
		return target.Switched{}, err
	}
	s.effects.Lock()
	defer s.effects.Unlock()
	front := s.e.front()
	if front == nil {
		return target.Switched{}, target.Errorf(target.ErrUnavailable, "the front door of environment %q is not open", s.e.id)
	}
	s.mu.Lock()
	err = s.leased(l)
	st, old, serving := s.stacks[c], s.stacks[s.file.Serving], s.file.Serving
	s.mu.Unlock()
	switch {
	case err != nil:
		return target.Switched{}, err
	case st == nil:
		return target.Switched{}, target.Errorf(target.ErrConflict, "the %s seat of slot %q is empty", c, id)
	case serving == c && front.Traffic(s.id.Name) == (proxy.Traffic{Stack: st.id()}):
		return target.Switched{Drained: true}, nil
	case serving == c:
		// The record was written and the pointer did not follow: it does now.
		return s.point(ctx, front, st)
	}
	if err := st.ready(); err != nil {
		return target.Switched{}, err
	}
	if old != nil {
		s.setDrain(drain)
		if err := old.register(front); err != nil {
			return target.Switched{}, err
		}
	}
	err = s.change(func(f *slotFile) error {
		f.Serving = c
		f.Seats[c].RetireAt = nil
		return nil
	})
	if err != nil {
		return target.Switched{}, err
	}
	return s.point(ctx, front, st)
}

// point moves the front door's pointers to the stack that the record says serves, and waits
// for the drain. The caller holds s.effects.
func (s *slot) point(ctx context.Context, front *proxy.Proxy, st *stack) (target.Switched, error) {
	if err := front.SetPreview(s.id.Name, ""); err != nil {
		return target.Switched{}, err
	}
	waiting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.e.p.open, func() { cancel(ErrHandedOver) })()
	done, err := front.SetTraffic(waiting, s.id.Name, proxy.Traffic{Stack: st.id()})
	if err != nil {
		return target.Switched{}, err
	}
	out := target.Switched{At: done.At.UTC(), Drained: done.Drained}
	if at := done.LastOldAnswer.UTC(); !done.LastOldAnswer.IsZero() {
		out.LastOldAnswer = &at
	}
	return out, nil
}

// ready refuses a stack that has a routed component without a healthy instance.
func (st *stack) ready() error {
	status := st.status()
	for _, name := range target.SortedKeys(status.Spec.Definition.Components) {
		if status.Spec.Definition.Components[name].Worker() {
			continue
		}
		healthy := false
		for _, i := range status.Of(name) {
			healthy = healthy || i.Healthy
		}
		if !healthy {
			return target.Errorf(target.ErrConflict, "component %q of the %s stack has no healthy instance", name, status.Spec.Color)
		}
	}
	return nil
}

// direct makes the front door's pointers what the record says, at a start or for a new stack.
func (s *slot) direct(ctx context.Context, front *proxy.Proxy) {
	s.mu.Lock()
	serving := s.file.Serving
	var live, preview string
	if st := s.stacks[serving]; st != nil && serving != "" {
		live = st.id()
	}
	if st := s.stacks[serving.Other()]; st != nil && s.candidate(serving.Other()) {
		preview = st.id()
	}
	s.mu.Unlock()
	if _, err := front.SetTraffic(ctx, s.id.Name, proxy.Traffic{Stack: live}); err != nil {
		s.e.p.log.Error("the front door was not set", "slot", s.id.String(), "error", err)
	}
	if err := front.SetPreview(s.id.Name, preview); err != nil {
		s.e.p.log.Error("the preview was not set", "slot", s.id.String(), "error", err)
	}
}

// candidate says whether a seat holds the stack of a swap that has not ended. The caller
// holds s.mu.
func (s *slot) candidate(c target.Color) bool {
	if s.file.Record == nil || s.file.Record.Swap == nil {
		return false
	}
	w := s.file.Record.Swap
	return !w.Phase.Finished() && w.To == c
}

// setDrain is the limit that the stack in rotation gets when it leaves.
func (s *slot) setDrain(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drain = d
}

func (s *slot) drainLimit() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drain
}

// ProbeFrontDoor implements target.Router: one request for each routed component, over the
// same socket, name and certificate as anybody's.
func (p *Platform) ProbeFrontDoor(ctx context.Context, id target.SlotID) (target.Probe, error) {
	s, err := p.slot(id, false)
	if err != nil {
		return target.Probe{}, err
	}
	s.mu.Lock()
	st := s.stacks[s.file.Serving]
	s.mu.Unlock()
	if st == nil {
		return target.Probe{Problem: "nothing serves"}, nil
	}
	st.mu.Lock()
	d := st.spec.Definition.Expand()
	st.mu.Unlock()
	spec := s.e.spec()
	out := target.Probe{Release: d.Release}
	for _, name := range target.SortedKeys(d.Components) {
		c := d.Components[name]
		if c.Worker() {
			continue
		}
		if out = p.probeRoute(ctx, spec, c.Routes[0]); out.Release != d.Release {
			out.Problem = strings.TrimSpace(fmt.Sprintf("at component %q %s", name, out.Problem))
			return out, nil
		}
	}
	return out, nil
}

func (p *Platform) probeRoute(ctx context.Context, e target.Environment, r target.Route) target.Probe {
	host := target.LocalDomainName(e.DomainName)
	switch r.Host {
	case "":
	case "*":
		host = "slipway-probe." + host
	default:
		host = r.Host + "." + host
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(p.authority.PEM())
	listen := e.Network.ListenAddress
	if ip := net.ParseIP(listen); ip != nil && ip.IsUnspecified() {
		listen = "127.0.0.1"
	}
	dialer := &net.Dialer{Timeout: probeTimeout}
	client := http.Client{Timeout: probeTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{RootCAs: pool, ServerName: host, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, net.JoinHostPort(listen, strconv.Itoa(e.Network.HTTPSPort)))
			},
		}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+r.PathPrefix, nil)
	if err != nil {
		return target.Probe{Problem: err.Error()}
	}
	request.Header.Set("User-Agent", "slipway-probe")
	response, err := client.Do(request)
	if err != nil {
		return target.Probe{Problem: err.Error()}
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	_ = response.Body.Close()
	return target.Probe{Release: response.Header.Get("Slipway-Release"), StatusCode: response.StatusCode}
}
