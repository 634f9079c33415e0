//go:build !windows

package platform

import (
	"context"
	"os"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// PutRegion implements target.Regions.
func (p *Platform) PutRegion(_ context.Context, r target.Region, o target.PutOptions) (target.RegionRecord, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.bad[r.Name]; err != nil {
		return target.RegionRecord{}, err
	}
	if err := p.install(); err != nil {
		return target.RegionRecord{}, err
	}
	var old target.Meta
	if rec := p.regions[r.Name]; rec != nil {
		old = rec.Meta
		if repeated(old, o, target.Same(rec.Spec, r)) {
			return *rec, nil
		}
	}
	meta, err := next(old, o, p.clock.Now(), "region", r.Name)
	if err != nil {
		return target.RegionRecord{}, err
	}
	meta.Ready = true
	rec := &target.RegionRecord{Meta: meta, Spec: r}
	if err := p.save(p.dir.region(r.Name), rec); err != nil {
		return target.RegionRecord{}, err
	}
	p.regions[r.Name] = rec
	return *rec, nil
}

// GetRegion implements target.Regions.
func (p *Platform) GetRegion(_ context.Context, id string) (target.RegionRecord, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.bad[id]; err != nil {
		return target.RegionRecord{}, err
	}
	rec := p.regions[id]
	if rec == nil {
		return target.RegionRecord{}, p.notFound("region", id)
	}
	return *rec, nil
}

// DeleteRegion implements target.Regions.
func (p *Platform) DeleteRegion(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.bad[id]; err != nil {
		return err
	}
	if p.regions[id] == nil {
		return p.notFound("region", id)
	}
	for e := range p.environments {
		if e.Region == id {
			return target.Errorf(target.ErrNotEmpty, "region %q still has environment %q", id, e)
		}
	}
	if err := os.Remove(p.dir.region(id)); err != nil {
		return err
	}
	delete(p.regions, id)
	return p.uninstall()
}

// ListRegions implements target.Regions.
func (p *Platform) ListRegions(context.Context) ([]target.RegionRecord, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.installation == nil {
		return nil, p.noInstallation()
	}
	out := make([]target.RegionRecord, 0, len(p.regions))
	for _, name := range target.SortedKeys(p.regions) {
		out = append(out, *p.regions[name])
	}
	return out, nil
}

// notFound tells an object that is not there from an installation that is not there. The
// caller holds p.mu.
func (p *Platform) notFound(noun, id string) error {
	if p.installation == nil {
		return p.noInstallation()
	}
	return target.Errorf(target.ErrNotFound, "there is no %s %q in %s", noun, id, p.Where())
}
