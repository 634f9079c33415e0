package awstarget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// PutRegion implements target.Regions. It returns when the region is ready.
func (t *Target) PutRegion(ctx context.Context, r target.Region, o target.PutOptions) (target.RegionRecord, error) {
	if err := t.CheckRegion(ctx, r); err != nil {
		return target.RegionRecord{}, err
	}
	defer t.forget(r.Name)
	if err := t.putDirectory(ctx); err != nil {
		return target.RegionRecord{}, err
	}
	d, err := t.directory(ctx)
	if err != nil {
		return target.RegionRecord{}, err
	}
	k, made := key{kindRegion, r.Name}, false
	err = d.modify(ctx, k, guard{}, func(doc *document) error {
		made = doc.Record == nil
		return t.nextRegion(doc, r, o)
	})
	if err != nil {
		return target.RegionRecord{}, err
	}
	rec, err := t.buildRegion(ctx, d, r.Name)
	return rec, target.MadeIf(made, err)
}

// buildRegion makes a region that is recorded.
func (t *Target) buildRegion(ctx context.Context, d table, id string) (target.RegionRecord, error) {
	// After the row: one that ends the installation looks for rows first.
	if _, err := t.install(ctx, d); err != nil {
		return target.RegionRecord{}, err
	}
	n, _, err := t.regionNoun(ctx, d, id)
	if err != nil {
		return target.RegionRecord{}, err
	}
	if err := n.exclusively(ctx, n.finishRegion); err != nil {
		return target.RegionRecord{}, err
	}
	rec, err := recordOf[target.RegionRecord](n.document)
	rec.AWS = n.regionResources()
	return rec, err
}

// regionResources are what a region is made of, as far as it is saved.
func (n *noun) regionResources() *target.AWSRegion {
	r := &target.AWSRegion{ControlTable: controlName(n.region), LogBucket: logsName(n.clients, n.region)}
	if id := n.fact(factKey); id != "" {
		r.KeyARN = n.clients.arn("kms", "key/"+id)
	}
	return r
}

// nextRegion writes a definition into a region's document.
func (t *Target) nextRegion(doc *document, r target.Region, o target.PutOptions) error {
	old, err := recordOf[target.RegionRecord](*doc)
	if err != nil {
		return err
	}
	if doc.Ending {
		return ending("region", r.Name)
	}
	m, err := next(fmt.Sprintf("region %q", r.Name), old.Meta, target.Same(old.Spec, r), o, t.now())
	if err != nil {
		return err
	}
	if m != old.Meta {
		m.Problem = unfinishedChange
	}
	return doc.record(target.RegionRecord{Meta: m, Spec: r})
}

// finishRegion makes what a region is made of, and then says that it is ready.
func (n *noun) finishRegion(ctx context.Context) error {
	parts, err := n.regionParts()
	if err == nil {
		err = parts.put(ctx)
	}
	if err == nil {
		err = n.saveTagKeys(ctx)
	}
	if err != nil {
		return err
	}
	err = n.table.modify(ctx, n.key, leased(n.token, n.target.now()), func(doc *document) error {
		rec, err := recordOf[target.RegionRecord](*doc)
		if err != nil {
			return err
		}
		rec.Meta.Ready, rec.Meta.Problem = true, ""
		err = doc.record(rec)
		n.document = *doc
		return err
	})
	return err
}

// GetRegion implements target.Regions. Meta.Problem says what differs from the definition.
func (t *Target) GetRegion(ctx context.Context, id string) (target.RegionRecord, error) {
	ctx = t.looking(ctx)
	d, err := t.directory(ctx)
	if err != nil {
		return target.RegionRecord{}, err
	}
	n, rec, err := t.regionNoun(ctx, d, id)
	if err == nil {
		rec.Ends, rec.AWS = n.keyEnds(), n.regionResources()
	}
	if err != nil || !rec.Meta.Ready || rec.Meta.Problem != "" || target.OnlyRecords(ctx) {
		return rec, err
	}
	parts, err := n.regionParts()
	if err != nil {
		return rec, err
	}
	drift, err := parts.check(ctx)
	if err != nil {
		return rec, err
	}
	directory, err := t.checkDirectory(ctx)
	rec.Meta.Problem = strings.Join(append(drift, directory...), "; ")
	if n.lost[factKey] {
		rec.Anew = []string{"kms_key_arn"}
	}
	return rec, err
}

