package bench

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	rounds = 7
	swaps  = 20
)

// BenchmarkProxies prints how fast each contender is and what a swap costs its clients. It takes
// about five minutes and judges nothing but that requests through Slipway do not fail. Without -v
// go test cuts the tables off.
func BenchmarkProxies(b *testing.B) {
	s := setScene(b)
	all, missing := contenders(b, s)
	if len(missing) > 0 {
		b.Logf("Left out, as not on PATH: %s. Debian has them: apt-get install --no-install-recommends nginx-light haproxy caddy",
			strings.Join(missing, ", "))
	}
	b.Logf("%s; %d keep-alive HTTPS connections without a pause; least / median / greatest", machine(), clients)
	for range b.N {
		compareSpeeds(b, all)
		compareSwaps(b, all)
	}
	b.Log(machine())
}

// compareSpeeds lets all take turns and compares within each round.
func compareSpeeds(b *testing.B, all []contender) {
	rates, tails := make([]spread, len(all)), make([]spread, len(all))
	for round := range rounds {
		for i := range all {
			i = (i + round) % len(all) // nobody is always the first
			rate, tail := measureSpeed(b, all[i])
			rates[i], tails[i] = append(rates[i], rate), append(tails[i], tail)
		}
	}
	rows := [][]string{{"", "requests/s", "over direct", "over floor", "p99 ms", "over direct", "over floor"}}
	for i, c := range all {
		rows = append(rows, []string{
			c.name,
			fmt.Sprintf("%.0f", rates[i].median()), rates[i].over(rates[0]).String(), rates[i].over(rates[1]).String(),
			fmt.Sprintf("%.1f", tails[i].median()), tails[i].over(tails[0]).String(), tails[i].over(tails[1]).String(),
		})
		if c.name == "slipway" {
			b.ReportMetric(rates[i].over(rates[0]).median(), "x-direct")
			b.ReportMetric(rates[i].over(rates[1]).median(), "x-floor")
		}
	}
	b.Logf("Speed, %d rounds of a second:\n%s", rounds, table(rows))
}

// measureSpeed returns requests per second and the 99th percentile in milliseconds.
func measureSpeed(b *testing.B, c contender) (rate, tail float64) {
	l := startLoad(b, c.address)
	defer l.stop()
	l.during(time.Second / 4) // warms up
	got, took := l.during(time.Second)
	if n := got.failed(); n > 0 {
		b.Errorf("%s: %d of %d requests failed", c.name, n, len(got))
	}
	return float64(len(got)) / took.Seconds(), milliseconds(got.quantile(0.99))
}

func compareSwaps(b *testing.B, all []contender) {
	rows := [][]string{{"", "failed", "slowest ms", "over steady", "last old answer ms", "switched back ms", "p99 over steady", "WebSockets", "peak MiB"}}
	for _, c := range all {
		if c.swap == nil {
			continue
		}
		got := measureSwaps(b, c)
		alive := countSockets(b, c)
		rows = append(rows, []string{
			c.name, fmt.Sprintf("%d of %d", got.failed, got.requests),
			fmt.Sprintf("%.1f", got.slowest), got.slowestRatio.String(), got.lastOld.String(), got.back.String(), got.tailRatio.String(),
			fmt.Sprintf("%d of %d", alive, sockets), peakMemory(c.pid),
		})
		if c.name == "slipway" {
			b.ReportMetric(got.tailRatio.median(), "p99-swap-over-steady")
			if got.failed > 0 || alive < sockets {
				b.Errorf("%d requests failed, and %d of %d WebSockets live on", got.failed, alive, sockets)
			}
		}
	}
	b.Logf(`%d swaps under load. Times begin with the order to swap; switched back is when the command has returned
and the release that leaves has given its last answer; steady is the second before:
%s`, swaps, table(rows))
}

// swapped is what the clients of a contender met in its swaps.
type swapped struct {
	requests, failed int
	slowest          float64 // in milliseconds
	slowestRatio     spread  // in the second of a swap, over the one before
	tailRatio        spread
	lastOld, back    spread // in milliseconds
}

func measureSwaps(b *testing.B, c contender) (out swapped) {
	l := startLoad(b, c.address)
	defer l.stop()
	l.during(time.Second / 4) // warms up
	before, _ := l.during(time.Second)
	for n := range swaps {
		from, to := "blue", "green"
		if n%2 == 1 {
			from, to = to, from
		}
		ends, began := time.After(time.Second), time.Now()
		must(b, c.swap(to))
		returned := time.Since(began)
		<-ends
		in := l.take()
		after, _ := l.during(time.Second)
		old := max(append(in, after...).last(from).Sub(began), 0)
		out.lastOld = append(out.lastOld, milliseconds(old))
		if to == "blue" {
			out.back = append(out.back, milliseconds(max(old, returned)))
		}
		out.requests += len(in) + len(after)
		out.failed += in.failed() + after.failed()
		out.slowest = max(out.slowest, milliseconds(in.quantile(1)))
		out.slowestRatio = append(out.slowestRatio, ratio(in.quantile(1), before.quantile(1)))
		out.tailRatio = append(out.tailRatio, ratio(in.quantile(0.99), before.quantile(0.99)))
		before = after
	}
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func ratio(d, of time.Duration) float64 { return d.Seconds() / of.Seconds() }

// BenchmarkSlipway is the proxy in this process, for profiles and allocations.
func BenchmarkSlipway(b *testing.B) { benchmarkHere(b, "slipway") }

// BenchmarkFloor is the floor in this process.
func BenchmarkFloor(b *testing.B) { benchmarkHere(b, "floor") }

func benchmarkHere(b *testing.B, name string) {
	s := setScene(b)
	l := listen(b)
	b.Cleanup(func() { _ = l.Close() })
	_, err := own[name](l, s.certificate, s.instances)
	must(b, err)
	var left atomic.Int64
	left.Store(int64(b.N))
	all := make([]*client, clients)
	for i := range all {
		all[i] = &client{address: l.Addr().String()}
		must(b, all[i].connect())
		defer all[i].close()
	}
	var group sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for _, c := range all {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				if c.request().failed {
					b.Error("a request failed")
					return
				}
			}
		})
	}
	group.Wait()
}
