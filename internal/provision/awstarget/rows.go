package awstarget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Attributes of a row. A row may hold a document, a lease, or both; each has its own count.
const (
	rowKind     = "kind"     // partition key, such as "environment" or "slot/production"
	rowID       = "id"       // sort key
	rowDocument = "document" // JSON, packed where it is long
	rowVersion  = "version"  // goes up with each write of the document
)

// table is a table of rows: the directory, or the control table of a region.
type table struct {
	client *dynamodb.Client
	name   string
	reader *reader
	// lost says why a table that is not there must be; nil, or an answer of nil: it need not be there.
	lost func(context.Context) error
}

// absent turns the answer that there is no such table into errAbsent, or into the error of one that must
// be there: what was in it is not known not to exist.
func (t table) absent(ctx context.Context, err error) error {
	if err = absent(err, errNoTable); !isAbsent(err) || t.lost == nil {
		return err
	}
	if lost := t.lost(ctx); lost != nil {
		return lost
	}
	return err
}

// key names a row.
type key struct{ kind, id string }

func (k key) String() string { return k.kind + " " + k.id }

func (k key) attributes() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{rowKind: textValue(k.kind), rowID: textValue(k.id)}
}

// removal is the command that takes a row away by hand.
func (t table) removal(region string, k key) string {
	return fmt.Sprintf(`aws dynamodb delete-item --region %s --table-name %s --key '{"%s":{"S":"%s"},"%s":{"S":"%s"}}'`, region, t.name, rowKind, k.kind, rowID, k.id)
}

// row is what is stored under a key. Version 0 is a row without a document.
type row struct {
	key      key
	version  int64
	document string
	lease    target.Lease
	request  string // JSON, of slots
}

func textValue(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func numberValue(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func textOf(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func numberOf(v types.AttributeValue) (int64, error) {
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return 0, nil
	}
	return strconv.ParseInt(n.Value, 10, 64)
}

func rowOf(item map[string]types.AttributeValue) (row, error) {
	r := row{key: key{textOf(item[rowKind]), textOf(item[rowID])}, request: textOf(item[rowRequest])}
	var errD, errV, errL error
	r.document, errD = documentOf(item[rowDocument])
	r.version, errV = numberOf(item[rowVersion])
	r.lease, errL = leaseOf(item)
	if err := errors.Join(errD, errV, errL); err != nil {
		return r, fmt.Errorf("read row %q: %w", r.key, err)
	}
	return r, nil
}

// get reads a row; one that is not there is at version 0 and has no lease.
func (t table) get(ctx context.Context, k key) (row, error) {
	if shares(ctx) {
		return t.among(ctx, k)
	}
	r, err := t.reader.get(ctx, k)
	return r, t.absent(ctx, err)
}

// among reads a row together with all of its kind: those who share a look ask for the others too.
func (t table) among(ctx context.Context, k key) (row, error) {
	pages := dynamodb.NewQueryPaginator(t.client, t.kindQuery(k.kind))
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return row{key: k}, failed(t.absent(ctx, err), "read row %q", k)
		}
		for _, item := range page.Items {
			if textOf(item[rowID]) == k.id {
				return rowOf(item)
			}
		}
	}
	return row{key: k}, nil
}

// kindQuery asks for the rows of a kind.
func (t table) kindQuery(kind string) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName: &t.name, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("#kind = :kind"),
		ExpressionAttributeNames:  map[string]string{"#kind": rowKind},
		ExpressionAttributeValues: map[string]types.AttributeValue{":kind": textValue(kind)},
	}
}

// list reads the rows of a kind in the order of their ids, those with nothing but a lease too.
func (t table) list(ctx context.Context, kind string) ([]row, error) {
	var all []row
	pages := dynamodb.NewQueryPaginator(t.client, t.kindQuery(kind))
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(t.absent(ctx, err), "list rows %q", kind)
		}
		for _, item := range page.Items {
			r, err := rowOf(item)
			if err != nil {
				return nil, err
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// guard is a further condition of a write.
type guard struct {
	condition string
	values    map[string]types.AttributeValue
}

// save writes a document over the one that is at r.version, and returns the row as it is then.
// The row as it is stored comes with target.ErrConflict. A write whose answer was lost and
// that was sent again is told by what is stored: then it succeeds.
func (t table) save(ctx context.Context, r row, g guard) (row, error) {
	document, err := documentValue(r.document)
	if err != nil {
		return r, err
	}
	in := &dynamodb.UpdateItemInput{
		TableName: &t.name, Key: r.key.attributes(),
		UpdateExpression:                    aws.String("SET #document = :document, #version = :next"),
		ExpressionAttributeNames:            map[string]string{"#document": rowDocument, "#version": rowVersion},
		ExpressionAttributeValues:           map[string]types.AttributeValue{":document": document, ":next": numberValue(r.version + 1)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	condition := "attribute_not_exists(#version)"
	if r.version > 0 {
		condition = "#version = :version"
		in.ExpressionAttributeValues[":version"] = numberValue(r.version)
	}
	if g.condition != "" {
		condition += " AND " + g.condition
	}
	for k, v := range g.values {
		in.ExpressionAttributeValues[k] = v
	}
	in.ConditionExpression = &condition
	_, err = t.client.UpdateItem(ctx, in)
	var lost *types.ConditionalCheckFailedException
	if !errors.As(err, &lost) {
		r.version++
		return r, failed(t.absent(ctx, err), "write row %q", r.key)
	}
	stored, err := rowOf(lost.Item)
	if err != nil {
		return stored, err
	}
	stored.key = r.key
	if stored.version == r.version+1 && stored.document == r.document {
		return stored, nil
	}
	return stored, target.Errorf(target.ErrConflict, "row %q is at version %d, not at %d", r.key, stored.version, r.version)
}

// erase removes a row at its version.
func (t table) erase(ctx context.Context, r row) error {
	in := &dynamodb.DeleteItemInput{
		TableName: &t.name, Key: r.key.attributes(),
		ConditionExpression:      aws.String("attribute_not_exists(#version)"),
		ExpressionAttributeNames: map[string]string{"#version": rowVersion},
	}
	if r.version > 0 {
		in.ConditionExpression = aws.String("attribute_not_exists(#version) OR #version = :version")
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":version": numberValue(r.version)}
	}
	_, err := t.client.DeleteItem(ctx, in)
	var lost *types.ConditionalCheckFailedException
	if errors.As(err, &lost) {
		return target.Errorf(target.ErrConflict, "row %q is not at version %d any more", r.key, r.version)
	}
	return failed(gone(t.absent(ctx, err)), "remove row %q", r.key)
}

// decode reads a row's document.
func decode[T any](r row) (v T, err error) {
	if r.version == 0 {
		return v, nil
	}
	if err := json.Unmarshal([]byte(r.document), &v); err != nil {
		return v, fmt.Errorf("read the document of row %q: %w", r.key, err)
	}
	return v, nil
}

// encode writes a row's document.
func encode(r row, v any) (row, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return r, target.Errorf(target.ErrInvalid, "encode the document of row %q: %v", r.key, err)
	}
	r.document = string(b)
	return r, nil
}
