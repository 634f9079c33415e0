package wait_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func TestTheFakeClockCallsWhatIsDueWhenItIsDue(t *testing.T) {
	t.Parallel()
	clock := wait.NewFake(noon)
	var got []string
	note := func(name string) func() {
		return func() { got = append(got, name+" "+clock.Now().Sub(noon).String()) }
	}
	stop := clock.Every(3*time.Second, note("a"))
	defer clock.Every(5*time.Second, note("b"))()
	clock.Advance(7 * time.Second)
	stop()
	clock.Advance(2 * time.Second)
	clock.Jump(time.Minute)
	if err := clock.Sleep(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a 3s", "b 5s", "a 6s", "b 1m9s"}, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if got := clock.Now().Sub(noon); got != 70*time.Second {
		t.Errorf("the clock stands at %s, want 1m10s", got)
	}
}

func TestASleepOnTheFakeClockEndsWithItsContext(t *testing.T) {
	t.Parallel()
	clock := wait.NewFake(noon)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer clock.Every(time.Second, func() { cancel(why) })()
	if err := clock.Sleep(ctx, time.Minute); !errors.Is(err, why) {
		t.Errorf("got error %v, want %v", err, why)
	}
}

func TestTheRealClockCallsUntilItIsStopped(t *testing.T) {
	t.Parallel()
	calls := make(chan struct{})
	stop := wait.Real{}.Every(time.Millisecond, func() {
		select {
		case calls <- struct{}{}:
		case <-t.Context().Done():
		}
	})
	<-calls
	<-calls
	go func() { // what is under way when it is stopped must not hang
		for range calls {
		}
	}()
	stop()
	stop()
	close(calls)
}
