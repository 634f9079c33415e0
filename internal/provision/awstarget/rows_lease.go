package awstarget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// conditionFailed is the reason of a write in a cancelled transaction whose condition does not hold.
const conditionFailed = "ConditionalCheckFailed"

// passingReasons are those of a transaction that may work when it is sent again: another write of a row was
// under way, such as a heartbeat, or there were too many.
var passingReasons = []string{"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}

// errCollided is of such a transaction. It had no effect.
var errCollided = fmt.Errorf("other writes were in the way: %w", target.ErrUnavailable)

// saveUnder writes a row's document in one transaction with the condition that another row's
// lease is held: target.ErrLeaseLost if it is not, target.ErrConflict if the row is not at
// r.version. A write whose answer was lost and that was sent again succeeds, and one that came upon
// another of the same rows is repeated a few times.
func (t table) saveUnder(ctx context.Context, r row, lease key, token string, now func() time.Time) error {
	document, err := documentValue(r.document)
	if err != nil {
		return err
	}
	if size := documentSize(document); size > maxRow {
		return target.Errorf(target.ErrInvalid, "the document of row %q takes %d bytes, and there is room for %d", r.key, size, maxRow)
	}
	tries := 0
	_, err = wait.Until(ctx, t.reader.pace, func(ctx context.Context) (status, bool, error) {
		err := t.transact(ctx, r, document, lease, leased(token, now()))
		const most = 5
		if tries++; errors.Is(err, errCollided) && tries < most {
			return status(err.Error()), false, nil
		}
		return "", true, err
	})
	return err
}

// transact is one try of it.
func (t table) transact(ctx context.Context, r row, document types.AttributeValue, lease key, held guard) error {
	condition, values := "attribute_not_exists(#version)", map[string]types.AttributeValue{
		":document": document, ":next": numberValue(r.version + 1),
	}
	if r.version > 0 {
		condition, values[":version"] = "#version = :version", numberValue(r.version)
	}
	_, err := t.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
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
	var reasons []string // of each of the two
	for _, reason := range cancelled.CancellationReasons {
		reasons = append(reasons, text(reason.Code))
	}
	switch slices.Index(reasons, conditionFailed) {
	case 0:
		return target.Errorf(target.ErrLeaseLost, "the lease of row %q is not held", lease)
	case 1:
		return t.overtaken(ctx, r)
	}
	if slices.ContainsFunc(reasons, func(code string) bool { return slices.Contains(passingReasons, code) }) {
		return fmt.Errorf("write row %q: %w (%w)", r.key, errCollided, err)
	}
	return failed(err, "write row %q", r.key)
}

// overtaken says what became of a write of a row that is not at r.version: nil where it was this one, by
// the call whose answer was lost.
func (t table) overtaken(ctx context.Context, r row) error {
	stored, err := t.get(ctx, r.key)
	if err != nil {
		return err
	}
	if stored.version == r.version+1 && stored.document == r.document {
		return nil
	}
	return target.Errorf(target.ErrConflict, "row %q is at version %d, not at %d", r.key, stored.version, r.version)
}
