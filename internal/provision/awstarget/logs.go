package awstarget

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

const errNoLogGroup = "ResourceNotFoundException"

// findLogGroup describes a log group; names are found by their beginning only.
func findLogGroup(ctx context.Context, c *clients, group string) (*types.LogGroup, error) {
	pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(c.logs, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &group})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "find log group %q", group)
		}
		for _, g := range page.LogGroups {
			if text(g.LogGroupName) == group {
				return &g, nil
			}
		}
	}
	return nil, errAbsent
}

// putLogGroup makes a log group that is encrypted with the region's key. The name is unique,
// so that a repeated create is refused.
func (n *noun) putLogGroup(ctx context.Context, part, group string, days int32) error {
	g, err := findLogGroup(ctx, n.clients, group)
	if isAbsent(err) {
		_, err = n.clients.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group, KmsKeyId: aws.String(n.regionKeyARN()), Tags: n.tags(part)})
		if coded(err, "ResourceAlreadyExistsException") {
			err = nil // made by the call whose answer was lost
		}
		if err != nil {
			return failed(err, "create log group %q", group)
		}
		if g, err = findLogGroup(ctx, n.clients, group); isAbsent(err) {
			g, err = &types.LogGroup{LogGroupName: &group, KmsKeyId: aws.String(n.regionKeyARN())}, nil // not listed yet
		}
	}
	if err == nil {
		err = n.retagLogGroup(ctx, part, group)
	}
	if err != nil {
		return err
	}
	if text(g.KmsKeyId) != n.regionKeyARN() {
		if _, err := n.clients.logs.AssociateKmsKey(ctx, &cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: &group, KmsKeyId: aws.String(n.regionKeyARN())}); err != nil {
			return failed(err, "set the key of log group %q", group)
		}
	}
	if aws.ToInt32(g.RetentionInDays) == days {
		return nil
	}
	_, err = n.clients.logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: &group, RetentionInDays: &days})
	return failed(err, "set the retention of log group %q", group)
}

// retagLogGroup refuses a log group that is not ours, and gives one that is the tags of the
// definition.
func (n *noun) retagLogGroup(ctx context.Context, part, group string) error {
	has, err := n.logGroupTags(ctx, group)
	if err == nil && !n.ours(part, has) {
		err = foreign("log group", group)
	}
	if err != nil {
		return err
	}
	arn := n.clients.arn("logs", "log-group:"+group)
	return n.putTags(part, fmt.Sprintf("log group %q", group), has, func(tags map[string]string) error {
		_, err := n.clients.logs.TagResource(ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: &arn, Tags: tags})
		return err
	}, func(keys []string) error {
		_, err := n.clients.logs.UntagResource(ctx, &cloudwatchlogs.UntagResourceInput{ResourceArn: &arn, TagKeys: keys})
		return err
	})
}

func (n *noun) logGroupTags(ctx context.Context, group string) (map[string]string, error) {
	out, err := n.clients.logs.ListTagsForResource(ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: aws.String(n.clients.arn("logs", "log-group:"+group))})
	if err != nil {
		return nil, failed(absent(err, errNoLogGroup), "read the tags of log group %q", group)
	}
	return out.Tags, nil
}

// checkLogGroup says how a log group differs from what putLogGroup makes.
func (n *noun) checkLogGroup(ctx context.Context, part, group string, days int32) ([]string, error) {
	g, err := findLogGroup(ctx, n.clients, group)
	if isAbsent(err) {
		return []string{fmt.Sprintf("log group %q is gone", group)}, nil
	}
	if err != nil {
		return nil, err
	}
	var drift []string
	if aws.ToInt32(g.RetentionInDays) != days {
		drift = append(drift, fmt.Sprintf("log group %q keeps logs for %d days, not %d", group, aws.ToInt32(g.RetentionInDays), days))
	}
	if text(g.KmsKeyId) != n.regionKeyARN() {
		drift = append(drift, fmt.Sprintf("log group %q is not encrypted with the region's key", group))
	}
	has, err := n.logGroupTags(ctx, group)
	return append(drift, n.tagDrift(part, fmt.Sprintf("log group %q", group), has)...), gone(err)
}

func (n *noun) deleteLogGroup(ctx context.Context, part, group string) error {
	if _, err := findLogGroup(ctx, n.clients, group); err != nil {
		return gone(err)
	}
	has, err := n.logGroupTags(ctx, group)
	if err != nil {
		return gone(err)
	}
	if !n.ours(part, has) {
		return foreign("log group", group)
	}
	_, err = n.clients.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &group})
	return failed(gone(err, errNoLogGroup), "delete log group %q", group)
}

// regionKeyARN names the region's key.
func (n *noun) regionKeyARN() string { return n.clients.arn("kms", "key/"+n.regionKey) }