// ListRegions implements target.Regions. It looks at the records only.
func (t *Target) ListRegions(ctx context.Context) ([]target.RegionRecord, error) {
	ctx = t.recently(ctx)
	d, err := t.directory(ctx)
	if err != nil {
		return nil, err
	}
	if _, _, err := t.installation(ctx, d); err != nil {
		return nil, err
	}
	rows, err := d.list(ctx, kindRegion)
	if err != nil {
		return nil, err
	}
	return records(rows, regionRecord)
}

// DeleteRegion implements target.Regions.
func (t *Target) DeleteRegion(ctx context.Context, id string) error {
	defer t.forget(id)
	d, err := t.directory(ctx)
	if err != nil {
		return err
	}
	n, _, err := t.regionNoun(ctx, d, id)
	ended := false
	if err == nil {
		err = n.exclusively(ctx, func(ctx context.Context) (err error) {
			ended, err = n.removeRegion(ctx)
			return err
		})
	}
	if err == nil && !ended || errors.Is(err, target.ErrNotFound) {
		_, err = t.endInstallation(ctx, d, "") // the others may have been removed at the same time
	}
	return err
}

// removeRegion ends the installation too, with its last region. The row goes after that: nobody comes
// back to a region that is not there.
func (n *noun) removeRegion(ctx context.Context) (ended bool, err error) {
	// Marked first: an environment that is put looks for the mark after its own row is there.
	if err := n.ending(ctx, true); err != nil {
		return false, err
	}
	environments, err := n.target.control(n.clients, n.region).list(ctx, kindEnvironment)
	if gone(err) != nil {
		if errors.Is(err, target.ErrLost) { // nothing has been removed yet
			err = errors.Join(err, n.ending(ctx, false))
		}
		return false, err
	}
	if countDocuments(environments) > 0 {
		held := target.Errorf(target.ErrNotEmpty, "region %q holds environment %q", n.region, environments[0].key.id)
		return false, errors.Join(held, n.ending(ctx, false))
	}
	if err := n.save(ctx, factEmpty, "true"); err != nil {
		return false, err
	}
	parts, err := n.regionParts()
	if err == nil {
		err = parts.delete(ctx)
	}
	if err == nil {
		ended, err = n.target.endInstallation(ctx, n.table, n.region)
	}
	if err != nil {
		return false, err
	}
	return ended, n.erase(ctx)
}

// ending marks a noun as being removed.
func (n *noun) ending(ctx context.Context, yes bool) error {
	err := n.table.modify(ctx, n.key, leased(n.token, n.target.now()), func(doc *document) error {
		doc.Ending = yes
		return nil
	})
	return err
}

// erase removes the noun's row, whatever version it is at: the lease is ours.
func (n *noun) erase(ctx context.Context) error {
	r, err := n.table.get(ctx, n.key)
	if err != nil {
		return err
	}
	return n.table.erase(ctx, r)
}

// regionNoun is a region to look at or to work on.
func (t *Target) regionNoun(ctx context.Context, d table, id string) (*noun, target.RegionRecord, error) {
	var rec target.RegionRecord
	i, _, err := t.installation(ctx, d)
	if err != nil {
		return nil, rec, err
	}
	n := &noun{target: t, installation: i.ID, region: id, table: d, key: key{kindRegion, id}}
	if err := n.load(ctx); err != nil {
		return nil, rec, err
	}
	if rec, err = regionRecord(n.document); err != nil {
		return nil, rec, err
	}
	n.clients, err = t.session.in(ctx, rec.Spec.Location)
	return n, rec, err
}

// regionRecord reads the record of a region's document.
func regionRecord(d document) (target.RegionRecord, error) {
	rec, err := recordOf[target.RegionRecord](d)
	if d.Ending {
		rec.Meta.Ending, rec.Meta.Problem = true, unfinishedRemoval
	}
	return rec, err
}

// recordOf reads the record of a document; an empty one has the zero record.
func recordOf[T any](d document) (v T, err error) {
	if d.Record == nil {
		return v, nil
	}
	if err := json.Unmarshal(d.Record, &v); err != nil {
		return v, fmt.Errorf("read a record: %w", err)
	}
	return v, nil
}

// record writes the record of a document.
func (d *document) record(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return target.Errorf(target.ErrInvalid, "encode a record: %v", err)
	}
	d.Record = b
	return nil
}

// records reads the records of rows, leaving out those with nothing but a lease.
func records[T any](rows []row, read func(document) (T, error)) ([]T, error) {
	var out []T
	for _, r := range rows {
		if r.version == 0 {
			continue
		}
		d, err := decode[document](r)
		if err != nil {
			return nil, err
		}
		rec, err := read(d)
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, nil
}
