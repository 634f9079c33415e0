package provision_test

import (
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestARegionMovesOnlyWhileItIsEmpty(t *testing.T) {
	t.Parallel()
	moved := region(func(r *target.Region) { r.Jurisdiction = "US" })
	w := newWorld(t, memtarget.Options{})
	_, _, err := w.CreateRegion(t.Context(), region())
	w.ok(err)
	_, err = w.UpdateRegion(t.Context(), moved)
	w.ok(err)
	_, err = w.UpdateRegion(t.Context(), region())
	w.ok(err)

	_, _, err = w.CreateEnvironment(t.Context(), environment())
	w.ok(err)
	rec, err := w.UpdateRegion(t.Context(), moved)
	w.refused(err, target.ErrNotEmpty, `region "eu" has environments (eu/production)`, "make another region and move the accounts")
	if rec.Spec.Jurisdiction != "EU" {
		t.Errorf("the refused update returns %+v, want what is there", rec.Spec)
	}
	rec, err = w.UpdateRegion(t.Context(), region(func(r *target.Region) { r.Closed = true }))
	w.ok(err)
	if !rec.Spec.Closed {
		t.Error("the region is not closed")
	}
}

func TestARegionThatIsWrongIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memtarget.Options{})
	wrong := region(func(r *target.Region) { r.Name, r.Location = "Europe!", "" })
	_, _, err := w.CreateRegion(t.Context(), wrong)
	w.refused(err, target.ErrInvalid, `name: "Europe!" contains 'E', '!'`, "location:")
	_, err = w.UpdateRegion(t.Context(), wrong)
	w.refused(err, target.ErrInvalid, "name:")
	_, err = w.UpdateRegion(t.Context(), region())
	w.refused(err, target.ErrNoInstallation, `read region "eu"`)
}

func TestRegionsAreListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memtarget.Options{})
	for _, name := range []string{"us", "eu"} {
		_, _, err := w.CreateRegion(t.Context(), region(func(r *target.Region) { r.Name = name }))
		w.ok(err)
	}
	all, err := w.ListRegions(t.Context())
	w.ok(err)
	if len(all) != 2 || all[0].Spec.Name != "eu" {
		t.Errorf("got %+v", all)
	}
}
