package awstarget_test

import "testing"

// A name is free as soon as what had it is gone. These are such as AWS does not take for everything: of a load
// balancer none begins with "internal-", and RDS takes no two hyphens in a row.
func TestAnEnvironmentCanBeMadeAgainAtOnce(t *testing.T) {
	t.Parallel()
	d := newLab(t).client(t)
	region := eu
	region.Name = "internal"
	if _, err := d.PutRegion(t.Context(), region, mine); err != nil {
		t.Fatal(err)
	}
	e := environment(t, region.Name, "a--b")
	for range 2 {
		if _, err := d.PutEnvironment(t.Context(), e, mine); err != nil {
			t.Fatal(err)
		}
		if err := d.DeleteEnvironment(t.Context(), e.ID()); err != nil {
			t.Fatal(err)
		}
	}
}
