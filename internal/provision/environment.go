package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// CreateEnvironment makes an environment and returns when it is ready, or goes on with, or
// adopts, what an earlier call of this owner made. With an error it returns what is left of it.
func (p *Provisioner) CreateEnvironment(ctx context.Context, e target.Environment) (target.EnvironmentRecord, Origin, error) {
	var none target.EnvironmentRecord
	if err := e.Validate().Err(); err != nil {
		return none, "", err
	}
	origin := Made
	old, err := p.driver.GetEnvironment(ctx, e.ID())
	switch {
	case err == nil:
		if origin, err = p.claim("environment", e.ID().String(), old.Meta, target.Same(old.Spec, e)); err != nil {
			return none, "", err
		}
	case !missing(err):
		return none, "", fmt.Errorf("look for environment %q: %w", e.ID(), err)
	}
	if err := p.CheckEnvironment(ctx, e); err != nil {
		return none, "", err
	}
	rec, err := p.putEnvironment(ctx, e, old.Meta)
	if err != nil {
		return left(ctx, p, err, func(ctx context.Context) (target.EnvironmentRecord, target.Meta, error) {
			rec, err := p.driver.GetEnvironment(ctx, e.ID())
			return rec, rec.Meta, err
		})
	}
	return rec, origin, nil
}

// ReadEnvironment returns an environment, target.ErrNotFound if the target knows there is none.
func (p *Provisioner) ReadEnvironment(ctx context.Context, id target.EnvironmentID) (target.EnvironmentRecord, error) {
	return p.driver.GetEnvironment(ctx, id)
}

// UpdateEnvironment changes an environment in place and returns when it is ready again.
func (p *Provisioner) UpdateEnvironment(ctx context.Context, e target.Environment) (target.EnvironmentRecord, error) {
	if err := e.Validate().Err(); err != nil {
		return target.EnvironmentRecord{}, err
	}
	old, err := p.driver.GetEnvironment(ctx, e.ID())
	if err != nil {
		return old, fmt.Errorf("read environment %q: %w", e.ID(), err)
	}
	if err := p.mine("environment", e.ID().String(), old.Meta); err != nil {
		return old, err
	}
	if old.Meta.Ending {
		return old, ending("environment", e.ID().String())
	}
	if o := old.Spec; o.Kind != e.Kind || o.Tenancy != e.Tenancy || o.Account != e.Account {
		return old, target.Errorf(target.ErrInvalid, "the kind, tenancy and account of environment %q can't change while it stands: make another environment", e.ID())
	}
	if err := p.CheckEnvironment(ctx, e); err != nil {
		return old, err
	}
	rec, err := p.putEnvironment(ctx, e, old.Meta)
	if err != nil && rec.Meta.Generation == 0 {
		return old, err
	}
	return rec, err
}

// CheckEnvironment refuses what does not fit the region, the mirrored environment or the
// other environments of the target.
func (p *Provisioner) CheckEnvironment(ctx context.Context, e target.Environment) error {
	region, err := p.driver.GetRegion(target.RecordsOnly(ctx), e.Region)
	if missing(err) {
		return target.Errorf(target.ErrInvalid, "region_id: there is no region %q on %s", e.Region, p.driver.Where())
	}
	if err != nil {
		return fmt.Errorf("read region %q: %w", e.Region, err)
	}
	all, err := p.driver.ListEnvironments(ctx)
	if err != nil {
		return fmt.Errorf("list environments: %w", err)
	}
	var faults target.Faults
	existing, mirrored := false, e.Mirrors == ""
	for _, other := range all {
		if other.Spec.ID().String() == e.Mirrors {
			mirrored = other.Spec.Kind == target.KindProduction
		}
		existing = existing || other.Spec.ID() == e.ID()
		faults = append(faults, e.Conflicts(other.Spec)...)
	}
	if !mirrored {
		faults = append(faults, target.Fault{Path: "mirrors", Message: fmt.Sprintf("there is no production environment %q for the sandbox to equal", e.Mirrors)})
	}
	if site, ok := p.driver.(target.Sites); ok {
		found, err := site.CheckEnvironment(ctx, e, region.Spec)
		if err != nil {
			return fmt.Errorf("look at what environment %q needs: %w", e.ID(), err)
		}
		faults = append(faults, found...)
	}
	return append(e.ValidateIn(region.Spec, existing), faults...).Err()
}

