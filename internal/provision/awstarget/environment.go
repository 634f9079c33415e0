package awstarget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const kindEnvironment = "environment"

// unfinishedChange is the problem of what was stored and is not in effect yet.
const unfinishedChange = "the last change is not finished, which the next apply goes on with"

// unfinishedRemoval is the problem of what is being removed, or was left half removed.
const unfinishedRemoval = "its removal is not finished: destroy it once more"

// ending refuses a change of what is being removed, or of what is in it.
func ending(kind, id string) error {
	return target.Errorf(target.ErrEnding, "%s %q is being removed and must be destroyed once more: some of it may be gone already", kind, id)
}

// PutEnvironment implements target.Environments. It returns when the environment is ready.
func (t *Target) PutEnvironment(ctx context.Context, e target.Environment, o target.PutOptions) (target.EnvironmentRecord, error) {
	var none target.EnvironmentRecord
	t.forget(e.Region)
	n, err := t.environmentNoun(ctx, e.ID())
	if err != nil {
		return none, err
	}
	made := false
	err = n.table.modify(ctx, n.key, guard{}, func(doc *document) error {
		made = doc.Record == nil
		return t.nextEnvironment(doc, e, o)
	})
	if err != nil {
		return none, err
	}
	// After the row: one that removes the region marks it before it looks for rows.
	if err := t.openRegion(ctx, e.Region); err != nil {
		if made && (errors.Is(err, target.ErrNotFound) || errors.Is(err, target.ErrEnding)) {
			return none, errors.Join(err, n.exclusively(ctx, n.erase))
		}
		return none, target.MadeIf(made && n.created(ctx), err)
	}
	if err := n.exclusively(ctx, n.finishEnvironment); err != nil {
		return none, target.MadeIf(made && n.created(ctx), err)
	}
	return recordOf[target.EnvironmentRecord](n.document)
}

// created says whether no database cluster was there before the environment's row. One that was is not the
// put's to be removed, and one that can't be asked for may have been.
func (n *noun) created(ctx context.Context) bool {
	ctx, cancel := uninterrupted(ctx)
	defer cancel()
	_, err := findDatabase(ctx, n.clients, n.databaseName())
	return isAbsent(err) || err == nil && n.fact(factCreated) != ""
}

// openRegion refuses a region that is being removed.
func (t *Target) openRegion(ctx context.Context, id string) error {
	d, err := t.directory(ctx)
	if err != nil {
		return err
	}
	n, _, err := t.regionNoun(ctx, d, id)
	if err == nil && n.document.Ending {
		err = ending("region", id)
	}
	return err
}

// nextEnvironment writes a definition into an environment's document.
func (t *Target) nextEnvironment(doc *document, e target.Environment, o target.PutOptions) error {
	old, err := recordOf[target.EnvironmentRecord](*doc)
	if err != nil {
		return err
	}
	if doc.Ending {
		return ending("environment", e.ID().String())
	}
	m, err := next(fmt.Sprintf("environment %q", e.ID()), old.Meta, target.Same(old.Spec, e), o, t.now())
	if err != nil {
		return err
	}
	if m != old.Meta {
		m.Problem = unfinishedChange
	}
	return doc.record(target.EnvironmentRecord{Meta: m, Spec: e, Status: old.Status})
}

// finishEnvironment makes what an environment is made of, and then says that it is ready.
func (n *noun) finishEnvironment(ctx context.Context) error {
	rec, err := recordOf[target.EnvironmentRecord](n.document)
	if err != nil {
		return err
	}
	if err := n.environmentParts(rec.Spec).put(ctx); err != nil {
		return err
	}
	if err := n.saveTagKeys(ctx); err != nil {
		return err
	}
	status, err := n.environmentStatus(ctx, rec.Spec)
	if err != nil {
		return err
	}
	err = n.table.modify(ctx, n.key, leased(n.token, n.target.now()), func(doc *document) error {
		rec, err := recordOf[target.EnvironmentRecord](*doc)
		if err != nil {
			return err
		}
		rec.Meta.Ready, rec.Meta.Problem = true, ""
		rec.Status = status
		err = doc.record(rec)
		n.document = *doc
		return err
	})
	return err
}

