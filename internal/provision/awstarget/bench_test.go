package awstarget_test

import (
	"cmp"
	"context"
	"errors"
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

// slotsOfOne is how many slots with one routed component have room in an environment: a load
// balancer has 100 rules at most, and a slot has three during a swap.
const slotsOfOne = 33

// BenchmarkCalls counts the calls to AWS, by service, of a plan that finds nothing to do and of one
// swap: with one slot, ten and a hundred, and with one account database, a hundred and a
// thousand. A hundred slots are in four environments. The figures are in the guide to the aws target.
func BenchmarkCalls(b *testing.B) {
	l := newLab(b)
	p := &platform{B: b, lab: l, driver: l.client(b)}
	p.ok(second(p.driver.PutRegion(b.Context(), eu, mine)))
	p.environments(1)
	for _, slots := range []int{0, 1, 10, 100} {
		p.grow(slots)
		for _, databases := range []int{0, 1, 100, 1000} {
			if (slots == 0) != (databases == 0) {
				continue
			}
			p.plant(databases)
			b.Run(fmt.Sprintf("plan/%d slots/%d databases", slots, databases), p.plan)
		}
		if slots > 0 {
			b.Run(fmt.Sprintf("swap/%d slots/1000 databases", slots), p.swap)
		}
	}
}

// platform is what calls are counted on.
type platform struct {
	*testing.B
	lab    *lab
	driver *awstarget.Target

	made      []target.EnvironmentID
	slots     []target.SlotID
	databases []target.AccountDatabaseID
	secrets   int // that are planted, with the first
	release   int // that slots swap to next
}

func (p *platform) ok(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

// environments makes environments until there are so many.
func (p *platform) environments(n int) {
	for len(p.made) < n {
		e := environment(nil, eu.Name, []string{"production", "second", "third", "fourth"}[len(p.made)])
		p.ok(second(p.driver.PutEnvironment(p.Context(), e, mine)))
		p.made = append(p.made, e.ID())
	}
}

// grow brings slots live, ten at a time, until there are so many.
func (p *platform) grow(n int) {
	p.environments(1 + (n-1)/slotsOfOne)
	var all []func() error
	for i := len(p.slots); i < n; i++ {
		id := target.SlotID{Environment: p.made[i/slotsOfOne], Name: fmt.Sprintf("slot-%d", i)}
		p.slots = append(p.slots, id)
		all = append(all, func() error { return serve(p.Context(), p.driver, wait.Real{}, id) })
	}
	p.ok(tenAtATime(all))
}

// plan counts the calls of a plan, which is a process of its own.
func (p *platform) plan(b *testing.B) {
	for b.Loop() {
		run, calls := counting(b, p.lab)
		if err := tenAtATime(p.looks(target.AllowRecent(b.Context()), run)); err != nil {
			b.Fatal(err)
		}
		report(b, calls.Made())
	}
}

// looks are what Terraform's plan looks at for each resource.
func (p *platform) looks(ctx context.Context, d target.Driver) []func() error {
	all := []func() error{func() error { return second(d.GetRegion(ctx, eu.Name)) }}
	installation := func() error { return second(d.Installation(ctx)) }
	for _, id := range p.made {
		all = append(all, installation, func() error { return second(d.GetEnvironment(ctx, id)) })
	}
	for _, id := range p.slots {
		all = append(all, installation, func() error {
			errL := second(d.ListSlots(ctx, id.Environment))
			return errors.Join(refreshSlot(ctx, d, id), errL, second(d.GetEnvironment(ctx, id.Environment)))
		})
	}
	for _, id := range p.databases {
		all = append(all, installation, func() error {
			rec, err := d.GetAccountDatabase(ctx, id)
			if err == nil && (rec.Vanished || len(rec.Status.Drift) > 0) {
				err = fmt.Errorf("account database %q has vanished: %t, drift %q", id, rec.Vanished, rec.Status.Drift)
			}
			return err
		})
	}
	return all
}

// tenAtATime does things as Terraform does.
func tenAtATime(all []func() error) error {
	work, errs := make(chan func() error), make([]error, 10)
	var workers sync.WaitGroup
	for n := range errs {
		workers.Go(func() {
			for do := range work {
				errs[n] = errors.Join(errs[n], do())
			}
		})
	}
	for _, do := range all {
		work <- do
	}
	close(work)
	workers.Wait()
	return errors.Join(errs...)
}

// counting makes a client whose calls are counted from its sign-in on.
func counting(b *testing.B, l *lab) (*awstarget.Target, *awstest.Calls) {
	calls := awstest.NewCalls(l.Transport())
	return l.client(b, func(_ *awstarget.Settings, o *awstarget.Options) {
		o.Clock = wait.NewFake(time.Now())
		o.Transport = func(http.RoundTripper) http.RoundTripper { return calls }
	}), calls
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
