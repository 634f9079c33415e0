package awstarget

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// saveUnder writes a row's document in one transaction with the condition that another row's
// lease is held: target.ErrLeaseLost if it is not, target.ErrConflict if the row is not at
// r.version. A write whose answer was lost and that was sent again succeeds.
func (t table) saveUnder(ctx context.Context, r row, lease key, token string, now time.Time) error {
	held := leased(token, now)
	document, err := documentValue(r.document)
	if err != nil {
		return err
	}
	if size := documentSize(document); size > maxRow {
		return target.Errorf(target.ErrInvalid, "the document of row %q takes %d bytes, and there is room for %d", r.key, size, maxRow)
	}
	condition, values := "attribute_not_exists(#version)", map[string]types.AttributeValue{
		":document": document, ":next": numberValue(r.version + 1),
	}
	if r.version > 0 {
		condition, values[":version"] = "#version = :version", numberValue(r.version)
	}
	_, err = t.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{ConditionCheck: &types.ConditionCheck{
			TableName: &t.name, Key: lease.attributes(), ConditionExpression: &held.condition, ExpressionAttributeValues: held.values,
		}},
		{Update: &types.Update{
			TableName: &t.name, Key: r.key.attributes(), ConditionExpression: &condition, ExpressionAttributeValues: values,
			UpdateExpression:         aws.String("SET #document = :document, #version = :next"),
			ExpressionAttributeNames: map[string]string{"#document": rowDocument, "#version": rowVersion},
		}},
	}})
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return failed(t.absent(ctx, err), "write row %q", r.key)
	}
	reasons := cancelled.CancellationReasons
	if len(reasons) == 2 && text(reasons[0].Code) == "ConditionalCheckFailed" {
		return target.Errorf(target.ErrLeaseLost, "the lease of row %q is not held", lease)
	}
	stored, err := t.get(ctx, r.key)
	if err != nil {
		return err
	}
	if stored.version == r.version+1 && stored.document == r.document {
		return nil
	}
	return target.Errorf(target.ErrConflict, "row %q is at version %d, not at %d", r.key, stored.version, r.version)
}
