package proxy_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

const benchClients = 50

// BenchmarkProxy is the throughput of 50 keep-alive HTTPS connections through the proxy.
func BenchmarkProxy(b *testing.B) { benchLoad(b, startProxy(b)) }

// BenchmarkProxyBesideFloor sends the same load through the proxy and through the floor in
// turn, and reports the median of the ratios of their throughputs: above 1 the proxy wins.
func BenchmarkProxyBesideFloor(b *testing.B) {
	const requests = 20_000
	ours, floor := startProxy(b), startFloor(b)
	var ratios []float64
	b.ResetTimer()
	for range b.N {
		took, _ := sendLoad(b, ours, requests)
		tookFloor, _ := sendLoad(b, floor, requests)
		ratios = append(ratios, tookFloor.Seconds()/took.Seconds())
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x-floor")
}

func startProxy(b *testing.B) string {
	backend := benchBackend(b)
	p := proxy.New(domain, quiet())
	must(b, p.PutStack(proxy.Stack{ID: "blue", Slot: "oms", Release: "1", Routes: everything}))
	must(b, p.SetInstances("blue", "api", []proxy.Instance{{ID: "1", Addr: backend}}))
	if _, err := p.SetTraffic(b.Context(), "oms", proxy.Traffic{Stack: "blue"}); err != nil {
		b.Fatal(err)
	}
	l := listen(b)
	done := make(chan error, 1)
	go func() { done <- p.Serve(proxy.Production, l, serverTLS(b)) }()
	b.Cleanup(func() {
		must(b, p.Close())
		must(b, <-done)
	})
	return l.Addr().String()
}

// BenchmarkReverseProxyFloor is the same load through what can be had in 40 lines.
func BenchmarkReverseProxyFloor(b *testing.B) { benchLoad(b, startFloor(b)) }

func startFloor(b *testing.B) string {
	target, err := url.Parse("http://" + benchBackend(b))
	must(b, err)
	var live atomic.Pointer[url.URL]
	live.Store(target)
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
	server := &http.Server{Handler: floor, TLSConfig: serverTLS(b), ReadHeaderTimeout: time.Minute}
	l := listen(b)
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(l, "", "") }()
	b.Cleanup(func() {
		must(b, server.Close())
		<-done
	})
	return l.Addr().String()
}

// benchBackend is an instance whose answers look like those of a small JSON API.
func benchBackend(b *testing.B) string {
	body := bytes.Repeat([]byte(`{"id":17},`), 30)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	})}
	l := listen(b)
	go func() { _ = server.Serve(l) }()
	b.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

// benchLoad sends b.N requests and reports what they met.
func benchLoad(b *testing.B, address string) {
	b.ReportAllocs()
	b.ResetTimer()
	took, sorted := sendLoad(b, address, b.N)
	b.StopTimer()
	if len(sorted) == 0 {
		return
	}
	b.ReportMetric(float64(len(sorted))/took.Seconds(), "requests/s")
	b.ReportMetric(float64(sorted[len(sorted)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(sorted[len(sorted)*99/100].Microseconds()), "µs-p99")
}

// sendLoad sends requests over 50 connections and returns how long they took, all together and
// each, in order.
func sendLoad(b *testing.B, address string, requests int) (time.Duration, []time.Duration) {
	var left atomic.Int64
	left.Store(int64(requests))
	latencies := make([][]time.Duration, benchClients)
	connections := make([]net.Conn, benchClients)
	for i := range connections {
		c, err := (&tls.Dialer{Config: clientTLS("http/1.1")}).DialContext(b.Context(), "tcp", address)
		must(b, err)
		connections[i] = c
		defer c.Close()
	}
	began := time.Now()
	var all sync.WaitGroup
	for i, c := range connections {
		all.Go(func() {
			r := bufio.NewReader(c)
			for left.Add(-1) >= 0 {
				begin := time.Now()
				if err := benchRequest(c, r); err != nil {
					b.Error(err)
					return
				}
				latencies[i] = append(latencies[i], time.Since(begin))
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	sorted := slices.Concat(latencies...)
	slices.Sort(sorted)
	return took, sorted
}

// benchRequest is a client that costs as little as possible, for it shares the machine.
func benchRequest(c net.Conn, r *bufio.Reader) error {
	if _, err := io.WriteString(c, "GET /orders?limit=30 HTTP/1.1\r\nHost: "+domain+"\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"); err != nil {
		return err
	}
	status, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200")) {
		return fmt.Errorf("answer %q", status)
	}
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	_, err = r.Discard(length)
	return err
}
