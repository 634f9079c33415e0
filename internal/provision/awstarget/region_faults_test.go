package awstarget_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// wholeRegion is what a region is made of.
const wholeRegion = "[1 bucket 1 key 1 table]"

// TestARegionSurvivesEveryFault lets each call of a create, of a change and of a destroy fail once
// in each way, repeats it until it succeeds, and counts what is there.
func TestARegionSurvivesEveryFault(t *testing.T) {
	t.Parallel()
	for _, fault := range awstest.Faults {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			r := l.try(t, wait.NewFake(time.Now()), time.Second)
			done := func(want string, do func(context.Context) error) {
				t.Helper()
				if err := r.untilAllDone(t.Context(), fault, do); err != nil {
					t.Fatal(err)
				}
				if got := words(l.inventory(t, home)); got != want {
					t.Errorf("there is %s, want %s", got, want)
				}
			}
			done(wholeRegion, func(ctx context.Context) error { return second(r.PutRegion(ctx, eu, mine)) })
			changed := eu
			changed.Tags = map[string]string{"team": "another", "cost": "1"}
			done(wholeRegion, func(ctx context.Context) error { return second(r.PutRegion(ctx, changed, again)) })
			if rec, err := r.GetRegion(t.Context(), eu.Name); err != nil || !rec.Meta.Ready || rec.Meta.Problem != "" {
				t.Errorf("it is %+v (%v)", rec.Meta, err)
			}
			done("[]", func(ctx context.Context) error { return r.provisioner().DeleteRegion(ctx, eu.Name) })
			if left, err := dynamodb.NewFromConfig(l.config(home)).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("slipway-directory")}); err != nil || aws.ToBool(left.Table.DeletionProtectionEnabled) {
				t.Errorf("the directory of the installation that has ended can't be removed (%v)", err)
			}
		})
	}
}
