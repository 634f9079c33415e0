package awstarget_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
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

// regionDrifts are of a region. Those of the second group hide those of the first.
var regionDrifts = [][]drift{{
	{"the control table is not protected any more", func(s *spoiler) {
		s.do(s.dynamodb(home).UpdateTable(s.ctx, &dynamodb.UpdateTableInput{TableName: control(s.ctx, s.lab), DeletionProtectionEnabled: aws.Bool(false)}))
	}, "the deletion protection of table \"slipway-eu-"},
	{"the control table can't be restored any more", func(s *spoiler) {
		s.do(s.dynamodb(home).UpdateContinuousBackups(s.ctx, &dynamodb.UpdateContinuousBackupsInput{
			TableName: control(s.ctx, s.lab), PointInTimeRecoverySpecification: &dynamodbtypes.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(false)},
		}))
	}, "point-in-time recovery of table \"slipway-eu-"},
	{"the directory is not protected any more", func(s *spoiler) {
		s.do(s.dynamodb(home).UpdateTable(s.ctx, &dynamodb.UpdateTableInput{TableName: aws.String("slipway-directory"), DeletionProtectionEnabled: aws.Bool(false)}))
	}, "the deletion protection of table \"slipway-directory\""},
	{"the key does not rotate any more", func(s *spoiler) {
		s.do(s.kms(home).DisableKeyRotation(s.ctx, &kms.DisableKeyRotationInput{KeyId: s.key(s.ctx)}))
	}, "the rotation of key"},
	{"the key has another policy", func(s *spoiler) {
		s.do(s.kms(home).PutKeyPolicy(s.ctx, &kms.PutKeyPolicyInput{KeyId: s.key(s.ctx), PolicyName: aws.String("default"), Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"}]}`)}))
	}, "the policy of key"},
	{"the key has lost a tag", func(s *spoiler) {
		s.do(s.kms(home).UntagResource(s.ctx, &kms.UntagResourceInput{KeyId: s.key(s.ctx), TagKeys: []string{"team"}}))
	}, "has not the tags of its definition: team"},
	{"the control table has lost what says whose it is", func(s *spoiler) {
		s.untagTable(*control(s.ctx, s.lab))
	}, "slipway:installation (none"},
	{"the bucket has lost all tags", func(s *spoiler) {
		s.do(s.s3(home).DeleteBucketTagging(s.ctx, &s3.DeleteBucketTaggingInput{Bucket: s.bucket()}))
		s.untagTable("slipway-directory") // which no look asks for the tags of
	}, "bucket \"slipway-logs-eu-"},
	{"the bucket may be public", func(s *spoiler) {
		s.do(s.s3(home).DeletePublicAccessBlock(s.ctx, &s3.DeletePublicAccessBlockInput{Bucket: s.bucket()}))
	}, "the block of public access of bucket"},
	{"the bucket is encrypted otherwise", func(s *spoiler) {
		s.do(s.s3(home).PutBucketEncryption(s.ctx, &s3.PutBucketEncryptionInput{Bucket: s.bucket(), ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
			Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms}}},
		}}))
	}, "the encryption of bucket"},
	{"the bucket has no policy", func(s *spoiler) {
		s.do(s.s3(home).DeleteBucketPolicy(s.ctx, &s3.DeleteBucketPolicyInput{Bucket: s.bucket()}))
	}, "the policy of bucket"},
	{"the bucket loses logs after a day", func(s *spoiler) {
		rule := func(id string, days int32) s3types.LifecycleRule {
			return s3types.LifecycleRule{ID: &id, Status: s3types.ExpirationStatusEnabled, Filter: &s3types.LifecycleRuleFilter{Prefix: aws.String("")}, Expiration: &s3types.LifecycleExpiration{Days: &days}}
		}
		s.do(s.s3(home).PutBucketLifecycleConfiguration(s.ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: s.bucket(), LifecycleConfiguration: &s3types.BucketLifecycleConfiguration{
			Rules: []s3types.LifecycleRule{rule("expire", 90), rule("soon", 1)},
		}}))
	}, "the lifecycle of bucket"},
	{"who writes into the bucket owns what is written", func(s *spoiler) {
		s.do(s.s3(home).PutBucketOwnershipControls(s.ctx, &s3.PutBucketOwnershipControlsInput{Bucket: s.bucket(), OwnershipControls: &s3types.OwnershipControls{
			Rules: []s3types.OwnershipControlsRule{{ObjectOwnership: s3types.ObjectOwnershipObjectWriter}},
		}}))
	}, "the ownership of the objects of bucket"},
}, {
	{"the bucket is gone", func(s *spoiler) {
		s.do(s.s3(home).DeleteBucket(s.ctx, &s3.DeleteBucketInput{Bucket: s.bucket()}))
	}, "is gone"},
	{"the key is disabled", func(s *spoiler) {
		s.do(s.kms(home).DisableKey(s.ctx, &kms.DisableKeyInput{KeyId: s.key(s.ctx)}))
	}, "is Disabled"},
}, {
	{"the key is to be deleted", func(s *spoiler) {
		s.do(s.kms(home).ScheduleKeyDeletion(s.ctx, &kms.ScheduleKeyDeletionInput{KeyId: s.key(s.ctx)}))
	}, "is PendingDeletion"},
}}

