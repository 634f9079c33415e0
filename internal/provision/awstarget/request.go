package awstarget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// rowRequest is JSON: what somebody asks of the run that holds a slot's lease. It is an attribute
// of the slot's row, so that it goes with the slot and is read with it.
const rowRequest = "request"

// PutRequest implements target.Requests: a write over the request that was read, anew where
// another one came between.
func (t *Target) PutRequest(ctx context.Context, id target.SlotID, r target.Request) (target.Request, error) {
	control, err := t.slotTable(ctx, id)
	if err != nil {
		return target.Request{}, err
	}
	seen, err := control.get(ctx, slotKey(id))
	for err == nil {
		if seen.version == 0 {
			return target.Request{}, target.Errorf(target.ErrNotFound, "deployment slot %q does not exist", id)
		}
		var current *target.Request
		if current, err = requestOf(seen); err != nil {
			break
		}
		stands := target.Standing(current, r)
		if current != nil && *current == stands {
			return stands, nil
		}
		if seen, err = control.putRequest(ctx, seen, stands); err == nil {
			return stands, nil
		}
		if errors.Is(err, target.ErrConflict) {
			err = nil
		}
	}
	return target.Request{}, fmt.Errorf("put a request to slot %q: %w", id, err)
}

// putRequest writes a request where the one that a row was read with still stands. The row as it
// is stored comes with target.ErrConflict.
func (t table) putRequest(ctx context.Context, r row, next target.Request) (row, error) {
	b, err := json.Marshal(next)
	if err != nil {
		return r, fmt.Errorf("encode a request: %w", err)
	}
	in := &dynamodb.UpdateItemInput{
		TableName: &t.name, Key: r.key.attributes(),
		UpdateExpression:                    aws.String("SET #request = :next"),
		ConditionExpression:                 aws.String("attribute_exists(#version) AND attribute_not_exists(#request)"),
		ExpressionAttributeNames:            map[string]string{"#request": rowRequest, "#version": rowVersion},
		ExpressionAttributeValues:           map[string]types.AttributeValue{":next": textValue(string(b))},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if r.request != "" {
		in.ConditionExpression = aws.String("attribute_exists(#version) AND #request = :current")
		in.ExpressionAttributeValues[":current"] = textValue(r.request)
	}
	_, err = t.client.UpdateItem(ctx, in)
	var lost *types.ConditionalCheckFailedException
	if !errors.As(err, &lost) {
		return r, failed(t.absent(ctx, err), "write row %q", r.key)
	}
	stored, err := rowOf(lost.Item)
	stored.key = r.key
	return stored, errors.Join(err, target.ErrConflict)
}

// DeleteRequest implements target.Requests.
func (t *Target) DeleteRequest(ctx context.Context, id target.SlotID, requestID string, l target.Lease) error {
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
	current, err := requestOf(r)
	if err != nil || current == nil || current.ID != requestID {
		return err
	}
	g := leased(l.Token, t.now())
	g.values[":current"] = textValue(r.request)
	_, err = control.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &control.name, Key: r.key.attributes(),
		UpdateExpression:                    aws.String("REMOVE #request"),
		ConditionExpression:                 aws.String("#request = :current AND " + g.condition),
		ExpressionAttributeNames:            map[string]string{"#request": rowRequest},
		ExpressionAttributeValues:           g.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var lost *types.ConditionalCheckFailedException
	if errors.As(err, &lost) {
		// The lease went, or another request came: that one stays, and this one is gone.
		stored, err := rowOf(lost.Item)
		return errors.Join(err, checkLease(stored, id, l, t.now()))
	}
	return failed(err, "remove the request to slot %q", id)
}

// requestOf reads the request of a slot's row.
func requestOf(r row) (*target.Request, error) {
	if r.request == "" {
		return nil, nil
	}
	var out target.Request
	if err := json.Unmarshal([]byte(r.request), &out); err != nil {
		return nil, fmt.Errorf("read the request of row %q: %w", r.key, err)
	}
	return &out, nil
}
