package awstarget

import (
	"context"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	errNoBucket = "NoSuchBucket"
	// errBucketBusy is of a bucket that S3 does something else with.
	errBucketBusy = "OperationAborted"
	// logDays is how long load balancers' logs are kept.
	logDays = 90
	// regionWithoutConstraint is the AWS region that a bucket's location must not be named for.
	regionWithoutConstraint = "us-east-1"
)

// findBucket says whether a bucket is there and whether this AWS account may look into it.
func findBucket(ctx context.Context, c *clients, bucket string) error {
	_, err := c.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket, ExpectedBucketOwner: &c.account})
	if coded(err, "Forbidden", "AccessDenied") {
		return foreign("S3 bucket", bucket)
	}
	return failed(absent(err, errNoBucket, "NotFound"), "find bucket %q", bucket)
}

// bucketSetting is one setting of a bucket: whether it is as it should be, and how it is set.
type bucketSetting struct {
	what string
	// is returns false for a setting that was never made.
	is  func(ctx context.Context) (bool, error)
	put func(ctx context.Context) error
}

// putBucket makes a bucket for logs and sees to its settings. Its name is unique in the world. A new
// bucket may not be seen at once.
func (n *noun) putBucket(ctx context.Context, part, bucket, policy string) error {
	set := func(ctx context.Context) error { return n.setBucket(ctx, bucket, policy) }
	err := findBucket(ctx, n.clients, bucket)
	if isAbsent(err) {
		if err := n.createBucket(ctx, part, bucket); err != nil {
			return err
		}
		return n.target.appearing(ctx, fmt.Sprintf("bucket %q", bucket), set)
	}
	if err == nil {
		err = n.retagBucket(ctx, part, bucket)
	}
	if err != nil {
		return err
	}
	return set(ctx)
}

// setBucket sees to the settings of a bucket. S3 refuses one while it makes another.
func (n *noun) setBucket(ctx context.Context, bucket, policy string) error {
	for _, s := range n.bucketSettings(bucket, policy) {
		err := n.target.while(ctx, fmt.Sprintf("%s of bucket %q", s.what, bucket), bucketBusy, func(ctx context.Context) error {
			ok, err := s.is(ctx)
			if err == nil && !ok {
				err = s.put(ctx)
			}
			return failed(absent(err, errNoBucket), "set %s of bucket %q", s.what, bucket)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func bucketBusy(outcome error) bool { return coded(outcome, errBucketBusy) }

func (n *noun) createBucket(ctx context.Context, part, bucket string) error {
	in := &s3.CreateBucketInput{
		Bucket: &bucket, ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced,
		CreateBucketConfiguration: &types.CreateBucketConfiguration{
			Tags: tagList(n.tags(part), func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }),
		},
	}
	if n.clients.region != regionWithoutConstraint {
		in.CreateBucketConfiguration.LocationConstraint = types.BucketLocationConstraint(n.clients.region)
	}
	awaited := fmt.Sprintf("the name of bucket %q, which is not free for up to an hour after a bucket of that name was deleted; where the time is up before that, apply again", bucket)
	err := n.target.while(ctx, awaited, bucketBusy, func(ctx context.Context) error {
		_, err := n.clients.s3.CreateBucket(ctx, in)
		return err
	})
	switch {
	case coded(err, "BucketAlreadyExists"):
		return foreign("S3 bucket", bucket)
	case coded(err, "BucketAlreadyOwnedByYou"): // by the call whose answer was lost
		return n.claimBucket(ctx, part, bucket)
	}
	return failed(err, "create bucket %q", bucket)
}

func (n *noun) claimBucket(ctx context.Context, part, bucket string) error {
	has, err := n.bucketTags(ctx, bucket)
	if err == nil {
		err = n.claim(part, "S3 bucket", bucket, has)
	}
	return err
}

// retagBucket refuses a bucket that is not ours, and gives one that is the tags of the definition. S3
// takes all tags of a bucket at once.
func (n *noun) retagBucket(ctx context.Context, part, bucket string) error {
	has, err := n.bucketTags(ctx, bucket)
	if err == nil {
		err = n.claim(part, "S3 bucket", bucket, has)
	}
	if err != nil {
		return err
	}
	r := n.retag(part, has)
	if len(r.lacks)+len(r.surplus) == 0 {
		return nil
	}
	maps.Copy(has, r.lacks)
	for _, k := range r.surplus {
		delete(has, k)
	}
	return n.target.while(ctx, fmt.Sprintf("the tags of bucket %q", bucket), bucketBusy, func(ctx context.Context) error {
		_, err := n.clients.s3.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: &bucket, Tagging: &types.Tagging{
			TagSet: tagList(has, func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }),
		}})
		return failed(err, "tag bucket %q", bucket)
	})
}

