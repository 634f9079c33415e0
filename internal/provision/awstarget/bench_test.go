package awstarget_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// BenchmarkCallsOfAPlan counts the calls to AWS of a plan that finds nothing to do, by service: of a
// region with one environment, and then with slots in it that are refreshed ten at a time, as
// Terraform does. To bring slots live on the emulator takes seconds each. The
// figures are in the guide to the aws target.
func BenchmarkCallsOfAPlan(b *testing.B) {
	l := newLab(b)
	d, _ := counting(b, l)
	for _, err := range []error{
		second(d.PutRegion(b.Context(), eu, mine)),
		second(d.PutEnvironment(b.Context(), environment(nil, eu.Name, "production"), mine)),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	made := 0
	for _, slots := range []int{0, 1, 10} {
		for ; made < slots; made++ {
			if err := serve(b.Context(), d, slotIn(eu.Name, fmt.Sprint("slot-", made))); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("%d slots", slots), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				run, calls := counting(b, l) // a plan is a process of its own
				b.StartTimer()
				plan(b, run, slots)
				report(b, calls.Made())
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

// counting makes a client whose calls are counted from its sign-in on.
func counting(b *testing.B, l *lab) (*awstarget.Target, *awstest.Calls) {
	calls := awstest.NewCalls(l.Transport())
	return l.client(b, func(_ *awstarget.Settings, o *awstarget.Options) {
		o.Clock = wait.NewFake(time.Now())
		o.Transport = func(http.RoundTripper) http.RoundTripper { return calls }
	}), calls
}

// plan refreshes a region, its environment and its slots, ten at a time.
func plan(b *testing.B, d target.Driver, slots int) {
	ctx := target.AllowRecent(b.Context())
	work := make(chan func() error)
	var workers sync.WaitGroup
	for range 10 {
		workers.Go(func() {
			for do := range work {
				if err := do(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	work <- func() error { return second(d.GetRegion(ctx, eu.Name)) }
	work <- func() error {
		return second(d.GetEnvironment(ctx, target.EnvironmentID{Region: eu.Name, Name: "production"}))
	}
	for i := range slots {
		work <- func() error { return refreshSlot(ctx, d, slotIn(eu.Name, fmt.Sprint("slot-", i))) }
	}
	close(work)
	workers.Wait()
}

// report tells how many calls there were, by service.
func report(b *testing.B, made []string) {
	count := map[string]int{}
	for _, call := range made {
		service, _, _ := strings.Cut(call, " ")
		count[service]++
	}
	services := make([]string, 0, len(count))
	for s := range count {
		services = append(services, s)
	}
	slices.SortFunc(services, func(x, y string) int { return cmp.Or(count[y]-count[x], cmp.Compare(x, y)) })
	for _, s := range services {
		b.ReportMetric(float64(count[s]), s+"-calls")
	}
	b.ReportMetric(float64(len(made)), "calls")
}
