package awstarget_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// wholeRegion is what a region is made of.
const wholeRegion = "[1 alias 1 bucket 1 key 1 table]"

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

// AWS goes by the tags of a key that was made just now after up to five minutes, and may not know the
// key for a moment, nor a table or a bucket. The put waits for that, and so does a removal, and whatever
// uses the key.
func TestARegionWaitsUntilWhatItMakesIsKnown(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r := l.try(t, wait.NewFake(time.Now()), 10*time.Second)
	const denied, unknown = "AccessDeniedException", "NotFoundException"
	r.calls.Refuse(2, map[string]string{
		"CreateAlias": denied, "EnableKeyRotation": denied, "GetKeyPolicy": unknown, "ListResourceTags": unknown,
		"DescribeTable": "ResourceNotFoundException", "DescribeContinuousBackups": "TableNotFoundException",
	})
	if _, err := r.PutRegion(t.Context(), eu, mine); err != nil {
		t.Fatal(err)
	}
	if got := words(l.inventory(t, home)); got != wholeRegion {
		t.Errorf("there is %s", got)
	}
	bucket := bucketOf(t, l)
	r.calls.Refuse(1, map[string]string{"DeleteAlias": denied, "ScheduleKeyDeletion": denied})
	if err := r.provisioner().DeleteRegion(t.Context(), eu.Name); err != nil {
		t.Error(err)
	}
	if got := words(l.inventory(t, home)); got != "[]" {
		t.Errorf("there is still %s", got)
	}
	// The name of a bucket is not free at once after one was deleted, and the next is not seen at once.
	r.calls.Refuse(3, map[string]string{"PUT /" + bucket: "OperationAborted", "GET /" + bucket: "NoSuchBucket"})
	if _, err := r.PutRegion(t.Context(), eu, mine); err != nil {
		t.Fatal(err)
	}
	if got := words(l.inventory(t, home)); got != wholeRegion {
		t.Errorf("there is %s", got)
	}
	// S3 makes one change of a bucket after the other.
	changed := eu
	changed.Tags = map[string]string{"team": "another"}
	r.calls.Refuse(2, map[string]string{"PUT /" + bucket: "OperationAborted"})
	if _, err := r.PutRegion(t.Context(), changed, again); err != nil {
		t.Fatal(err)
	}
}

// bucketOf is the name of an account's only bucket.
func bucketOf(t *testing.T, l *lab) string {
	t.Helper()
	out, err := s3.NewFromConfig(l.config(home), func(o *s3.Options) { o.UsePathStyle = true }).ListBuckets(t.Context(), nil)
	if err != nil || len(out.Buckets) != 1 {
		t.Fatalf("there are the buckets %+v (%v)", out, err)
	}
	return aws.ToString(out.Buckets[0].Name)
}

// What AWS refuses for good is told when the key is no longer new, with the refusal; the key stays the one
// that it is.
func TestARegionWhoseKeyIsRefusedSaysSo(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r := l.try(t, wait.NewFake(time.Now()), 20*time.Second)
	r.calls.Refuse(1<<30, map[string]string{"CreateAlias": "AccessDeniedException"})
	for _, most := range []time.Duration{11 * time.Minute, time.Second} { // a key that is not new is not waited for
		began := r.clock.Now()
		_, err := r.PutRegion(t.Context(), eu, mine)
		var refused smithy.APIError
		if !errors.As(err, &refused) || refused.ErrorCode() != "AccessDeniedException" {
			t.Errorf("got error %v", err)
		}
		if waited := r.clock.Now().Sub(began); waited > most {
			t.Errorf("waited for %s, want %s at most", waited, most)
		}
	}
	r.calls.FailAt(0, awstest.FailBefore)
	if _, err := r.PutRegion(t.Context(), eu, mine); err != nil {
		t.Fatal(err)
	}
	if got := words(l.inventory(t, home)); got != wholeRegion {
		t.Errorf("there is %s", got)
	}
}