// bucketTags are the tags of a bucket, none of one that was never tagged.
func (n *noun) bucketTags(ctx context.Context, bucket string) (map[string]string, error) {
	out, err := n.clients.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &bucket})
	if coded(err, "NoSuchTagSet") {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, failed(err, "read the tags of bucket %q", bucket)
	}
	return tagMap(out.TagSet, func(t types.Tag) (*string, *string) { return t.Key, t.Value }), nil
}

// bucketSettings are what a bucket for logs needs. Load balancers can't write to a bucket that
// a key of KMS encrypts (Enable access logs for your Application Load Balancer).
func (n *noun) bucketSettings(bucket, policy string) []bucketSetting {
	c := n.clients.s3
	return []bucketSetting{{
		what: "the block of public access",
		is: func(ctx context.Context) (bool, error) {
			out, err := c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &bucket})
			if err != nil {
				return false, gone(err, "NoSuchPublicAccessBlockConfiguration")
			}
			b := out.PublicAccessBlockConfiguration
			return b != nil && aws.ToBool(b.BlockPublicAcls) && aws.ToBool(b.BlockPublicPolicy) && aws.ToBool(b.IgnorePublicAcls) && aws.ToBool(b.RestrictPublicBuckets), nil
		},
		put: func(ctx context.Context) error {
			yes := aws.Bool(true)
			_, err := c.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: &bucket, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
				BlockPublicAcls: yes, BlockPublicPolicy: yes, IgnorePublicAcls: yes, RestrictPublicBuckets: yes,
			}})
			return err
		},
	}, {
		what: "the encryption",
		is: func(ctx context.Context) (bool, error) {
			out, err := c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &bucket})
			if err != nil {
				return false, gone(err, "ServerSideEncryptionConfigurationNotFoundError")
			}
			rules := out.ServerSideEncryptionConfiguration.Rules
			return len(rules) == 1 && rules[0].ApplyServerSideEncryptionByDefault != nil && rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm == types.ServerSideEncryptionAes256, nil
		},
		put: func(ctx context.Context) error {
			_, err := c.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: &bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
				Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256}}},
			}})
			return err
		},
	}, {
		what: "the policy",
		is: func(ctx context.Context) (bool, error) {
			out, err := c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &bucket})
			if err != nil {
				return false, gone(err, "NoSuchBucketPolicy")
			}
			return sameJSON(text(out.Policy), policy), nil
		},
		put: func(ctx context.Context) error {
			_, err := c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &policy})
			return err
		},
	}, {
		what: "the lifecycle",
		is: func(ctx context.Context) (bool, error) {
			out, err := c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &bucket})
			if err != nil {
				return false, gone(err, "NoSuchLifecycleConfiguration")
			}
			return len(out.Rules) == 1 && expires(out.Rules[0]), nil
		},
		put: func(ctx context.Context) error {
			_, err := c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: &bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{
				Rules: []types.LifecycleRule{{
					ID: aws.String("expire"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")},
					Expiration:                     &types.LifecycleExpiration{Days: aws.Int32(logDays)},
					AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(abortDays)},
				}},
			}})
			return err
		},
	}, {
		what: "the ownership of the objects",
		is: func(ctx context.Context) (bool, error) {
			out, err := c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: &bucket})
			if err != nil {
				return false, gone(err, "OwnershipControlsNotFoundError")
			}
			o := out.OwnershipControls
			return o != nil && len(o.Rules) == 1 && o.Rules[0].ObjectOwnership == types.ObjectOwnershipBucketOwnerEnforced, nil
		},
		put: func(ctx context.Context) error {
			_, err := c.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{Bucket: &bucket, OwnershipControls: &types.OwnershipControls{
				Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}},
			}})
			return err
		},
	}}
}

