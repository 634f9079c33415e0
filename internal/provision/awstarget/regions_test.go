package awstarget_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/operator"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// TestTwoRegionsInOneRun makes an environment in each of two regions at the same time, with one
// client, as one apply does. The installation's home is in a third.
func TestTwoRegionsInOneRun(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.try(t, wait.NewFake(time.Now()), time.Second)
	calls := d.calls
	places := map[string]string{"america": elsewhere, "asia": "ap-southeast-2"}
	each := func(do func(ctx context.Context, region string) error) {
		t.Helper()
		errs := make(chan error, len(places))
		var all sync.WaitGroup
		for region := range places {
			all.Go(func() { errs <- do(t.Context(), region) })
		}
		all.Wait()
		close(errs)
		for err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	calls.FailAt(0, awstest.FailBefore)
	each(func(ctx context.Context, region string) error {
		_, err := d.PutRegion(ctx, target.Region{Name: region, Location: places[region], Jurisdiction: "EU"}, mine)
		return err
	})
	each(func(ctx context.Context, region string) error {
		_, err := d.PutEnvironment(ctx, environment(t, region, "production"), mine)
		return err
	})
	each(func(ctx context.Context, region string) error { return serve(ctx, d, d.clock, slotIn(region, "oms")) })
	inRightRegion(t, calls.Sent(), places)

	calls.FailAt(0, awstest.FailBefore)
	l.forgetCalls()
	each(func(ctx context.Context, region string) error { return refresh(ctx, d, slotIn(region, "oms")) })
	inRightRegion(t, calls.Sent(), places)
	l.heldToPlans(t)
	plan := l.client(t)
	for region := range places { // one after the other: what was asked in one is no answer in the other
		if err := refresh(target.AllowRecent(t.Context()), plan, slotIn(region, "oms")); err != nil {
			t.Error(err)
		}
	}
	asksOnce(t, d, calls)
	seesTheSame(t, d, calls, slotIn("asia", "oms"))
	operatorSees(t, l, "america/production/oms", "asia/production/oms")
}

func slotIn(region, name string) target.SlotID {
	return target.SlotID{Environment: target.EnvironmentID{Region: region, Name: "production"}, Name: name}
}

// serve brings a stack of a slot live, with the record and the journal of a swap. The clock is the
// client's, which takes as health what it saw a moment ago by it.
func serve(ctx context.Context, d target.Driver, clock wait.Clock, id target.SlotID) error {
	lease, err := d.AcquireLease(ctx, id, "token of "+id.Name, "me", time.Hour)
	if err != nil {
		return err
	}
	definition := served(id.Name)
	rec := target.SlotRecord{
		Meta:  target.Meta{Owner: "me", Generation: 1, Ready: true},
		Asked: target.Slot{Environment: id.Environment, Name: id.Name, Definition: definition, Policy: target.Policy{DrainSeconds: 1}},
	}
	if rec, err = d.PutSlot(ctx, rec, lease); err != nil {
		return err
	}
	fingerprint, err := d.Fingerprint(ctx, definition)
	if err != nil {
		return err
	}
	stack := target.StackSpec{Slot: id, Color: target.Blue, SwapID: "s-1", Definition: definition, Fingerprint: fingerprint, Capacity: map[string]int{"web": 1}}
	if err := d.PutStack(ctx, stack, lease); err != nil {
		return err
	}
	_, err = wait.Until(ctx, wait.Options{Clock: clock}, func(ctx context.Context) (state, bool, error) {
		obs, err := d.Observe(ctx, id)
		all := obs.Stacks[target.Blue].Of("web")
		return state(fmt.Sprintf("%+v", all)), len(all) == 1 && all[0].Healthy, err
	})
	if err != nil {
		return err
	}
	if _, err := d.SetTraffic(ctx, id, target.Traffic{Color: target.Blue}, time.Second, lease); err != nil {
		return err
	}
	at := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	swap := target.Swap{ID: "s-1", Phase: target.PhaseLive, Release: "1", To: target.Blue, By: "me", StartedAt: at, PhaseAt: at, EndedAt: &at}
	rec.Swap = &swap
	err = errors.Join(d.PutJournal(ctx, target.Journal{Slot: id, Swap: swap}, lease), second(d.PutSlot(ctx, rec, lease)))
	return errors.Join(err, d.ReleaseLease(ctx, id, lease.Token))
}

// served is the definition of what serves in a slot.
func served(slot string) target.Definition {
	c := apps{}.Healthy()
	c.Routes = []target.Route{{Host: slot, PathPrefix: "/"}}
	return target.Definition{Release: "1", Components: map[string]target.Component{"web": c}, AllowUntested: true}
}

// state is an observation in words.
type state string

func (s state) String() string { return string(s) }

// refresh looks at everything that a plan looks at.
func refresh(ctx context.Context, d target.Driver, slots ...target.SlotID) error {
	_, errI := d.Installation(ctx)
	id := slots[0].Environment
	_, errR := d.GetRegion(ctx, id.Region)
	e, errE := d.GetEnvironment(ctx, id)
	if e.Meta.Problem != "" {
		errE = errors.Join(errE, errors.New(e.Meta.Problem))
	}
	err := errors.Join(errI, errR, errE)
	for _, s := range slots {
		err = errors.Join(err, refreshSlot(ctx, d, s))
	}
	return err
}

func refreshSlot(ctx context.Context, d target.Driver, id target.SlotID) error {
	_, errS := d.GetSlot(ctx, id)
	obs, errO := d.Observe(ctx, id)
	for _, st := range obs.Stacks {
		if len(st.Drift) > 0 {
			errO = errors.Join(errO, fmt.Errorf("slot %q differs: %q", id, st.Drift))
		}
	}
	return errors.Join(errS, errO)
}

// inRightRegion wants the home to be asked for nothing but the directory, and no call about one
// region in another's.
func inRightRegion(t *testing.T, sent []awstest.Call, places map[string]string) {
	t.Helper()
	seen := map[string]int{}
	for _, c := range sent {
		if c.Service == "iam" || c.Service == "sts" || c.Service == "route53" {
			continue // everywhere the same
		}
		seen[c.Region]++
		if c.Region == home {
			if c.Service+c.Operation != "ec2DescribeRegions" && !strings.Contains(string(c.Body), "slipway-directory") {
				t.Errorf("%s %s was sent to the installation's home: %s", c.Service, c.Operation, c.Body)
			}
			continue
		}
		for region, location := range places {
			if c.Region != location && strings.Contains(string(c.Body)+c.Operation, region) {
				t.Errorf("%s %s about %s was sent to %s: %s", c.Service, c.Operation, region, c.Region, c.Body)
			}
		}
	}
	for _, location := range places {
		if seen[location] == 0 {
			t.Errorf("no call was sent to %s", location)
		}
		delete(seen, location)
	}
	delete(seen, home)
	if len(seen) > 0 {
		t.Errorf("calls were sent to other regions: %v", seen)
	}
}

// asksOnce wants no request to be sent twice while an environment is looked at.
func asksOnce(t *testing.T, d target.Driver, calls *awstest.Calls) {
	t.Helper()
	calls.FailAt(0, awstest.FailBefore)
	if _, err := d.GetEnvironment(t.Context(), slotIn("asia", "oms").Environment); err != nil {
		t.Fatal(err)
	}
	asked := func(ctx context.Context) int {
		calls.FailAt(0, awstest.FailBefore)
		if _, err := d.GetEnvironment(ctx, slotIn("asia", "oms").Environment); err != nil {
			t.Fatal(err)
		}
		return len(slices.DeleteFunc(calls.Sent(), func(c awstest.Call) bool { return c.Service == "dynamodb" }))
	}
	sent := map[string]bool{}
	for _, c := range calls.Sent() {
		if c.Service == "route53" || c.Service == "s3" {
			continue // what they are asked is in the address
		}
		request := c.Service + " " + c.Operation + " " + string(c.Body)
		if sent[request] {
			t.Errorf("sent twice: %s", request)
		}
		sent[request] = true
	}
	if len(sent) < 15 {
		t.Errorf("sent %d requests only", len(sent))
	}
	whole, recently := asked(t.Context()), target.AllowRecent(t.Context())
	if first, second := asked(recently), asked(recently); first != whole || second != 0 {
		t.Errorf("looks that may be recent sent %d requests and then %d, want %d and none", first, second, whole)
	}
	if anew := asked(t.Context()); anew != whole {
		t.Errorf("a look that may not be recent sent %d requests, want %d", anew, whole)
	}
	if n := asked(target.RecordsOnly(t.Context())); n != 0 {
		t.Errorf("a look at the records sent %d requests", n)
	}
	e := environment(t, "asia", "production")
	e.Database.MaxConnections++
	if _, err := d.PutEnvironment(t.Context(), e, again); err != nil {
		t.Fatal(err)
	}
	if changed := asked(recently); changed != whole {
		t.Errorf("after a change a look sent %d requests, want %d", changed, whole)
	}
}

// seesTheSame wants the look of a refresh at a slot to see what any other sees, without asking the
// load balancer for the health of each target.
func seesTheSame(t *testing.T, d target.Driver, calls *awstest.Calls, id target.SlotID) {
	t.Helper()
	calls.FailAt(0, awstest.FailBefore)
	look := func(ctx context.Context) target.Observation {
		obs, err := d.Observe(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		obs.At = time.Time{}
		for c, s := range obs.Stacks {
			for i := range s.Instances {
				s.Instances[i].Passes, s.Instances[i].HealthySince, s.Instances[i].LastProbe = 0, nil, ""
			}
			obs.Stacks[c] = s
		}
		return obs
	}
	want := look(t.Context())
	if n := len(want.Stacks[target.Blue].Instances); want.Serving != target.Blue || n != 1 || !want.Stacks[target.Blue].Instances[0].Healthy {
		t.Errorf("slot %s is %+v", id, want)
	}
	calls.FailAt(0, awstest.FailBefore)
	recently := target.AllowRecent(t.Context())
	if diff := cmp.Diff(want, look(recently)); diff != "" {
		t.Errorf("a refresh sees something else (-want +got):\n%s", diff)
	}
	if made := calls.Made(); slices.Contains(made, "elasticloadbalancing DescribeTargetHealth") || !slices.Contains(made, "ecs DescribeServices") {
		t.Errorf("a refresh calls %q", made)
	}
	calls.FailAt(0, awstest.FailBefore)
	look(recently)
	if made := slices.DeleteFunc(calls.Made(), func(c string) bool { return strings.HasPrefix(c, "dynamodb") }); len(made) > 0 {
		t.Errorf("the next one calls %q", made)
	}
}

// operatorSees calls an operator's commands as people do.
func operatorSees(t *testing.T, l *lab, slots ...string) {
	t.Helper()
	run := func(args ...string) string {
		args = append(args,
			"--target", "aws", "--region", home, "--max-retries", "1", "--s3-use-path-style", "--skip-metadata-api-check",
			"--shared-config-files", awstest.File(t, "config", ""),
			"--shared-credentials-files", awstest.File(t, "credentials", "[default]\naws_access_key_id = test\naws_secret_access_key = test\n"),
		)
		for service, url := range awstest.Endpoints(l.URL) {
			args = append(args, "--endpoints", service+"="+url)
		}
		var out, errs bytes.Buffer
		code := operator.Main(t.Context(), args, operator.System{
			Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }, Open: operator.Opener("test"),
		})
		if code != 0 {
			t.Fatalf("%s ended with %d: %s", args[0], code, errs.String())
		}
		return out.String()
	}
	var v struct {
		Slots        []struct{ ID string }
		Environments []struct{ ID, State, Problem string }
	}
	if err := json.Unmarshal([]byte(run("status", "--json")), &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Slots) != len(slots) || len(v.Environments) != len(slots) {
		t.Errorf("status shows %+v", v)
	}
	for i, id := range slots {
		if v.Slots[i].ID != id {
			t.Errorf("status shows slot %q, want %q", v.Slots[i].ID, id)
		}
		if h := run("history", id); !strings.Contains(h, "s-1") {
			t.Errorf("the history of %s is %q", id, h)
		}
	}
	if s := run("status"); !strings.Contains(s, "ap-southeast-2") || !strings.Contains(s, "america/production") {
		t.Errorf("status shows %s", s)
	}
}
