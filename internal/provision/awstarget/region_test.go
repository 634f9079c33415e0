package awstarget_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

var (
	eu   = target.Region{Name: "eu", Location: home, Jurisdiction: "EU", Tags: map[string]string{"team": "platform"}}
	mine = target.PutOptions{Owner: "me"}
)

// again is a put of what is at generation 1.
var again = target.PutOptions{Owner: "me", IfGeneration: 1}

func TestDriftOfARegionIsSeenAndRepaired(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		drift func(ctx context.Context, l *lab, bucket string) error
	}{
		{"the control table is not protected any more", func(ctx context.Context, l *lab, _ string) error {
			_, err := l.dynamodb(home).UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: control(ctx, l), DeletionProtectionEnabled: aws.Bool(false)})
			return err
		}},
		{"the control table can't be restored any more", func(ctx context.Context, l *lab, _ string) error {
			_, err := l.dynamodb(home).UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
				TableName: control(ctx, l), PointInTimeRecoverySpecification: &dynamodbtypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(false)},
			})
			return err
		}},
		{"the key does not rotate any more", func(ctx context.Context, l *lab, _ string) error {
			_, err := l.kms(home).DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: l.key(ctx)})
			return err
		}},
		{"the key is disabled", func(ctx context.Context, l *lab, _ string) error {
			_, err := l.kms(home).DisableKey(ctx, &kms.DisableKeyInput{KeyId: l.key(ctx)})
			return err
		}},
		{"the key is to be deleted", func(ctx context.Context, l *lab, _ string) error {
			_, err := l.kms(home).ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: l.key(ctx)})
			return err
		}},
		{"the key has another policy", func(ctx context.Context, l *lab, _ string) error {
			_, err := l.kms(home).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: l.key(ctx), PolicyName: aws.String("default"), Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"}]}`)})
			return err
		}},
		{"the bucket may be public", func(ctx context.Context, l *lab, bucket string) error {
			_, err := l.s3(home).DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: &bucket})
			return err
		}},
		{"the bucket is encrypted otherwise", func(ctx context.Context, l *lab, bucket string) error {
			_, err := l.s3(home).PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: &bucket, ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
				Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms}}},
			}})
			return err
		}},
		{"the bucket has no policy", func(ctx context.Context, l *lab, bucket string) error {
			_, err := l.s3(home).DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &bucket})
			return err
		}},
		{"the bucket keeps logs for ever", func(ctx context.Context, l *lab, bucket string) error {
			_, err := l.s3(home).DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: &bucket})
			return err
		}},
		{"the bucket is gone", func(ctx context.Context, l *lab, bucket string) error {
			_, err := l.s3(home).DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket})
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			d := l.client(t)
			if _, err := d.PutRegion(t.Context(), eu, mine); err != nil {
				t.Fatal(err)
			}
			problem(t, d, false)
			buckets, err := l.s3(home).ListBuckets(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.drift(t.Context(), l, aws.ToString(buckets.Buckets[0].Name)); err != nil {
				t.Fatal(err)
			}
			problem(t, d, true)
			if _, err := d.PutRegion(t.Context(), eu, again); err != nil {
				t.Fatal(err)
			}
			problem(t, d, false)
			if got := words(l.inventory(t, home)); got != "[1 bucket 1 key 1 table]" {
				t.Errorf("there is %s", got)
			}
		})
	}
}

// problem says whether a region has one.
func problem(t *testing.T, d target.Regions, want bool) {
	t.Helper()
	rec, err := d.GetRegion(t.Context(), eu.Name)
	if err != nil {
		t.Fatal(err)
	}
	if (rec.Meta.Problem != "") != want {
		t.Fatalf("the problem is %q, want one: %t", rec.Meta.Problem, want)
	}
}

// key is the id of the account's only key.
func (l *lab) key(ctx context.Context) *string {
	keys, err := l.kms(home).ListKeys(ctx, nil)
	if err != nil || len(keys.Keys) != 1 {
		return nil
	}
	return keys.Keys[0].KeyId
}

