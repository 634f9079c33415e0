package awstarget

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestEachAddressOfAFrontDoorIsAsked asks a load balancer whose name leads to several addresses.
func TestEachAddressOfAFrontDoorIsAsked(t *testing.T) {
	t.Parallel()
	roots := x509.NewCertPool()
	node := func(release string, status int) string {
		n := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get(headerProbe) != "" {
				_, _ = w.Write([]byte(release))
				return
			}
			w.Header().Set("Server", "awselb/2.0")
			w.WriteHeader(status)
		}))
		t.Cleanup(n.Close)
		roots.AddCert(n.Certificate())
		return n.Listener.Addr().String()
	}
	const front = "door.elb.amazonaws.com"
	nodes := map[string]string{
		"10.0.0.1": node("2", http.StatusOK), "10.0.0.2": node("2", http.StatusOK),
		"10.0.0.3": node("1", http.StatusOK), "10.0.0.4": node("2", http.StatusServiceUnavailable),
	}
	nodes[front] = nodes["10.0.0.1"]
	for _, c := range []struct {
		name      string
		addresses []string
		want      string
	}{
		{"all answer with the release", []string{"10.0.0.1", "10.0.0.2"}, `release "2", reached true: `},
		{"the second one has not heard of the switch", []string{"10.0.0.1", "10.0.0.3"}, `release "1", reached true: `},
		{"behind the second one there is no application", []string{"10.0.0.1", "10.0.0.4"}, `release "", reached true: the load balancer answered with status 503: the application did not`},
		{"the second one can't be reached: clients go to the first", []string{"10.0.0.1", "10.0.0.9"}, `release "2", reached true: `},
		{"the first one can't be reached: clients go to the second", []string{"10.0.0.9", "10.0.0.3"}, `release "1", reached true: `},
		{"none can be reached", []string{"10.0.0.8", "10.0.0.9"}, `release "", reached false: ask for example.com`},
		{"the name is not known here", nil, `release "2", reached true: `},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			doors := &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
				DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
					host, _, err := net.SplitHostPort(to)
					if err != nil || nodes[host] == "" {
						return nil, errors.Join(errUnreached, err)
					}
					return (&net.Dialer{}).DialContext(ctx, network, nodes[host])
				},
			}
			w := &slotWork{noun: &noun{clients: &clients{doors: doors, resolve: func(_ context.Context, name string) ([]string, error) {
				if name != front || c.addresses == nil {
					return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
				}
				return c.addresses, nil
			}}}, spec: target.Environment{DomainName: "example.com", Network: target.Network{HTTPSPort: 443}}}
			p, reached, err := w.probe(t.Context(), front, target.Route{PathPrefix: "/"}, "2")
			if got := fmt.Sprintf("release %q, reached %t: %s", p.Release, reached, p.Problem); err != nil || !strings.HasPrefix(got, c.want) || strings.HasSuffix(c.want, ": ") && got != c.want {
				t.Errorf("got  %s (%v)\nwant %s", got, err, c.want)
			}
		})
	}
}

func TestAProxyFindsAFrontDoorByItsName(t *testing.T) {
	t.Parallel()
	doors := &http.Transport{Proxy: func(r *http.Request) (*url.URL, error) {
		if r.URL.Hostname() == "direct" {
			return nil, nil
		}
		return url.Parse("http://proxy")
	}}
	c := &clients{doors: doors, resolve: func(context.Context, string) ([]string, error) { return []string{"10.0.0.1"}, nil }}
	for name, want := range map[string]string{"direct": "10.0.0.1", "other": "other"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+name+"/", nil)
		if got := c.addresses(t.Context(), r); len(got) != 1 || got[0] != want {
			t.Errorf("%s is asked at %q, want %q", name, got, want)
		}
	}
}
