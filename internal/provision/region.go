package provision

import (
	"context"
	"fmt"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// CreateRegion makes a region, or adopts the one an earlier call of this owner made. With an error
// it returns what is left of it.
func (p *Provisioner) CreateRegion(ctx context.Context, r target.Region) (target.RegionRecord, Origin, error) {
	if err := r.Validate().Err(); err != nil {
		return target.RegionRecord{}, "", err
	}
	origin := Made
	old, err := p.driver.GetRegion(ctx, r.Name)
	switch {
	case err == nil:
		if origin, err = p.claim("region", r.Name, old.Meta, target.Same(old.Spec, r)); err != nil {
			return target.RegionRecord{}, "", err
		}
	case !missing(err):
		return target.RegionRecord{}, "", fmt.Errorf("look for region %q: %w", r.Name, err)
	}
	rec, err := p.driver.PutRegion(ctx, r, p.put(old.Meta))
	if err != nil {
		return left(ctx, p, fmt.Errorf("create region %q: %w", r.Name, err), func(ctx context.Context) (target.RegionRecord, target.Meta, error) {
			rec, err := p.driver.GetRegion(ctx, r.Name)
			return rec, rec.Meta, err
		})
	}
	return rec, origin, nil
}

// ReadRegion returns a region, target.ErrNotFound if the target knows that there is none.
func (p *Provisioner) ReadRegion(ctx context.Context, id string) (target.RegionRecord, error) {
	return p.driver.GetRegion(ctx, id)
}

// UpdateRegion changes a region in place. Where it is and whose law it is under can change
// only while it has no environments.
func (p *Provisioner) UpdateRegion(ctx context.Context, r target.Region) (target.RegionRecord, error) {
	if err := r.Validate().Err(); err != nil {
		return target.RegionRecord{}, err
	}
	old, err := p.driver.GetRegion(ctx, r.Name)
	if err != nil {
		return old, fmt.Errorf("read region %q: %w", r.Name, err)
	}
	if err := p.mine("region", r.Name, old.Meta); err != nil {
		return old, err
	}
	if old.Meta.Ending {
		return old, ending("region", r.Name)
	}
	if err := p.CheckRegionChange(ctx, old.Spec, r); err != nil {
		return old, err
	}
	rec, err := p.driver.PutRegion(ctx, r, p.put(old.Meta))
	if err != nil {
		return old, fmt.Errorf("change region %q: %w", r.Name, err)
	}
	return rec, nil
}

// CheckRegionChange refuses a move of a region that has environments.
func (p *Provisioner) CheckRegionChange(ctx context.Context, from, to target.Region) error {
	if from.Location == to.Location && from.Jurisdiction == to.Jurisdiction {
		return nil
	}
	held, err := p.environmentsOf(ctx, from.Name)
	if err != nil || len(held) == 0 {
		return err
	}
	return target.Errorf(target.ErrNotEmpty, "region %q has environments (%s): their data can't change its location or jurisdiction by a change of words; make another region and move the accounts", from.Name, list(held))
}

// DeleteRegion removes a region. One that is not there is success.
func (p *Provisioner) DeleteRegion(ctx context.Context, id string) error {
	old, err := p.driver.GetRegion(target.RecordsOnly(ctx), id)
	if err == nil {
		err = p.mine("region", id, old.Meta)
	}
	if err != nil {
		return gone(err)
	}
	held, err := p.environmentsOf(ctx, id)
	if err != nil {
		return gone(err)
	}
	if len(held) > 0 {
		return target.Errorf(target.ErrNotEmpty, "region %q still has environments (%s): destroy them first; one that is not in this state, as after a run that was killed, by an apply or an import first", id, list(held))
	}
	if err := gone(p.driver.DeleteRegion(ctx, id)); err != nil {
		return fmt.Errorf("delete region %q: %w", id, err)
	}
	return nil
}

// ListRegions returns every region of the target.
func (p *Provisioner) ListRegions(ctx context.Context) ([]target.RegionRecord, error) {
	return p.driver.ListRegions(ctx)
}

func (p *Provisioner) environmentsOf(ctx context.Context, region string) ([]string, error) {
	all, err := p.driver.ListEnvironments(ctx)
	if err != nil {
		return nil, fmt.Errorf("list environments: %w", err)
	}
	var ids []string
	for _, e := range all {
		if e.Spec.Region == region {
			ids = append(ids, e.Spec.ID().String())
		}
	}
	return ids, nil
}
