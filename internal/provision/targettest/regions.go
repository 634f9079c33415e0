package targettest

import (
	"context"
	"errors"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func regionTests() []test {
	nouns := noun[target.Region]{
		object: func(w *world) target.Region {
			if _, err := w.driver.GetRegion(w.Context(), "first"); errors.Is(err, target.ErrNoInstallation) {
				w.putRegion("first") // keeps the installation while others come and go
			}
			return target.Region{Name: w.name("region"), Location: w.Location, Jurisdiction: "EU", Tags: map[string]string{"Größe": "groß 大きい"}}
		},
		changed: func(r target.Region) target.Region {
			r.Closed = true
			r.Tags = map[string]string{"a": "b"}
			return r
		},
		put: func(ctx context.Context, d target.Driver, r target.Region, o target.PutOptions) (target.Meta, target.Region, error) {
			rec, err := d.PutRegion(ctx, r, o)
			return rec.Meta, rec.Spec, err
		},
		get: func(ctx context.Context, d target.Driver, r target.Region) (target.Meta, target.Region, error) {
			rec, err := d.GetRegion(ctx, r.Name)
			return rec.Meta, rec.Spec, err
		},
		delete: func(ctx context.Context, d target.Driver, r target.Region) error { return d.DeleteRegion(ctx, r.Name) },
		list: func(ctx context.Context, d target.Driver, _ target.Region) ([]target.Region, error) {
			all, err := d.ListRegions(ctx)
			var out []target.Region
			for _, r := range all {
				out = append(out, r.Spec)
			}
			return out, err
		},
		settle: func(*world, target.Region) {},
	}
	return nouns.tests()
}
