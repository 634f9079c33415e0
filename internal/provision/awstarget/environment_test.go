package awstarget_test

import (
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
)

// TestAnEnvironmentSurvivesEveryFault lets each request of a create, and then of a destroy, fail
// once, repeats them until they succeed, and counts what is there.
func TestAnEnvironmentSurvivesEveryFault(t *testing.T) {
	t.Parallel()
	for _, fault := range awstest.Faults {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			d, calls := faulty(t, l)
			if _, err := d.PutRegion(t.Context(), eu, mine); err != nil {
				t.Fatal(err)
			}
			before := words(l.built(t, home))
			e := environment(t, eu.Name, "production")

			calls.FailEach(fault)
			if err := untilDone(func() error { _, err := d.PutEnvironment(t.Context(), e, mine); return err }); err != nil {
				t.Fatal(err)
			}
			const want = "[1 address 1 certificate 1 cluster 1 dashboard 1 database cluster 1 database instance 1 gateway 1 load balancer 1 log group 1 nat 1 secret 1 vpc 1 zone 2 role 3 security group 4 route table 5 record 6 subnet]"
			if got := words(l.built(t, home)); got != want {
				t.Errorf("there is %s\nwant %s", got, want)
			}
			rec, err := d.GetEnvironment(t.Context(), e.ID())
			if err != nil {
				t.Fatal(err)
			}
			if !rec.Meta.Ready || rec.Meta.Problem != "" || rec.Status.DatabaseHost == "" {
				t.Errorf("ready %t, problem %q, status %+v", rec.Meta.Ready, rec.Meta.Problem, rec.Status)
			}

			calls.FailEach(fault)
			if err := untilDone(func() error { return d.DeleteEnvironment(t.Context(), e.ID()) }); err != nil {
				t.Fatal(err)
			}
			if got := words(l.built(t, home)); got != before {
				t.Errorf("left: %s, before: %s", got, before)
			}
		})
	}
}

// A name is free as soon as what had it is gone.
func TestAnEnvironmentCanBeMadeAgainAtOnce(t *testing.T) {
	t.Parallel()
	d := newLab(t).client(t)
	if _, err := d.PutRegion(t.Context(), eu, mine); err != nil {
		t.Fatal(err)
	}
	e := environment(t, eu.Name, "production")
	for range 2 {
		if _, err := d.PutEnvironment(t.Context(), e, mine); err != nil {
			t.Fatal(err)
		}
		if err := d.DeleteEnvironment(t.Context(), e.ID()); err != nil {
			t.Fatal(err)
		}
	}
}
