package awstest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// tagCall is a call about the tags of a service or task; those of other things are moto's.
func (f *fleet) tagCall(c Call) (fleetCall, bool) {
	var in struct{ ResourceARN string }
	if !strings.Contains(c.Operation, "Resource") || json.Unmarshal(c.Body, &in) != nil {
		return nil, false
	}
	if !strings.Contains(in.ResourceARN, ":service/") && !strings.Contains(in.ResourceARN, ":task/") {
		return nil, false
	}
	call, ok := map[string]fleetCall{"TagResource": (*fleet).tag, "UntagResource": (*fleet).untag, "ListTagsForResource": (*fleet).listTags}[c.Operation]
	return call, ok
}

// tagsOf are the tags of a service or task.
func (f *fleet) tagsOf(arn string) (*[]types.Tag, error) {
	for _, s := range f.services {
		if aws.ToString(s.ServiceArn) == arn && aws.ToString(s.Status) != inactive {
			return &s.Tags, nil
		}
	}
	for _, t := range f.tasks {
		if aws.ToString(t.TaskArn) == arn {
			return &t.Tags, nil
		}
	}
	return nil, refuse("InvalidParameterException", "The specified resource is not there: %s", arn)
}

func (f *fleet) tag(_ context.Context, c Call) (any, error) {
	var in ecs.TagResourceInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	tags, err := f.tagsOf(aws.ToString(in.ResourceArn))
	if err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(slices.Clone(*tags), func(old types.Tag) bool {
		return slices.ContainsFunc(in.Tags, func(t types.Tag) bool { return *t.Key == *old.Key })
	})
	*tags = append(kept, in.Tags...)
	return &ecs.TagResourceOutput{}, nil
}

func (f *fleet) untag(_ context.Context, c Call) (any, error) {
	var in ecs.UntagResourceInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	tags, err := f.tagsOf(aws.ToString(in.ResourceArn))
	if err != nil {
		return nil, err
	}
	*tags = slices.DeleteFunc(slices.Clone(*tags), func(t types.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
	return &ecs.UntagResourceOutput{}, nil
}

func (f *fleet) listTags(_ context.Context, c Call) (any, error) {
	var in ecs.ListTagsForResourceInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	tags, err := f.tagsOf(aws.ToString(in.ResourceArn))
	if err != nil {
		return nil, err
	}
	return &ecs.ListTagsForResourceOutput{Tags: *tags}, nil
}
