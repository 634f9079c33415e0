package awstarget

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// A journal is two rows: one without what is long, which is listed, and a whole one. Both have
// the swap's id.
func journalKind(id target.SlotID) string {
	return "journal/" + id.Environment.Name + "/" + id.Name
}

func wholeKind(id target.SlotID) string {
	return "journal-whole/" + id.Environment.Name + "/" + id.Name
}

// PutJournal implements target.Journals. The whole journal is written first: what is listed can
// be read.
func (t *Target) PutJournal(ctx context.Context, j target.Journal, l target.Lease) error {
	id := j.Slot
	control, err := t.slotTable(ctx, id)
	if err != nil {
		return err
	}
	r, err := control.get(ctx, slotKey(id))
	if err != nil {
		return err
	}
	if err := checkLease(r, id, l, t.now()); err != nil {
		return err
	}
	if j.Swap.ID == "" {
		return target.Errorf(target.ErrInvalid, "a journal of slot %q names no swap", id)
	}
	if err := control.putJournalRow(ctx, key{wholeKind(id), j.Swap.ID}, j); err != nil {
		return err
	}
	if err := control.putJournalRow(ctx, key{journalKind(id), j.Swap.ID}, listed(j)); err != nil {
		return err
	}
	return t.pruneJournals(ctx, control, id, j.Swap.ID)
}

// putJournalRow writes a row over the one that is there.
func (t table) putJournalRow(ctx context.Context, k key, j target.Journal) error {
	document, err := fitting(k, j)
	if err != nil {
		return err
	}
	item := k.attributes()
	item[rowDocument], item[rowVersion] = document, numberValue(1)
	_, err = t.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &t.name, Item: item})
	return failed(err, "write row %q", k)
}

// fitting is the document of a journal that fits into a row: of one that is too long every other
// sample goes, and then the older half of what its tasks wrote.
func fitting(k key, j target.Journal) (types.AttributeValue, error) {
	for {
		r, err := encode(row{key: k}, j)
		if err != nil {
			return nil, err
		}
		document, err := documentValue(r.document)
		if err != nil || documentSize(document) <= maxRow {
			return document, err
		}
		if !thin(&j) {
			return nil, target.Errorf(target.ErrInvalid, "the journal of swap %q takes %d bytes, which are too many for a row", j.Swap.ID, documentSize(document))
		}
	}
}

// thin takes away a part of what is long in a journal, and says whether there was any.
func thin(j *target.Journal) bool {
	if n := len(j.Swap.Samples); n > 1 {
		kept := make([]target.Sample, 0, n/2+1)
		for i := 0; i < n; i += 2 {
			kept = append(kept, j.Swap.Samples[i])
		}
		j.Swap.Samples = kept
		return true
	}
	thinned := false
	j.Swap.Tasks = slices.Clone(j.Swap.Tasks)
	for i, task := range j.Swap.Tasks {
		if n := len(task.LastLines); n > 0 {
			j.Swap.Tasks[i].LastLines = task.LastLines[(n+1)/2:]
			thinned = true
		}
	}
	return thinned
}

// listed is a journal without samples and output.
func listed(j target.Journal) target.Journal {
	j.Swap.Samples = nil
	j.Swap.Tasks = slices.Clone(j.Swap.Tasks)
	for i := range j.Swap.Tasks {
		j.Swap.Tasks[i].LastLines = nil
	}
	return j
}

// ListJournals implements target.Journals.
func (t *Target) ListJournals(ctx context.Context, id target.SlotID) ([]target.Journal, error) {
	control, err := t.slotTable(ctx, id)
	if err != nil {
		return nil, err
	}
	return control.journals(ctx, id)
}

// journals are those of a slot without what is long, the newest first.
func (t table) journals(ctx context.Context, id target.SlotID) ([]target.Journal, error) {
	rows, err := t.list(ctx, journalKind(id))
	if err != nil {
		return nil, err
	}
	var out []target.Journal
	for _, r := range rows {
		j, err := decode[target.Journal](r)
		if err != nil {
			return nil, err
		}
		out = append(out, j)
	}
	slices.SortFunc(out, func(a, b target.Journal) int {
		return cmp.Or(b.Swap.StartedAt.Compare(a.Swap.StartedAt), cmp.Compare(b.Swap.ID, a.Swap.ID))
	})
	return out, nil
}

// GetJournal implements target.Journals.
func (t *Target) GetJournal(ctx context.Context, id target.SlotID, swapID string) (target.Journal, error) {
	none := target.Errorf(target.ErrNotFound, "slot %q keeps no journal of a swap %q; it keeps those of the last %d", id, swapID, target.KeptJournals)
	if swapID == "" {
		return target.Journal{}, none
	}
	control, err := t.slotTable(ctx, id)
	if err != nil {
		return target.Journal{}, err
	}
	r, err := control.get(ctx, key{wholeKind(id), swapID})
	if err != nil {
		return target.Journal{}, err
	}
	if r.version == 0 {
		return target.Journal{}, none
	}
	return decode[target.Journal](r)
}

// pruneJournals removes the oldest journals where there are too many, but not the one that was
// just put.
func (t *Target) pruneJournals(ctx context.Context, control table, id target.SlotID, put string) error {
	all, err := control.journals(ctx, id)
	if err != nil {
		return err
	}
	var old []key
	surplus := len(all) - target.KeptJournals
	for _, j := range slices.Backward(all) {
		if surplus <= 0 {
			break
		}
		if j.Swap.ID == put {
			continue
		}
		old = append(old, key{journalKind(id), j.Swap.ID}, key{wholeKind(id), j.Swap.ID})
		surplus--
	}
	return t.eraseRows(ctx, control, old)
}

// eraseJournals removes all journals of a slot.
func (t *Target) eraseJournals(ctx context.Context, control table, id target.SlotID) error {
	var all []key
	for _, kind := range []string{journalKind(id), wholeKind(id)} {
		ids, err := control.ids(ctx, kind)
		if err != nil {
			return err
		}
		for _, i := range ids {
			all = append(all, key{kind, i})
		}
	}
	return t.eraseRows(ctx, control, all)
}

// maxWrites is how many rows one call writes.
const maxWrites = 25

// eraseRows removes rows whatever they hold.
func (t *Target) eraseRows(ctx context.Context, control table, keys []key) error {
	for some := range slices.Chunk(keys, maxWrites) {
		left := map[string][]types.WriteRequest{}
		for _, k := range some {
			left[control.name] = append(left[control.name], types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: k.attributes()}})
		}
		err := t.until(ctx, "the removal of rows", func(ctx context.Context) (status, bool, error) {
			out, err := control.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: left})
			if err != nil {
				err = gone(control.absent(ctx, err))
				return "", err == nil, failed(err, "remove rows")
			}
			left = out.UnprocessedItems // what was too much at once
			return status(fmt.Sprintf("%d rows are left", len(left[control.name]))), len(left) == 0, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ids are those of the rows of a kind.
func (t table) ids(ctx context.Context, kind string) ([]string, error) {
	var all []string
	in := t.kindQuery(kind)
	in.ProjectionExpression = aws.String("#id")
	in.ExpressionAttributeNames["#id"] = rowID
	pages := dynamodb.NewQueryPaginator(t.client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(t.absent(ctx, err), "list rows %q", kind)
		}
		for _, item := range page.Items {
			all = append(all, textOf(item[rowID]))
		}
	}
	return all, nil
}