// abortDays is when what was never uploaded to its end is removed.
const abortDays = 7

// expires says whether a rule is the one that removes logs in time.
func expires(r types.LifecycleRule) bool {
	whole := r.Filter == nil || text(r.Filter.Prefix) == "" && r.Filter.And == nil && r.Filter.Tag == nil
	return r.Status == types.ExpirationStatusEnabled && whole && r.Expiration != nil && aws.ToInt32(r.Expiration.Days) == logDays &&
		r.AbortIncompleteMultipartUpload != nil && aws.ToInt32(r.AbortIncompleteMultipartUpload.DaysAfterInitiation) == abortDays
}

// checkBucket says how a bucket differs from what putBucket makes.
func (n *noun) checkBucket(ctx context.Context, part, bucket, policy string) ([]string, error) {
	err := findBucket(ctx, n.clients, bucket)
	if isAbsent(err) {
		return []string{fmt.Sprintf("bucket %q is gone", bucket)}, nil
	}
	if err != nil {
		return nil, err
	}
	var drift []string
	for _, s := range n.bucketSettings(bucket, policy) {
		ok, err := s.is(ctx)
		if err != nil {
			return nil, failed(err, "read %s of bucket %q", s.what, bucket)
		}
		if !ok {
			drift = append(drift, fmt.Sprintf("%s of bucket %q was changed", s.what, bucket))
		}
	}
	has, err := n.bucketTags(ctx, bucket)
	return append(drift, n.tagDrift(part, fmt.Sprintf("bucket %q", bucket), has)...), err
}

// deleteBucket removes a bucket with what is in it.
func (n *noun) deleteBucket(ctx context.Context, part, bucket string) error {
	err := findBucket(ctx, n.clients, bucket)
	if err == nil {
		err = n.claimBucket(ctx, part, bucket)
	}
	if gone(err, errNoBucket) != nil {
		return err
	}
	if err != nil {
		return nil
	}
	// A load balancer may write a last log between the emptying and the deletion.
	return n.target.until(ctx, fmt.Sprintf("the end of bucket %q", bucket), func(ctx context.Context) (status, bool, error) {
		if err := emptyBucket(ctx, n.clients, bucket); gone(err, errNoBucket) != nil {
			return "", false, err
		}
		_, err := n.clients.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket})
		if coded(err, "BucketNotEmpty") {
			return "not empty", false, nil
		}
		return "gone", true, failed(gone(err, errNoBucket), "delete bucket %q", bucket)
	})
}

func emptyBucket(ctx context.Context, c *clients, bucket string) error {
	pages := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed(err, "list bucket %q", bucket)
		}
		if len(page.Contents) == 0 {
			continue
		}
		in := &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &types.Delete{Quiet: aws.Bool(true)}}
		for _, o := range page.Contents {
			in.Delete.Objects = append(in.Delete.Objects, types.ObjectIdentifier{Key: o.Key})
		}
		out, err := c.s3.DeleteObjects(ctx, in)
		if err != nil {
			return failed(err, "empty bucket %q", bucket)
		}
		for _, e := range out.Errors {
			return fmt.Errorf("remove %q from bucket %q: %s: %s", text(e.Key), bucket, text(e.Code), text(e.Message))
		}
	}
	return nil
}
