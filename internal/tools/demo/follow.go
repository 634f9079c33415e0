package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// follower tells the phases of swaps as they are reached.
type follower struct {
	place
	narrator *narrator
	told     map[string]bool // slot, swap and number of the step
}

// follow tells the phases of all swaps that begin from now on, until stop is called.
func follow(ctx context.Context, n *narrator, p place) (stop func(), err error) {
	f := &follower{place: p, narrator: n, told: map[string]bool{}}
	if err := f.look(ctx, func(target.SlotID, target.Step) {}); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = f.look(ctx, f.tell) // a look that fails is made up for by the next one
			}
		}
	})
	return func() {
		cancel()
		group.Wait()
		_ = f.look(context.WithoutCancel(ctx), f.tell)
	}, nil
}

func (f *follower) tell(slot target.SlotID, s target.Step) {
	text := fmt.Sprintf("%-16s %s", slot, s.Phase)
	if s.Note != "" {
		text += ": " + s.Note
	}
	f.narrator.say("%s", text)
}

// look calls seen for each step that was not there before, in the order of time.
func (f *follower) look(ctx context.Context, seen func(slot target.SlotID, s target.Step)) error {
	slots, err := f.slots(ctx)
	if err != nil {
		return err
	}
	type news struct {
		slot target.SlotID
		step target.Step
	}
	var all []news
	for _, slot := range slots {
		if slot.Swap == nil {
			continue
		}
		for i, s := range slot.Swap.Steps {
			key := fmt.Sprint(slot.ID, slot.Swap.ID, i)
			if !f.told[key] {
				f.told[key] = true
				all = append(all, news{slot.ID, s})
			}
		}
	}
	slices.SortFunc(all, func(a, b news) int { return a.step.At.Compare(b.step.At) })
	for _, n := range all {
		seen(n.slot, n.step)
	}
	return nil
}
