package memtarget

import (
	"context"
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// PutRegion stores a region, which is ready at once unless HinderRegion says otherwise; the first
// one makes the installation.
func (t *Target) PutRegion(ctx context.Context, r target.Region, o target.PutOptions) (target.RegionRecord, error) {
	return call(ctx, t, changes, "PutRegion", func(s *store) (target.RegionRecord, error) {
		r, err := clone(r)
		if err != nil {
			return target.RegionRecord{}, err
		}
		old := s.regions[r.Name]
		if old.Meta.Ending {
			return target.RegionRecord{}, ending("region", r.Name)
		}
		m, err := s.next(fmt.Sprintf("region %q", r.Name), old.Meta, target.Same(old.Spec, r), o)
		if err != nil {
			return target.RegionRecord{}, err
		}
		m.Problem = s.hindered[r.Name].problem
		m.Ready = m.Ready || m.Problem == ""
		s.install()
		s.regions[r.Name] = target.RegionRecord{Meta: m, Spec: r}
		if !m.Ready {
			return target.RegionRecord{}, target.MadeIf(old.Meta.Generation == 0, target.Errorf(target.ErrUnavailable, "region %q: %s", r.Name, m.Problem))
		}
		return s.regions[r.Name], nil
	})
}

// GetRegion returns a region.
func (t *Target) GetRegion(ctx context.Context, id string) (target.RegionRecord, error) {
	return call(ctx, t, reads, "GetRegion", func(s *store) (target.RegionRecord, error) {
		return s.region(id)
	})
}

func (s *store) region(id string) (target.RegionRecord, error) {
	if err := s.known(); err != nil {
		return target.RegionRecord{}, err
	}
	r, ok := s.regions[id]
	if !ok {
		return r, missing("region", id)
	}
	return r, nil
}

// DeleteRegion removes a region; with the last one the installation ends.
func (t *Target) DeleteRegion(ctx context.Context, id string) error {
	return do(ctx, t, "DeleteRegion", func(s *store) error {
		if err := s.known(); err != nil {
			return err
		}
		for e := range s.environments {
			if e.Region == id {
				return target.Errorf(target.ErrNotEmpty, "region %q holds environment %q", id, e)
			}
		}
		delete(s.regions, id)
		s.ended = len(s.regions) == 0
		return nil
	})
}

// ListRegions returns the regions by name.
func (t *Target) ListRegions(ctx context.Context) ([]target.RegionRecord, error) {
	return call(ctx, t, reads, "ListRegions", func(s *store) ([]target.RegionRecord, error) {
		var out []target.RegionRecord
		for _, id := range target.SortedKeys(s.regions) {
			out = append(out, s.regions[id])
		}
		return out, s.known()
	})
}
