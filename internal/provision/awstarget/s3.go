package awstarget

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	errNoBucket = "NoSuchBucket"
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

// putBucket makes a bucket for logs and sees to its settings. Its name is unique in the world.
func (n *noun) putBucket(ctx context.Context, part, bucket, policy string) error {
	err := findBucket(ctx, n.clients, bucket)
	switch {
	case err == nil:
		err = n.claimBucket(ctx, part, bucket)
	case isAbsent(err):
		err = n.createBucket(ctx, part, bucket)
	}
	if err != nil {
		return err
	}
	for _, s := range n.bucketSettings(bucket, policy) {
		ok, err := s.is(ctx)
		if err == nil && !ok {
			err = s.put(ctx)
		}
		if err != nil {
			return failed(err, "set %s of bucket %q", s.what, bucket)
		}
	}
	return nil
}

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
	_, err := n.clients.s3.CreateBucket(ctx, in)
	switch {
	case coded(err, "BucketAlreadyExists"):
		return foreign("S3 bucket", bucket)
	case coded(err, "BucketAlreadyOwnedByYou"): // by the call whose answer was lost
		return n.claimBucket(ctx, part, bucket)
	}
	return failed(err, "create bucket %q", bucket)
}

func (n *noun) claimBucket(ctx context.Context, part, bucket string) error {
	out, err := n.clients.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &bucket})
	if coded(err, "NoSuchTagSet") {
		return foreign("S3 bucket", bucket)
	}
	if err != nil {
		return failed(err, "read the tags of bucket %q", bucket)
	}
	if !n.ours(part, tagMap(out.TagSet, func(t types.Tag) (*string, *string) { return t.Key, t.Value })) {
		return foreign("S3 bucket", bucket)
	}
	return nil
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
			for _, r := range out.ServerSideEncryptionConfiguration.Rules {
				if d := r.ApplyServerSideEncryptionByDefault; d != nil && d.SSEAlgorithm == types.ServerSideEncryptionAes256 {
					return true, nil
				}
			}
			return false, nil
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
			for _, r := range out.Rules {
				if r.Status == types.ExpirationStatusEnabled && r.Expiration != nil && aws.ToInt32(r.Expiration.Days) == logDays {
					return true, nil
				}
			}
			return false, nil
		},
		put: func(ctx context.Context) error {
			_, err := c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: &bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{
				Rules: []types.LifecycleRule{{
					ID: aws.String("expire"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")},
					Expiration:                     &types.LifecycleExpiration{Days: aws.Int32(logDays)},
					AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(7)},
				}},
			}})
			return err
		},
	}}
}

// checkBucket says how a bucket differs from what putBucket makes.
func (n *noun) checkBucket(ctx context.Context, bucket, policy string) ([]string, error) {
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
	return drift, nil
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
