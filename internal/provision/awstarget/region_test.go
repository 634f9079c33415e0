package awstarget_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
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
