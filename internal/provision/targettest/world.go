package targettest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

const (
	owner = "the suite"
	// moment is a time that is short to wait for and long enough to act in.
	moment = 2 * time.Second
	// long is a time that no test outlasts.
	long = time.Hour
)

// group is what the tests of one group share.
type group struct {
	Harness
	driver  target.Driver
	clock   wait.Clock
	shared  *target.EnvironmentID
	domains map[target.EnvironmentID]string
	count   int
}

// world is one test and the target it runs on.
type world struct {
	*testing.T
	*group
}

// ok ends the test on an error.
func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// gone ends the test on an error other than that what was spoken of is not there: a target
// may say so of a repeated deletion.
func (w *world) gone(err error) {
	w.Helper()
	if err != nil && !errors.Is(err, target.ErrNotFound) {
		w.Fatal(err)
	}
}

// refused ends the test unless err is of a kind.
func (w *world) refused(err, kind error) {
	w.Helper()
	if !errors.Is(err, kind) {
		w.Fatalf("got error %v, want one that is %q", err, kind)
	}
}

// name makes a name that no other test of the group has.
func (w *world) name(prefix string) string {
	w.count++
	return fmt.Sprintf("%s-%d", prefix, w.count)
}

// reopened is another client of the same target.
func (w *world) reopened() target.Driver {
	w.Helper()
	return w.Reopen(w.T, w.driver)
}

// seen is an observation in words.
type seen string

func (s seen) String() string { return string(s) }

// until observes until it is done, and ends the test after the harness's patience. Awaited
// completes the sentence "waited for …".
func (w *world) until(awaited string, observe func(context.Context) (saw string, done bool, err error)) {
	w.Helper()
	limit := w.clock.Now().Add(w.Patience)
	pace := wait.Options{Clock: w.clock, Max: 200 * time.Millisecond}
	_, err := wait.Until(w.Context(), pace, func(ctx context.Context) (seen, bool, error) {
		saw, done, err := observe(ctx)
		if err == nil && !done && w.clock.Now().After(limit) {
			err = fmt.Errorf("not within %s, last seen: %s", w.Patience, saw)
		}
		return seen(saw), done, err
	})
	if err != nil {
		w.Fatalf("waited for %s: %v", awaited, err)
	}
}

// after waits until the clock has passed a time.
func (w *world) after(at time.Time) {
	w.Helper()
	w.until("the clock", func(context.Context) (string, bool, error) {
		now := w.clock.Now()
		return now.String(), now.After(at), nil
	})
}

// together runs f n times at once on two clients and returns the errors.
func (w *world) together(n int, f func(d target.Driver, i int) error) []error {
	w.Helper()
	clients := []target.Driver{w.driver, w.reopened()}
	errs := make([]error, n)
	done := make(chan struct{})
	for i := range n {
		go func() {
			errs[i] = f(clients[i%2], i)
			done <- struct{}{}
		}()
	}
	for range n {
		<-done
	}
	return errs
}

// oneWins ends the test unless exactly one of errs is nil and the others are of a kind.
func (w *world) oneWins(errs []error, kind error) {
	w.Helper()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		w.refused(err, kind)
	}
	if won != 1 {
		w.Fatalf("%d of %d calls at once succeeded, want 1", won, len(errs))
	}
}

// putRegion makes a region of a name.
func (w *world) putRegion(name string) target.Region {
	w.Helper()
	r := target.Region{Name: name, Location: w.Location, Jurisdiction: "EU"}
	_, err := w.driver.PutRegion(w.Context(), r, target.PutOptions{Owner: owner})
	w.ok(err)
	return r
}

// putEnvironment makes an environment and waits until it is ready.
func (w *world) putEnvironment(e target.Environment) {
	w.Helper()
	_, err := w.driver.PutEnvironment(w.Context(), e, target.PutOptions{Owner: owner})
	w.ok(err)
	w.environmentReady(e.ID())
}

func (w *world) environmentReady(id target.EnvironmentID) target.EnvironmentRecord {
	w.Helper()
	var rec target.EnvironmentRecord
	w.until("environment "+id.String(), func(ctx context.Context) (saw string, done bool, err error) {
		rec, err = w.driver.GetEnvironment(ctx, id)
		return rec.Meta.Problem, rec.Meta.Ready && rec.Meta.Problem == "", err
	})
	return rec
}

// environment is the environment that the tests of the group share.
func (w *world) environment() target.EnvironmentID {
	w.Helper()
	if w.shared == nil {
		r := w.putRegion("eu")
		e := w.Environment(w.T, r.Name, "production")
		w.putEnvironment(e)
		id := e.ID()
		w.shared = &id
	}
	return *w.shared
}

// domain is the domain name of an environment.
func (w *world) domain(id target.EnvironmentID) string {
	w.Helper()
	if w.domains[id] == "" {
		env, err := w.driver.GetEnvironment(w.Context(), id)
		w.ok(err)
		if w.domains == nil {
			w.domains = map[target.EnvironmentID]string{}
		}
		w.domains[id] = env.Spec.DomainName
	}
	return w.domains[id]
}