// GetEnvironment implements target.Environments. Meta.Problem says what differs from the
// definition.
func (t *Target) GetEnvironment(ctx context.Context, id target.EnvironmentID) (target.EnvironmentRecord, error) {
	ctx = t.looking(ctx)
	n, err := t.loadEnvironment(ctx, id)
	if err != nil {
		return target.EnvironmentRecord{}, err
	}
	rec, err := environmentRecord(n.document)
	if c := n.databaseOf(rec.Spec); err == nil && n.keeps(rec.Meta, c.keep) {
		rec.Leaves = fmt.Sprintf("the final snapshot of its database cluster in %s and its automated backups. The snapshot is called \"%s-final-\" and the seconds of when the cluster was made, and is encrypted with the key of region %q", c.clients.region, c.name, id.Region)
	}
	if err != nil || !rec.Meta.Ready || rec.Meta.Ending || target.OnlyRecords(ctx) {
		return rec, err
	}
	changing := rec.Meta.Problem != ""
	if !changing {
		drift, err := n.environmentParts(rec.Spec).check(ctx)
		if err != nil {
			return rec, err
		}
		rec.Meta.Problem = strings.Join(drift, "; ")
	}
	return rec, n.observeEnvironment(ctx, &rec, changing)
}

// ListEnvironments implements target.Environments. It looks at the records only.
func (t *Target) ListEnvironments(ctx context.Context) ([]target.EnvironmentRecord, error) {
	ctx = t.recently(ctx)
	regions, err := t.ListRegions(ctx)
	if err != nil {
		return nil, err
	}
	var all []target.EnvironmentRecord
	for _, r := range regions {
		c, err := t.session.in(ctx, r.Spec.Location)
		if err != nil {
			return nil, err
		}
		control := t.control(c, r.Spec.Name)
		rows, err := control.list(ctx, kindEnvironment)
		if isAbsent(err) {
			continue // the region is being made or removed
		}
		if err != nil {
			return nil, err
		}
		of, err := records(rows, environmentRecord)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	return all, nil
}

// DeleteEnvironment implements target.Environments.
func (t *Target) DeleteEnvironment(ctx context.Context, id target.EnvironmentID) error {
	n, err := t.loadEnvironment(ctx, id)
	if err == nil {
		err = n.exclusively(ctx, func(ctx context.Context) error { return n.removeEnvironment(ctx, id) })
	}
	if errors.Is(err, target.ErrNotFound) {
		return nil
	}
	return err
}

func (n *noun) removeEnvironment(ctx context.Context, id target.EnvironmentID) error {
	rec, err := recordOf[target.EnvironmentRecord](n.document)
	if err != nil {
		return err
	}
	if rec.Spec.DeletionProtection && rec.Meta.Ready {
		return target.Errorf(target.ErrProtected, "environment %q is protected from deletion", id)
	}
	// Marked first: a slot that is put looks for the mark after its own row is there.
	if err := n.ending(ctx, true); err != nil {
		return err
	}
	if err := n.forgetDatabases(ctx, id); err != nil {
		return errors.Join(err, n.ending(ctx, !errors.Is(err, target.ErrNotEmpty)))
	}
	slots, err := n.table.list(ctx, slotKind(id))
	if err != nil {
		return err
	}
	stacks, err := n.table.list(ctx, stateKind(id))
	if err != nil {
		return err
	}
	for _, r := range slices.Concat(slots, stacks) {
		if r.version > 0 {
			held := target.Errorf(target.ErrNotEmpty, "environment %q holds deployment slot %q", id, r.key.id)
			return errors.Join(held, n.ending(ctx, false))
		}
	}
	if err := n.environmentParts(rec.Spec).delete(ctx); err != nil {
		return err
	}
	for _, r := range slots {
		if err := n.table.erase(ctx, r); err != nil {
			return err
		}
	}
	return n.erase(ctx)
}

// environmentRecord reads the record of an environment's document.
func environmentRecord(d document) (target.EnvironmentRecord, error) {
	rec, err := recordOf[target.EnvironmentRecord](d)
	if d.Ending {
		rec.Meta.Ending, rec.Meta.Problem = true, unfinishedRemoval
	}
	return rec, err
}

// loadEnvironment is an environment that is there, whether or not it is being removed.
func (t *Target) loadEnvironment(ctx context.Context, id target.EnvironmentID) (*noun, error) {
	n, err := t.environmentNoun(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := n.load(ctx); errors.Is(err, target.ErrNotFound) {
		return nil, target.Errorf(target.ErrNotFound, "environment %q does not exist", id)
	} else if err != nil {
		return nil, err
	}
	return n, nil
}

// open refuses an environment that is being removed: nothing new may come into it. What is in it can
// be looked at and removed.
func (n *noun) open(id target.EnvironmentID) error {
	if n.document.Ending {
		return ending("environment", id.String())
	}
	return nil
}

// environmentNoun is an environment to look at or to work on; it need not be there.
func (t *Target) environmentNoun(ctx context.Context, id target.EnvironmentID) (*noun, error) {
	p, err := t.place(ctx, id.Region)
	if err != nil {
		return nil, err
	}
	return &noun{
		target: t, clients: p.clients, installation: p.installation, region: id.Region, environment: id.Name,
		regionKey: p.regionKey,
		table:     t.control(p.clients, id.Region), key: key{kindEnvironment, id.Name},
	}, nil
}
