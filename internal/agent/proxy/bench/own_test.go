package bench

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

// serveSlipway serves with the proxy of the agent.
func serveSlipway(l net.Listener, certificate string, instances map[string]string) (func(string) error, error) {
	settings, err := serverTLS(certificate)
	if err != nil {
		return nil, err
	}
	p := proxy.New(domain, slog.New(slog.DiscardHandler))
	everything := []proxy.Route{{PathPrefix: "/", Component: "api"}}
	for release, address := range instances {
		if err := p.PutStack(proxy.Stack{ID: release, Slot: "oms", Release: release, Routes: everything}); err != nil {
			return nil, err
		}
		if err := p.SetInstances(release, "api", []proxy.Instance{{ID: "1", Addr: address}}); err != nil {
			return nil, err
		}
	}
	swap := func(to string) error {
		_, err := p.SetTraffic(context.Background(), "oms", proxy.Traffic{Stack: to})
		return err
	}
	go func() { _ = p.Serve(proxy.Production, l, settings) }()
	return swap, swap("blue")
}

// serveFloor serves with what can be had in 40 lines: the floor for code of one's own.
func serveFloor(l net.Listener, certificate string, instances map[string]string) (func(string) error, error) {
	settings, err := serverTLS(certificate)
	if err != nil {
		return nil, err
	}
	var live atomic.Pointer[url.URL]
	swap := func(to string) error {
		live.Store(&url.URL{Scheme: "http", Host: instances[to]})
		return nil
	}
	floor := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(live.Load())
			r.SetXForwarded()
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{MaxIdleConns: 1000, MaxIdleConnsPerHost: 1000, DisableCompression: true},
		ModifyResponse: func(r *http.Response) error {
			r.Header.Set("Slipway-Release", "1")
			return nil
		},
	}
	server := &http.Server{Handler: floor, TLSConfig: settings, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.ServeTLS(l, "", "") }()
	return swap, swap("blue")
}

func serverTLS(certificate string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(certificate, certificate)
	if err != nil {
		return nil, fmt.Errorf("load certificate: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}, nil
}

// startOwn starts a contender of ours as a process of its own.
func startOwn(b *testing.B, name string, s scene) contender {
	b.Helper()
	cmd := exec.Command(os.Args[0], name, s.certificate, s.instances["blue"], s.instances["green"])
	cmd.Env, cmd.Stderr = append(os.Environ(), variable+"=1"), os.Stderr
	orders, err := cmd.StdinPipe()
	must(b, err)
	out, err := cmd.StdoutPipe()
	must(b, err)
	must(b, cmd.Start())
	b.Cleanup(func() {
		_ = orders.Close()
		_ = cmd.Wait()
	})
	answers := bufio.NewReader(out)
	address, err := answers.ReadString('\n')
	must(b, err)
	return contender{name: name, address: strings.TrimSpace(address), pid: cmd.Process.Pid, swap: func(to string) error {
		if _, err := io.WriteString(orders, to+"\n"); err != nil {
			return err
		}
		_, err := answers.ReadString('\n')
		return err
	}}
}
