package awstarget_test

import "testing"

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
