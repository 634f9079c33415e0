package proxy_test

import (
	"bufio"
	"crypto/tls"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

// swaps is how often an iteration of BenchmarkSwap swaps.
const swaps = 20

// BenchmarkSwap swaps under the load of 50 keep-alive HTTPS connections, and compares the
// 99th percentile of the latencies in the second of a swap with that of the second before:
// the medians of 20 swaps.
func BenchmarkSwap(b *testing.B) {
	p := proxy.New(domain, quiet())
	b.Cleanup(func() { _ = p.Close() })
	colors := []string{"blue", "green"}
	for _, color := range colors {
		must(b, p.PutStack(proxy.Stack{ID: color, Slot: "oms", Release: color, Routes: everything}))
		must(b, p.SetInstances(color, "api", []proxy.Instance{{ID: "1", Addr: benchBackend(b)}}))
	}
	swap := func(n int) {
		_, err := p.SetTraffic(b.Context(), "oms", proxy.Traffic{Stack: colors[n%2]})
		must(b, err)
	}
	swap(0)
	l := listen(b)
	settings := serverTLS(b)
	done := make(chan error, 1)
	go func() { done <- p.Serve(proxy.Production, l, settings) }()
	seconds := startSeconds(b, l.Addr().String())
	seconds.next() // warms up
	var steady, swapped []time.Duration
	b.ResetTimer()
	for n := range b.N * swaps {
		steady = append(steady, seconds.next())
		swap(n + 1)
		swapped = append(swapped, seconds.next())
	}
	b.StopTimer()
	seconds.stop()
	must(b, p.Close())
	must(b, <-done)
	slices.Sort(steady)
	slices.Sort(swapped)
	before, in := steady[len(steady)/2], swapped[len(swapped)/2]
	b.ReportMetric(float64(before.Microseconds()), "µs-p99-steady")
	b.ReportMetric(float64(in.Microseconds()), "µs-p99-swap")
	b.ReportMetric(float64(in)/float64(before), "p99-ratio")
}

// seconds is a load whose latencies are collected second by second.
type seconds struct {
	mu        sync.Mutex
	latencies []time.Duration
	quit      chan struct{}
	clients   sync.WaitGroup
}

func startSeconds(b *testing.B, address string) *seconds {
	s := &seconds{quit: make(chan struct{})}
	for range benchClients {
		c, err := tls.Dial("tcp", address, clientTLS("http/1.1"))
		must(b, err)
		s.clients.Go(func() {
			defer c.Close()
			r := bufio.NewReader(c)
			for {
				select {
				case <-s.quit:
					return
				default:
				}
				begin := time.Now()
				if err := benchRequest(c, r); err != nil {
					b.Error(err)
					return
				}
				took := time.Since(begin)
				s.mu.Lock()
				s.latencies = append(s.latencies, took)
				s.mu.Unlock()
			}
		})
	}
	return s
}

// next lets a second pass and returns the 99th percentile of its latencies.
func (s *seconds) next() time.Duration {
	<-time.After(time.Second)
	s.mu.Lock()
	latencies := s.latencies
	s.latencies = nil
	s.mu.Unlock()
	slices.Sort(latencies)
	if len(latencies) == 0 {
		return 0
	}
	return latencies[len(latencies)*99/100]
}

func (s *seconds) stop() {
	close(s.quit)
	s.clients.Wait()
}
