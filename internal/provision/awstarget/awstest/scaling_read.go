package awstest

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
)

// inRegion are the targets of an AWS region, or one of them.
func (s *scaling) inRegion(region string, resource *string) []*scalable {
	var all []*scalable
	for _, t := range s.targets {
		if t.region == region && (resource == nil || *resource == aws.ToString(t.ResourceId)) {
			all = append(all, t)
		}
	}
	return all
}

func (s *scaling) describeTargets(_ context.Context, c Call) (any, error) {
	var in aas.DescribeScalableTargetsInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if len(in.ResourceIds) > 50 {
		return nil, refuse("ValidationException", "1 validation error detected: at most 50 resource ids")
	}
	var all []types.ScalableTarget
	for _, t := range s.inRegion(c.Region, nil) {
		if len(in.ResourceIds) == 0 || slices.Contains(in.ResourceIds, aws.ToString(t.ResourceId)) {
			all = append(all, t.ScalableTarget)
		}
	}
	found, next, err := page(all, in.MaxResults, in.NextToken, 50)
	return &aas.DescribeScalableTargetsOutput{ScalableTargets: found, NextToken: next}, err
}

func (s *scaling) describeActivities(_ context.Context, c Call) (any, error) {
	var in aas.DescribeScalingActivitiesInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	var all []types.ScalingActivity
	for _, t := range s.inRegion(c.Region, in.ResourceId) {
		all = append(all, t.activities...)
	}
	found, next, err := page(all, in.MaxResults, in.NextToken, 50)
	return &aas.DescribeScalingActivitiesOutput{ScalingActivities: found, NextToken: next}, err
}

// tagged finds a target by its ARN.
func (s *scaling) tagged(arn *string) (*scalable, error) {
	for _, t := range s.targets {
		if aws.ToString(t.ScalableTargetARN) == aws.ToString(arn) {
			return t, nil
		}
	}
	return nil, refuse("ResourceNotFoundException", "The resource doesn't exist: %s", aws.ToString(arn))
}

func (s *scaling) listTags(_ context.Context, c Call) (any, error) {
	var in aas.ListTagsForResourceInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	t, err := s.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return &aas.ListTagsForResourceOutput{Tags: t.tags}, nil
}

func (s *scaling) tag(_ context.Context, c Call) (any, error) {
	var in aas.TagResourceInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	t, err := s.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	if t.tags == nil {
		t.tags = map[string]string{}
	}
	for k, v := range in.Tags {
		t.tags[k] = v
	}
	return &aas.TagResourceOutput{}, nil
}

func (s *scaling) untag(_ context.Context, c Call) (any, error) {
	var in aas.UntagResourceInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	t, err := s.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	for _, k := range in.TagKeys {
		delete(t.tags, k)
	}
	return &aas.UntagResourceOutput{}, nil
}
