package awstarget

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	// leaseTTL is how long a slot's lease lasts.
	leaseTTL = 60 * time.Second
	// clockMargin is how far the clocks of two machines may be apart: a holder stops this much
	// before its lease expires, and nobody takes it over before this much after.
	clockMargin = 5 * time.Second

	rowToken   = "lease_token"
	rowHolder  = "lease_holder"
	rowBeat    = "lease_beat"       // survives the lease
	rowExpires = "lease_expires_at" // nanoseconds since 1970; the API's own expiry would lag by days
)

func leaseOf(item map[string]types.AttributeValue) (target.Lease, error) {
	beat, errB := numberOf(item[rowBeat])
	at, errE := numberOf(item[rowExpires])
	l := target.Lease{Token: textOf(item[rowToken]), Holder: textOf(item[rowHolder]), Beat: beat}
	if at != 0 {
		l.ExpiresAt = time.Unix(0, at).UTC()
	}
	return l, errors.Join(errB, errE)
}

// acquire takes or renews the lease of a row. Somebody else's comes with target.ErrConflict,
// without its token.
func (t table) acquire(ctx context.Context, k key, l target.Lease, now time.Time) (target.Lease, error) {
	out, err := t.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.name, Key: k.attributes(),
		UpdateExpression:    aws.String("SET #token = :token, #holder = :holder, #expires = :expires ADD #beat :one"),
		ConditionExpression: aws.String("attribute_not_exists(#token) OR #token = :token OR #expires < :now"),
		ExpressionAttributeNames: map[string]string{
			"#token": rowToken, "#holder": rowHolder, "#expires": rowExpires, "#beat": rowBeat,
		},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":token": textValue(l.Token), ":holder": textValue(l.Holder), ":one": numberValue(1),
			":expires": numberValue(l.ExpiresAt.UnixNano()), ":now": numberValue(now.Add(-clockMargin).UnixNano()),
		},
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var lost *types.ConditionalCheckFailedException
	if errors.As(err, &lost) {
		held, err := leaseOf(lost.Item)
		held.Token = "" // its holder's secret
		return held, errors.Join(err, target.ErrConflict)
	}
	if err != nil {
		return target.Lease{}, failed(t.absent(ctx, err), "write the lease of row %q", k)
	}
	return leaseOf(out.Attributes)
}

// release gives a lease back. The beat goes on counting with the next holder.
func (t table) release(ctx context.Context, k key, token string) error {
	_, err := t.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &t.name, Key: k.attributes(),
		UpdateExpression:          aws.String("REMOVE #token, #holder, #expires"),
		ConditionExpression:       aws.String("#token = :token"),
		ExpressionAttributeNames:  map[string]string{"#token": rowToken, "#holder": rowHolder, "#expires": rowExpires},
		ExpressionAttributeValues: map[string]types.AttributeValue{":token": textValue(token)},
	})
	var lost *types.ConditionalCheckFailedException
	if errors.As(err, &lost) {
		return nil
	}
	return failed(gone(t.absent(ctx, err)), "give back the lease of row %q", k)
}

// valid says whether a lease may still be worked under.
func valid(l target.Lease, now time.Time) bool {
	return l.Token != "" && now.Before(l.ExpiresAt.Add(-clockMargin))
}

// leased is the condition of a write that a lease is needed for.
func leased(token string, now time.Time) guard {
	return guard{
		condition: "lease_token = :lease_token AND lease_expires_at > :lease_now",
		values: map[string]types.AttributeValue{
			":lease_token": textValue(token), ":lease_now": numberValue(now.Add(clockMargin).UnixNano()),
		},
	}
}

// AcquireLease implements target.Leases. In an environment that is being removed there are leases of
// slots that are there, so that they can be removed.
func (t *Target) AcquireLease(ctx context.Context, id target.SlotID, token, holder string, ttl time.Duration) (target.Lease, error) {
	control, err := t.openSlotTable(ctx, id)
	if errors.Is(err, target.ErrEnding) {
		r, readErr := control.get(ctx, slotKey(id))
		if err = errors.Join(err, readErr); r.version > 0 {
			err = readErr
		}
	}
	if err != nil {
		return target.Lease{}, err
	}
	now := t.now()
	l, err := control.acquire(ctx, slotKey(id), target.Lease{Token: token, Holder: holder, ExpiresAt: now.Add(ttl)}, now)
	if errors.Is(err, target.ErrConflict) {
		return target.Lease{}, &target.LeaseHeldError{Slot: id, Lease: l}
	}
	if err != nil {
		return target.Lease{}, fmt.Errorf("acquire the lease of slot %q: %w", id, err)
	}
	t.held.Store(id, l)
	return l, nil
}

// ReleaseLease implements target.Leases.
func (t *Target) ReleaseLease(ctx context.Context, id target.SlotID, token string) error {
	t.held.Delete(id)
	control, err := t.controlTable(ctx, id.Environment.Region)
	if errors.Is(err, target.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return control.release(ctx, slotKey(id), token)
}

// LeaseTTL implements target.Leases.
func (t *Target) LeaseTTL() time.Duration { return leaseTTL }

// checkLease refuses an effect on a slot whose lease is not the valid one.
func checkLease(r row, id target.SlotID, l target.Lease, now time.Time) error {
	if !valid(r.lease, now) || r.lease.Token != l.Token {
		return target.Errorf(target.ErrLeaseLost, "the lease of slot %q is not held by %q", id, l.Holder)
	}
	return nil
}
