package awstarget_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestTwoUpdatesOfASlotAtOnce has two processes change one slot to two definitions at the same time, from the first
// call of one of them or from some later one. One does; the other is told who has the slot, or does when that one has
// ended. What is there then is one of the two, whole, and whoever was refused may come again.
func TestTwoUpdatesOfASlotAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	refused := 0
	for n, later := range []string{"", "CreateService", "ModifyRule"} {
		releases := []string{fmt.Sprint("one-", n), fmt.Sprint("other-", n)}
		s.may = append(s.may, releases...)
		first, other := s.process(), s.process()
		begin := make(chan struct{})
		started := sync.OnceFunc(func() { close(begin) })
		if later == "" {
			started()
		}
		first.calls.Watch(func(c awstest.Call) {
			if c.Changes() {
				s.look(c)
			}
			if c.Operation == later {
				started()
			}
		})
		errs := make([]error, 2)
		var working sync.WaitGroup
		working.Go(func() {
			errs[0] = s.swap(releases[0])(t.Context(), first)
			started()
		})
		working.Go(func() {
			<-begin
			errs[1] = s.swap(releases[1])(t.Context(), other)
		})
		working.Wait()
		var done, again []string
		for i, err := range errs {
			var held *target.LeaseHeldError
			switch {
			case err == nil:
				done = append(done, releases[i])
			case errors.As(err, &held):
				refused++
				again = append(again, releases[i])
			default:
				t.Errorf("%s, both from call %q on: %v", releases[i], later, err)
			}
		}
		state, err := s.process().provisioner().ReadSlot(t.Context(), s.id)
		if err != nil {
			t.Fatal(err)
		}
		serving, _ := state.Serving()
		release := serving.Spec.Definition.Release
		if len(done) == 0 || len(done) == 1 && done[0] != release {
			t.Fatalf("of both from call %q on %q were done, and release %q serves", later, done, release)
		}
		s.converged(release, s.whole)
		for _, release := range again {
			s.may = append(s.may, release)
			if err := s.swap(release)(t.Context(), s.process()); err != nil {
				t.Fatal(err)
			}
			s.converged(release, s.whole)
		}
	}
	if refused == 0 {
		t.Error("nobody was ever told that somebody else has the slot")
	}
}
