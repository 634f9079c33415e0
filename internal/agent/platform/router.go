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

// candidate says whether a seat holds the stack of a swap that has not ended. The caller
// holds s.mu.
func (s *slot) candidate(c target.Color) bool {
	if s.file.Record == nil || s.file.Record.Swap == nil {
		return false
	}
	w := s.file.Record.Swap
	return !w.Phase.Finished() && w.To == c
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
	spec, front := s.e.spec(), s.e.front()
	if front == nil {
		return target.Probe{Problem: "the front door is not open"}, nil
	}
	out := target.Probe{Release: d.Release}
	for _, name := range target.SortedKeys(d.Components) {
		c := d.Components[name]
		if c.Worker() {
			continue
		}
		if out = p.probeRoute(ctx, front, spec, c.Routes[0]); out.Release != d.Release {
			out.Problem = strings.TrimSpace(fmt.Sprintf("at component %q %s", name, out.Problem))
			return out, nil
		}
	}
	return out, nil
}

func (p *Platform) probeRoute(ctx context.Context, front *proxy.Proxy, e target.Environment, r target.Route) target.Probe {
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
	front.MarkProbe(request)
	response, err := client.Do(request)
	if err != nil {
		return target.Probe{Problem: err.Error()}
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	_ = response.Body.Close()
	return target.Probe{Release: response.Header.Get("Slipway-Release"), StatusCode: response.StatusCode}
}