// control is the name of the only control table.
func control(ctx context.Context, l *lab) *string {
	tables, err := l.dynamodb(home).ListTables(ctx, nil)
	if err != nil {
		return nil
	}
	for _, name := range tables.TableNames {
		if name != "slipway-directory" {
			return &name
		}
	}
	return nil
}

func TestWhatIsNotOursIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(ctx context.Context, l *lab, bucket, table string) error
	}{
		{"a table", func(ctx context.Context, l *lab, _, table string) error {
			return createTable(ctx, l.dynamodb(home), table)
		}},
		{"a bucket", func(ctx context.Context, l *lab, bucket, _ string) error {
			_, err := l.s3(home).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: home}})
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			d := l.client(t)
			if _, err := d.PutRegion(t.Context(), eu, mine); err != nil {
				t.Fatal(err)
			}
			table := aws.ToString(control(t.Context(), l))
			buckets, err := l.s3(home).ListBuckets(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			bucket := aws.ToString(buckets.Buckets[0].Name)
			if err := d.DeleteRegion(t.Context(), eu.Name); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(t.Context(), l, bucket, table); err != nil {
				t.Fatal(err)
			}
			if _, err := d.PutRegion(t.Context(), eu, mine); !errors.Is(err, target.ErrForeign) {
				t.Errorf("put: got error %v, want %q", err, target.ErrForeign)
			}
		})
	}
}

func createTable(ctx context.Context, c *dynamodb.Client, name string) error {
	_, err := c.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: dynamodbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
		KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamodbtypes.KeyTypeHash}},
	})
	return err
}

func TestALocationIsAnAWSRegionThatIsEnabled(t *testing.T) {
	t.Parallel()
	d := newLab(t).client(t)
	for _, location := range []string{"Frankfurt", "eu-central-9", "ap-east-1" /* is not opted in */, "ap-south-2" /* has no Data API */} {
		r := eu
		r.Location = location
		if _, err := d.PutRegion(t.Context(), r, mine); !errors.Is(err, target.ErrInvalid) {
			t.Errorf("location %q: got error %v, want %q", location, err, target.ErrInvalid)
		}
	}
	if _, err := d.Installation(t.Context()); !errors.Is(err, target.ErrNoInstallation) {
		t.Errorf("a refused region left an installation: %v", err)
	}
}

func TestEachRegionIsBuiltWhereItIs(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.client(t)
	us := target.Region{Name: "us", Location: elsewhere, Jurisdiction: "US"}
	for _, r := range []target.Region{eu, us} {
		if _, err := d.PutRegion(t.Context(), r, mine); err != nil {
			t.Fatal(err)
		}
	}
	for _, region := range []string{home, elsewhere} {
		got := l.inventory(t, region)
		delete(got, "bucket") // listed in every region
		if words(got) != "[1 key 1 table]" {
			t.Errorf("in %s there is %s", region, words(got))
		}
	}
	for region, r := range map[string]target.Region{home: eu, elsewhere: us} {
		if err := d.DeleteRegion(t.Context(), r.Name); err != nil {
			t.Fatal(err)
		}
		if got := words(l.inventory(t, region)); region == elsewhere && got != "[]" && !strings.Contains(got, "bucket") {
			t.Errorf("in %s there is still %s", region, got)
		}
	}
}

