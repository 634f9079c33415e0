package awstarget_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// loseControl removes the control table of the region, and returns what makes an empty one in its place.
func (s *spoiler) loseControl() (restore func()) {
	client, name := s.dynamodb(home), control(s.ctx, s.lab)
	s.do(client.UpdateTable(s.ctx, &dynamodb.UpdateTableInput{TableName: name, DeletionProtectionEnabled: aws.Bool(false)}))
	s.do(client.DeleteTable(s.ctx, &dynamodb.DeleteTableInput{TableName: name}))
	return func() {
		attribute := func(name string) types.AttributeDefinition {
			return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS}
		}
		s.do(client.CreateTable(s.ctx, &dynamodb.CreateTableInput{
			TableName: name, BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{attribute("kind"), attribute("id")},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("kind"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("id"), KeyType: types.KeyTypeRange}},
		}))
	}
}

// saysThatItIsLost wants nothing of a region without its control table to be said not to be there, or to be
// made or removed.
func (l *lab) saysThatItIsLost(t *testing.T, r target.Region, o target.PutOptions) {
	t.Helper()
	d, ctx := l.client(t), t.Context()
	e := environment(t, r.Name, "production")
	account := database(e.ID(), "acme")
	slot := target.SlotID{Environment: e.ID(), Name: "oms"}
	for what, do := range map[string]func() error{
		"a look at the region":      func() error { return second(d.GetRegion(ctx, r.Name)) },
		"a put of the region":       func() error { return second(d.PutRegion(ctx, r, o)) },
		"the end of the region":     func() error { return d.DeleteRegion(ctx, r.Name) },
		"a look at an environment":  func() error { return second(d.GetEnvironment(ctx, e.ID())) },
		"a recent look at one":      func() error { return second(d.GetEnvironment(target.AllowRecent(ctx), e.ID())) },
		"a put of an environment":   func() error { return second(d.PutEnvironment(ctx, e, mine)) },
		"the end of an environment": func() error { return d.DeleteEnvironment(ctx, e.ID()) },
		"a look at all of them":     func() error { return second(d.ListEnvironments(ctx)) },
		"a look at an account":      func() error { return second(d.GetAccountDatabase(ctx, account.ID())) },
		"a put of an account":       func() error { return second(d.PutAccountDatabase(ctx, account, mine)) },
		"the end of an account":     func() error { return d.DeleteAccountDatabase(ctx, account.ID()) },
		"a look at a slot":          func() error { return second(d.GetSlot(ctx, slot)) },
		"the lease of a slot":       func() error { return second(d.AcquireLease(ctx, slot, "token", "me", d.LeaseTTL())) },
	} {
		if err := do(); !errors.Is(err, target.ErrLost) || errors.Is(err, target.ErrNotFound) {
			t.Errorf("%s: got error %v, want %q", what, err, target.ErrLost)
		}
	}
	if name := control(ctx, l); name != nil {
		t.Errorf("table %q has been made", *name)
	}
}