// bucket is the account's only one.
func (s *spoiler) bucket() *string {
	out, err := s.s3(home).ListBuckets(s.ctx, nil)
	s.do(out, err)
	return out.Buckets[0].Name
}

func TestDriftOfARegionIsSeenAndRepaired(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.client(t)
	seen := func() string {
		t.Helper()
		rec, err := d.GetRegion(t.Context(), eu.Name)
		if err != nil {
			t.Fatal(err)
		}
		return rec.Meta.Problem
	}
	put := func(o target.PutOptions) {
		t.Helper()
		if _, err := d.PutRegion(t.Context(), eu, o); err != nil {
			t.Fatal(err)
		}
		if problem := seen(); problem != "" {
			t.Errorf("not repaired: %s", problem)
		}
	}
	put(mine)
	for _, group := range regionDrifts {
		for _, c := range group {
			c.make(&spoiler{t.Context(), l, t})
			if problem := seen(); !strings.Contains(problem, c.want) {
				t.Errorf("%s: %q is not told of: %s", c.name, c.want, problem)
			}
		}
		put(again)
		if got := words(l.inventory(t, home)); got != wholeRegion {
			t.Errorf("there is %s", got)
		}
	}
	s := &spoiler{t.Context(), l, t}
	tags := s.must(s.dynamodb(home).ListTagsOfResource(s.ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: s.tableARN("slipway-directory")})).(*dynamodb.ListTagsOfResourceOutput)
	if len(tags.Tags) == 0 {
		t.Error("the directory has not got its tags back")
	}
	s.untagTable(*control(s.ctx, l))
	s.do(s.s3(home).DeleteBucketTagging(s.ctx, &s3.DeleteBucketTaggingInput{Bucket: s.bucket()}))
	restore := s.loseControl()
	l.saysThatItIsLost(t, eu, again)
	restore()
	if err := d.DeleteRegion(t.Context(), eu.Name); err != nil {
		t.Errorf("without marks: %v", err)
	}
}

func (s *spoiler) tableARN(name string) *string {
	return aws.String("arn:aws:dynamodb:" + home + ":" + s.ID + ":table/" + name)
}

func (s *spoiler) untagTable(name string) {
	s.do(s.dynamodb(home).UntagResource(s.ctx, &dynamodb.UntagResourceInput{ResourceArn: s.tableARN(name), TagKeys: []string{"managed-by", "slipway:installation"}}))
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
	for location, want := range map[string]string{
		"Frankfurt": ", eu-central-1, ", "eu-central-9": ", eu-central-1, ", "ap-east-1": "not enabled",
	} {
		r := eu
		r.Location = location
		if _, err := d.PutRegion(t.Context(), r, mine); !errors.Is(err, target.ErrInvalid) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), ", ap-east-1") {
			t.Errorf("location %q: got error %v, want %q and %q in it", location, err, target.ErrInvalid, want)
		}
	}
	if _, err := d.Installation(t.Context()); !errors.Is(err, target.ErrNoInstallation) {
		t.Errorf("a refused region left an installation: %v", err)
	}
}