func TestAnAWSAccountThatIsNotAllowedIsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for name, change := range map[string]func(*awstarget.Settings){
		"forbidden":   func(s *awstarget.Settings) { s.ForbiddenAccountIDs = []string{l.ID} },
		"not allowed": func(s *awstarget.Settings) { s.AllowedAccountIDs = []string{"999999999999"} },
	} {
		d := l.client(t, func(s *awstarget.Settings, _ *awstarget.Options) { change(s) })
		if _, err := d.ListRegions(t.Context()); !errors.Is(err, target.ErrInvalid) {
			t.Errorf("%s: got error %v, want %q", name, err, target.ErrInvalid)
		}
	}
	d := l.client(t, func(s *awstarget.Settings, _ *awstarget.Options) { s.AllowedAccountIDs = []string{l.ID} })
	if _, err := d.ListRegions(t.Context()); !errors.Is(err, target.ErrNoInstallation) {
		t.Errorf("an allowed account: got error %v, want %q", err, target.ErrNoInstallation)
	}
}

// faulty makes a client whose calls can be made to fail, under a clock whose time passes when
// it is waited for.
func faulty(t *testing.T, l *lab) (*awstarget.Target, *awstest.Calls) {
	var calls *awstest.Calls
	d := l.client(t, func(_ *awstarget.Settings, o *awstarget.Options) {
		o.Clock = wait.NewFake(time.Now())
		o.Transport = func(next http.RoundTripper) http.RoundTripper {
			calls = awstest.NewCalls(next)
			return calls
		}
	})
	if _, err := d.Installation(t.Context()); err != nil && !errors.Is(err, target.ErrNoInstallation) {
		t.Fatal(err)
	}
	return d, calls
}

// TestARegionSurvivesAFailureOfEachCall lets each call of a create and of a destroy fail in
// turn, does the same again without a fault, and counts what is there.
func TestARegionSurvivesAFailureOfEachCall(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d, calls := faulty(t, l)
	const fault = awstest.FailBefore
	for n, more := 1, true; more; n++ {
		calls.FailAt(n, fault)
		_, err := d.PutRegion(t.Context(), eu, mine)
		made := calls.Made()
		more = calls.Failed()
		calls.FailAt(0, fault)
		if _, err := d.PutRegion(t.Context(), eu, mine); err != nil {
			t.Fatalf("create again after fault %d (%v) in %q: %v", n, err, made, err)
		}
		if got := words(l.inventory(t, home)); got != wholeRegion {
			t.Fatalf("after fault %d (%v) in create %q: there is %s", n, err, made, got)
		}

		calls.FailAt(n, fault)
		err = d.DeleteRegion(t.Context(), eu.Name)
		made = calls.Made()
		more = more || calls.Failed()
		calls.FailAt(0, fault)
		if err := d.DeleteRegion(t.Context(), eu.Name); err != nil {
			t.Fatalf("destroy again after fault %d (%v) in %q: %v", n, err, made, err)
		}
		if got := words(l.inventory(t, home)); got != "[]" {
			t.Fatalf("after fault %d (%v) in destroy %q: there is %s", n, err, made, got)
		}
	}
}

// wholeRegion is what a region is made of.
const wholeRegion = "[1 bucket 1 key 1 table]"

// TestARegionSurvivesEveryFault lets each request of a create, and then of a destroy, that
// changes something fail once in each way, repeats them until they succeed, and counts what is
// there.
func TestARegionSurvivesEveryFault(t *testing.T) {
	t.Parallel()
	for _, fault := range awstest.Faults {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			d, calls := faulty(t, l)
			calls.FailEach(fault)
			if err := untilDone(func() error { _, err := d.PutRegion(t.Context(), eu, mine); return err }); err != nil {
				t.Fatal(err)
			}
			if got := words(l.inventory(t, home)); got != wholeRegion {
				t.Errorf("there is %s", got)
			}
			calls.FailEach(fault)
			if err := untilDone(func() error { return d.DeleteRegion(t.Context(), eu.Name) }); err != nil {
				t.Fatal(err)
			}
			if got := words(l.inventory(t, home)); got != "[]" {
				t.Errorf("left: %s", got)
			}
		})
	}
}

// untilDone repeats what gets further with each attempt.
func untilDone(attempt func() error) error {
	const most = 200
	var err error
	for range most {
		if err = attempt(); err == nil {
			return nil
		}
	}
	return err
}
