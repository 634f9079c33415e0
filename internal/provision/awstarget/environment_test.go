package awstarget_test

import (
	"testing"
)

func TestAnEnvironmentIsMadeAndUnmade(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.client(t)
	if _, err := d.PutRegion(t.Context(), eu, mine); err != nil {
		t.Fatal(err)
	}
	e := environment(t, eu.Name, "production")
	if _, err := d.PutEnvironment(t.Context(), e, mine); err != nil {
		t.Fatal(err)
	}
	rec, err := d.GetEnvironment(t.Context(), e.ID())
	if err != nil {
		t.Fatal(err)
	}
	if !rec.Meta.Ready || rec.Meta.Problem != "" {
		t.Errorf("ready %t, problem %q", rec.Meta.Ready, rec.Meta.Problem)
	}
	if err := d.DeleteEnvironment(t.Context(), e.ID()); err != nil {
		t.Fatal(err)
	}
}