func TestWhoeverGivesUpWaitingForAKilledRunIsToldWhenItsLeaseEnds(t *testing.T) {
	t.Parallel()
	l, clock := newLab(t), wait.NewFake(time.Now())
	killed, next := l.try(t, clock, time.Second), l.try(t, clock, time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	killed.calls.DieWith(func(c awstest.Call) bool { return c.Operation == "CreateKey" }, cancel)
	if _, err := killed.PutRegion(ctx, eu, mine); err == nil || !killed.calls.Dead() {
		t.Fatalf("the first run was not killed: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	next.clock.interrupt(2, cancel)
	_, err := next.PutRegion(ctx, eu, mine)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "its lease ends by itself at "+clock.Now().Format("2006-")) {
		t.Errorf("got error %v, want %q that says when the lease ends", err, context.Canceled)
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
		if words(got) != "[1 alias 1 key 1 table]" {
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
	for attribute, change := range map[string]func(*awstarget.Settings){
		"forbidden_account_ids": func(s *awstarget.Settings) { s.ForbiddenAccountIDs = []string{l.ID} },
		"allowed_account_ids":   func(s *awstarget.Settings) { s.AllowedAccountIDs = []string{"999999999999"} },
	} {
		var file string
		d := l.client(t, func(s *awstarget.Settings, _ *awstarget.Options) {
			change(s)
			file = s.SharedCredentialsFiles[0]
		})
		_, err := d.ListRegions(t.Context())
		if !errors.Is(err, target.ErrInvalid) || !errors.Is(err, target.ErrSignIn) {
			t.Errorf("%s: got error %v, want %q and %q", attribute, err, target.ErrInvalid, target.ErrSignIn)
			continue
		}
		for _, part := range []string{attribute, l.ID, file} { // what it is about, whose the credentials are, where they came from
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not name %q", attribute, err, part)
			}
		}
	}
	d := l.client(t, func(s *awstarget.Settings, _ *awstarget.Options) { s.AllowedAccountIDs = []string{l.ID} })
	if _, err := d.ListRegions(t.Context()); !errors.Is(err, target.ErrNoInstallation) {
		t.Errorf("an allowed account: got error %v, want %q", err, target.ErrNoInstallation)
	}
}

func TestWhyNothingCanBeAskedIsSaid(t *testing.T) {
	t.Parallel()
	keys := awstest.File(t, "credentials", "[default]\naws_access_key_id = test\naws_secret_access_key = test\n")
	for part, change := range map[string]func(*awstarget.Settings){
		`profile "nobody"`: func(s *awstarget.Settings) { s.Profile = "nobody" },
		"role/nobody": func(s *awstarget.Settings) {
			s.AssumeRole = []awstarget.AssumeRole{{RoleARN: "arn:aws:iam::123456789012:role/nobody"}}
		},
		"STS": func(*awstarget.Settings) {},
	} {
		s := awstarget.Settings{
			Region: home, MaxRetries: 1, SkipMetadataAPICheck: true, Endpoints: awstest.Endpoints("http://127.0.0.1:1"), // where nobody answers
			SharedConfigFiles: []string{awstest.File(t, "config", "")}, SharedCredentialsFiles: []string{keys},
		}
		change(&s)
		_, err := awstarget.New(s, awstarget.Options{}).ListRegions(t.Context())
		if !errors.Is(err, target.ErrSignIn) || !strings.Contains(err.Error(), part) {
			t.Errorf("got error %v, want %q that names %q", err, target.ErrSignIn, part)
		}
	}
}

// Credentials that nobody has looked at are not called bad.
func TestABusySTSIsNoRefusal(t *testing.T) {
	t.Parallel()
	for code, busy := range map[string]bool{"Throttling": true, "RequestLimitExceeded": true, "InvalidClientTokenId": false} {
		sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte("<ErrorResponse><Error><Code>" + code + "</Code><Message>made by the test</Message></Error></ErrorResponse>"))
		}))
		t.Cleanup(sts.Close)
		s := awstarget.Settings{
			Region: home, MaxRetries: 1, SkipMetadataAPICheck: true, Endpoints: awstest.Endpoints(sts.URL),
			SharedConfigFiles: []string{awstest.File(t, "config", "")}, SharedCredentialsFiles: []string{awstest.File(t, "credentials", "[default]\naws_access_key_id = test\naws_secret_access_key = test\n")},
		}
		_, err := awstarget.New(s, awstarget.Options{}).ListRegions(t.Context())
		if !errors.Is(err, target.ErrSignIn) || errors.Is(err, target.ErrUnavailable) != busy {
			t.Errorf("%s: got error %v", code, err)
		}
	}
}

// keyGone answers for KMS that there is no key.
type keyGone struct{ http.RoundTripper }

func (k keyGone) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Amz-Target") != "TrentService.DescribeKey" {
		return k.RoundTripper.RoundTrip(r)
	}
	return &http.Response{
		StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(`{"__type":"NotFoundException","message":"there is no such key"}`)),
	}, nil
}

// A key is made anew where it is gone, and not where its alias is: its ARN is known before only then.
func TestARegionSaysThatItsKeyIsMadeAnew(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.client(t)
	if _, err := d.PutRegion(t.Context(), eu, mine); err != nil {
		t.Fatal(err)
	}
	keys := kms.NewFromConfig(l.Config(eu.Location))
	all, err := keys.ListAliases(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var key string
	for _, a := range all.Aliases {
		if !strings.HasPrefix(aws.ToString(a.AliasName), "alias/slipway-") {
			continue
		}
		key = aws.ToString(a.TargetKeyId)
		if _, err := keys.DeleteAlias(t.Context(), &kms.DeleteAliasInput{AliasName: a.AliasName}); err != nil {
			t.Fatal(err)
		}
	}
	without := l.client(t, func(_ *awstarget.Settings, o *awstarget.Options) {
		o.Transport = func(http.RoundTripper) http.RoundTripper { return keyGone{l.Transport()} }
	})
	for name, c := range map[string]struct {
		d    *awstarget.Target
		want []string
	}{"no alias": {d, nil}, "no key": {without, []string{"kms_key_arn"}}} {
		rec, err := c.d.GetRegion(t.Context(), eu.Name)
		if err != nil || rec.Meta.Problem == "" || !slices.Equal(rec.Anew, c.want) {
			t.Errorf("%s: %q is made anew, want %q: %q (%v)", name, rec.Anew, c.want, rec.Meta.Problem, err)
		}
		if !strings.Contains(rec.Ends, " --key-id "+key) {
			t.Errorf("%s: with the region ends: %s; want key %q", name, rec.Ends, key)
		}
	}
}
