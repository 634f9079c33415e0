package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// underLoad makes a change while both accounts order, and fails if a single order is lost.
// The error of the change itself is the second one.
func (t *teller) underLoad(ctx context.Context, change func() error) (r report, lost, changed error) {
	before, err := t.platform.counts(ctx)
	if err != nil {
		return report{}, err, nil
	}
	l, err := startLoad(ctx, t.platform.shop, t.platform.accounts())
	if err != nil {
		return report{}, err, nil
	}
	select {
	case <-l.steady:
	case <-ctx.Done():
		l.end()
		return report{}, ctx.Err(), nil
	}
	t.say("%d keep-alive HTTPS connections send orders now", connections)
	changed = change()
	t.pause(ctx, time.Second) // what goes wrong just after it counts too
	r = l.end()
	if ctx.Err() != nil {
		return r, ctx.Err(), changed
	}
	after, err := t.platform.counts(ctx)
	if err != nil {
		return r, err, changed
	}
	return r, t.verify(r, before, after), changed
}

// verify compares what clients were told with what the databases hold.
func (t *teller) verify(r report, before, after map[string]int) error {
	t.say("orders sent %d, failed %d, acknowledged %d (%s), slowest %s",
		r.Sent, r.Failed, r.acknowledged(), r.releases(), r.Slowest.Round(time.Millisecond))
	var lost []error
	for _, account := range t.platform.accounts() {
		stored := after[account] - before[account]
		t.say("%-8s acknowledged %d, in its database %d", account, r.Acknowledged[account], stored)
		if stored != r.Acknowledged[account] {
			lost = append(lost, fmt.Errorf("%s has %d orders in its database and was told of %d", account, stored, r.Acknowledged[account]))
		}
	}
	for _, failure := range r.Failures {
		lost = append(lost, errors.New("failed: "+failure))
	}
	if r.Failed > 0 {
		lost = append(lost, fmt.Errorf("%d of %d orders failed", r.Failed, r.Sent))
	}
	return errors.Join(lost...)
}

func (t *teller) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
