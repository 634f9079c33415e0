package proxy_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

const (
	domain   = "eu.localhost"
	patience = 20 * time.Second // for what must happen, on a busy machine
)

var everything = []proxy.Route{{PathPrefix: "/", Component: "api"}}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// receive waits for a value.
func receive[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(patience):
		t.Fatalf("waited in vain for: %s", what)
		panic("unreachable")
	}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	return l
}

// serverTLS is the TLS of an entrance, with a certificate that signs itself.
func serverTLS(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{domain, "*." + domain},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"h2", "http/1.1"},
	}
}

// clientTLS trusts whomever it meets: the certificate is not what is tested here.
func clientTLS(protocols ...string) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, ServerName: domain, NextProtos: protocols}
}

// door is a proxy with both entrances open.
type door struct {
	*proxy.Proxy
	production, preview string // addresses
	served              chan error
}

func openDoor(t testing.TB) *door {
	t.Helper()
	d := &door{Proxy: proxy.New(domain, quiet()), served: make(chan error, 2)}
	production, preview := listen(t), listen(t)
	d.production, d.preview = production.Addr().String(), preview.Addr().String()
	settings := serverTLS(t)
	go func() { d.served <- d.Serve(proxy.Production, production, settings) }()
	go func() { d.served <- d.Serve(proxy.Preview, preview, settings) }()
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		for range 2 {
			// A test without requests may end before Serve has begun.
			if err := receive(t, "the end of Serve", d.served); err != nil && !errors.Is(err, proxy.ErrClosed) {
				t.Errorf("serve: %v", err)
			}
		}
	})
	return d
}

// put adds a stack to slot "oms" whose component "api" has the instances.
func (d *door) put(t testing.TB, id, release string, instances ...proxy.Instance) {
	t.Helper()
	must(t, d.PutStack(proxy.Stack{ID: id, Slot: "oms", Release: release, Routes: everything}))
	must(t, d.SetInstances(id, "api", instances))
}

// serve switches slot "oms".
func (d *door) serve(t testing.TB, id string) proxy.Switched {
	t.Helper()
	switched, err := d.SetTraffic(t.Context(), "oms", proxy.Traffic{Stack: id})
	must(t, err)
	return switched
}

// httpClient reaches an entrance by any name.
func httpClient(t testing.TB, address string, protocol string) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig:    clientTLS(protocol),
		ForceAttemptHTTP2:  protocol == "h2",
		DisableCompression: true,
		MaxConnsPerHost:    0,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// answered is an answer that has been read to its end.
type answered struct {
	status  int
	header  http.Header
	trailer http.Header
	body    string
}

func get(t testing.TB, c *http.Client, url string) answered {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	return do(t, c, r)
}

func do(t testing.TB, c *http.Client, r *http.Request) answered {
	t.Helper()
	a, err := try(c, r)
	must(t, err)
	return a
}

func try(c *http.Client, r *http.Request) (answered, error) {
	resp, err := c.Do(r)
	if err != nil {
		return answered{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answered{resp.StatusCode, resp.Header, resp.Trailer, string(body)}, err
}

// app is an instance, an HTTP server.
type app struct {
	proxy.Instance
	server *http.Server
	stop   func() // at once, and only once
}

func startApp(t testing.TB, id string, h http.HandlerFunc) *app {
	t.Helper()
	l := listen(t)
	a := &app{Instance: proxy.Instance{ID: id, Addr: l.Addr().String()}}
	a.server = &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(quiet().Handler(), slog.LevelError)}
	done := make(chan struct{})
	go func() { defer close(done); _ = a.server.Serve(l) }()
	a.stop = sync.OnceFunc(func() {
		_ = a.server.Close()
		<-done
	})
	t.Cleanup(a.stop)
	return a
}

// says answers with a text and, for requests with a body, the body.
func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintf(w, "%s%s", text, body)
	}
}

// startRaw is an instance that talks TCP: it calls talk for every connection.
func startRaw(t testing.TB, id string, talk func(c net.Conn)) proxy.Instance {
	t.Helper()
	l := listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	var talks sync.WaitGroup
	talks.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			talks.Go(func() {
				defer c.Close()
				defer context.AfterFunc(ctx, func() { _ = c.Close() })()
				talk(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		cancel()
		talks.Wait()
	})
	return proxy.Instance{ID: id, Addr: l.Addr().String()}
}

// deadAddress is one where nobody listens.
func deadAddress(t testing.TB) string {
	t.Helper()
	l := listen(t)
	must(t, l.Close())
	return l.Addr().String()
}

// pattern is a body of n bytes in which a missing or doubled piece shows.
func pattern(n int) string {
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "%d,", b.Len())
	}
	return b.String()[:n]
}
