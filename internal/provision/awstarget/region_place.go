package awstarget

import "context"

// place is where a region is, and what its parts are marked with. None of it changes while the
// region is there; what has been removed meanwhile is missed in its control table.
type place struct {
	clients                 *clients
	installation, regionKey string
}

// place looks for a region in the directory once in a run.
func (t *Target) place(ctx context.Context, region string) (place, error) {
	if p, ok := t.places.Load(region); ok {
		return p.(place), nil
	}
	d, err := t.directory(ctx)
	if err != nil {
		return place{}, err
	}
	n, rec, err := t.regionNoun(ctx, d, region)
	if err != nil {
		return place{}, err
	}
	p := place{n.clients, n.installation, n.fact(factKey)}
	if rec.Meta.Ready && rec.Meta.Problem == "" {
		t.places.Store(region, p)
	}
	return p, nil
}

// forget makes the next one look for a region again, and for the entrances of its environments.
func (t *Target) forget(region string) {
	t.places.Delete(region)
	t.entered.drop()
}