func (p *Provisioner) putEnvironment(ctx context.Context, e target.Environment, old target.Meta) (target.EnvironmentRecord, error) {
	rec, err := p.driver.PutEnvironment(ctx, e, p.put(old))
	if err != nil {
		return rec, fmt.Errorf("make environment %q what is asked: %w", e.ID(), err)
	}
	made, since := rec.Meta.Ready && rec.Meta.Problem == "", p.clock.Now()
	seen, err := wait.Until(ctx, p.pace, func(ctx context.Context) (environmentSeen, bool, error) {
		r, err := p.driver.GetEnvironment(ctx, e.ID())
		if errors.Is(err, target.ErrUnavailable) {
			return environmentSeen{}, false, wait.Retry(err)
		}
		if err == nil && r.Meta.Stuck {
			err = target.Errorf(target.ErrInvalid, "%s", r.Meta.Problem)
		}
		return environmentSeen{r}, r.Meta.Ready && (r.Meta.Problem == "" || made && p.clock.Now().Sub(since) > settleTime), err
	})
	if seen.Meta.Generation != 0 {
		rec = seen.EnvironmentRecord
	}
	if err != nil {
		// Whatever was put into it keeps it from being removed.
		return rec, target.MadeIf(old.Generation == 0, fmt.Errorf("wait for environment %q: %w", e.ID(), err))
	}
	return rec, nil
}

// settleTime is how long a target may go on to see what was there before, after it has made what was
// asked. What differs for longer does not go away by waiting: the record says it, as it says of what
// differs later.
const settleTime = 20 * time.Second

type environmentSeen struct{ target.EnvironmentRecord }

func (s environmentSeen) String() string {
	if s.Meta.Problem != "" {
		return s.Meta.Problem
	}
	return "still being made"
}

// DeleteEnvironment removes an environment. One that is not there is success.
func (p *Provisioner) DeleteEnvironment(ctx context.Context, id target.EnvironmentID) error {
	old, err := p.driver.GetEnvironment(target.RecordsOnly(ctx), id)
	if err == nil {
		err = p.mine("environment", id.String(), old.Meta)
	}
	if err != nil {
		return gone(err)
	}
	held, err := p.EnvironmentContents(ctx, id)
	if err != nil {
		return gone(err)
	}
	// Where a removal stopped before it looked for them, the driver's refusal takes back its mark.
	if len(held) > 0 && !old.Meta.Ending {
		return target.Errorf(target.ErrNotEmpty, "environment %q still holds %s: destroy them first", id, list(held))
	}
	if err := gone(p.driver.DeleteEnvironment(ctx, id)); err != nil {
		return fmt.Errorf("delete environment %q: %w", id, err)
	}
	return nil
}

// EnvironmentContents names the databases and slots in an environment.
func (p *Provisioner) EnvironmentContents(ctx context.Context, id target.EnvironmentID) ([]string, error) {
	databases, err := p.driver.ListAccountDatabases(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list account databases: %w", err)
	}
	slots, err := p.driver.ListSlots(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list deployment slots: %w", err)
	}
	var ids []string
	for _, d := range databases {
		if d.Vanished {
			continue // there is nothing left to lose
		}
		ids = append(ids, "account database "+d.Spec.ID().String())
	}
	for _, s := range slots {
		ids = append(ids, "deployment slot "+s.Asked.ID().String())
	}
	return ids, nil
}

// ListEnvironments returns every environment of the target.
func (p *Provisioner) ListEnvironments(ctx context.Context) ([]target.EnvironmentRecord, error) {
	return p.driver.ListEnvironments(ctx)
}
