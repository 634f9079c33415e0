package awstarget

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

const errNoLogGroup = "ResourceNotFoundException"

// logGroup is a log group as it is to be: encrypted with the region's key, with the tags of its part.
type logGroup struct {
	part, name string
	// days is how long it keeps logs.
	days int32
	// byAWS says that AWS writes to it, and makes it where it is missing, under a name with that of
	// a cluster of ours: then it has no tags.
	byAWS bool
}

func (g logGroup) String() string { return fmt.Sprintf("log group %q", g.name) }

// findLogGroups describes log groups by their names, fifty with a call (DescribeLogGroups:
// LogGroupIdentifiers). AWS does not say what it makes of a name that there is not: what was not
// answered is looked for alone.
func findLogGroups(ctx context.Context, c *clients, names []string) (map[string]types.LogGroup, error) {
	all := map[string]types.LogGroup{}
	for some := range slices.Chunk(names, maxLogGroups) {
		pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(c.logs, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupIdentifiers: some})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if coded(err, errNoLogGroup, "InvalidParameterException") {
				break
			}
			if err != nil {
				return nil, failed(err, "find log groups %q", some)
			}
			for _, g := range page.LogGroups {
				all[text(g.LogGroupName)] = g
			}
		}
	}
	for _, name := range names {
		if _, ok := all[name]; ok {
			continue
		}
		g, err := findLogGroup(ctx, c, name)
		if err == nil {
			all[name] = *g
		} else if !isAbsent(err) {
			return nil, err
		}
	}
	return all, nil
}

// maxLogGroups is how many one call describes.
const maxLogGroups = 50

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

// putLogGroup makes a log group. The name is unique, so that a repeated create is refused.
func (n *noun) putLogGroup(ctx context.Context, g logGroup) error {
	has, err := findLogGroup(ctx, n.clients, g.name)
	if isAbsent(err) {
		err = n.withKey(ctx, n.regionKey, func(ctx context.Context) error {
			_, err := n.clients.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &g.name, KmsKeyId: aws.String(n.regionKeyARN()), Tags: n.tags(g.part)})
			return err
		})
		if err == nil {
			return n.target.appearing(ctx, g.String(), func(ctx context.Context) error { return n.keepLogs(ctx, g) })
		}
		if !coded(err, "ResourceAlreadyExistsException") { // made by the call whose answer was lost, or by AWS
			return failed(err, "create %s with the region's key, whose policy an apply of the region writes", g)
		}
		if has, err = findLogGroup(ctx, n.clients, g.name); isAbsent(err) {
			has, err = &types.LogGroup{}, nil // not listed yet
		}
	}
	if err == nil {
		err = n.retagLogGroup(ctx, g)
	}
	if err != nil {
		return err
	}
	if text(has.KmsKeyId) != n.regionKeyARN() {
		err := n.withKey(ctx, n.regionKey, func(ctx context.Context) error {
			_, err := n.clients.logs.AssociateKmsKey(ctx, &cloudwatchlogs.AssociateKmsKeyInput{LogGroupName: &g.name, KmsKeyId: aws.String(n.regionKeyARN())})
			return err
		})
		if err != nil {
			return failed(err, "give %s the region's key, whose policy an apply of the region writes", g)
		}
	}
	if aws.ToInt32(has.RetentionInDays) == g.days {
		return nil
	}
	return n.keepLogs(ctx, g)
}

// keepLogs sets how long a log group keeps logs.
func (n *noun) keepLogs(ctx context.Context, g logGroup) error {
	_, err := n.clients.logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: &g.name, RetentionInDays: &g.days})
	return failed(absent(err, errNoLogGroup), "set the retention of %s", g)
}

// claimLogGroup refuses a log group that is not ours. One that AWS made for a cluster of ours is, unless
// another installation has it.
func (n *noun) claimLogGroup(g logGroup, tags map[string]string) error {
	if g.byAWS && tags[tagInstallation] == "" {
		return nil
	}
	return n.claim(g.part, "log group", g.name, tags)
}

// retagLogGroup refuses a log group that is not ours, and gives one that is the tags of the
// definition.
func (n *noun) retagLogGroup(ctx context.Context, g logGroup) error {
	has, err := n.logGroupTags(ctx, g.name)
	if err == nil {
		err = n.claimLogGroup(g, has)
	}
	if err != nil {
		return err
	}
	arn := n.clients.arn("logs", "log-group:"+g.name)
	return n.putTags(g.part, g.String(), has, func(tags map[string]string) error {
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

// checkLogGroups says how log groups differ from what putLogGroup makes. Tags are a call for each: those
// of what AWS writes to are looked at where it is put.
func (n *noun) checkLogGroups(ctx context.Context, all ...logGroup) ([]string, error) {
	var names []string
	for _, g := range all {
		names = append(names, g.name)
	}
	seen, err := findLogGroups(ctx, n.clients, names)
	if err != nil {
		return nil, err
	}
	var drift []string
	for _, g := range all {
		has, there := seen[g.name]
		drift = append(drift, n.logGroupDrift(g, has, there)...)
		if !there || g.byAWS {
			continue
		}
		tags, err := n.logGroupTags(ctx, g.name)
		if gone(err) != nil {
			return drift, err
		}
		drift = append(drift, n.tagDrift(g.part, g.String(), tags)...)
	}
	return drift, nil
}

// inDays is a number of days in words.
func inDays(n int32) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// logGroupDrift says how a log group differs but for its tags.
func (n *noun) logGroupDrift(g logGroup, has types.LogGroup, there bool) []string {
	if !there {
		return []string{fmt.Sprintf("%s is gone", g)}
	}
	var drift []string
	switch days := aws.ToInt32(has.RetentionInDays); {
	case days == 0:
		drift = append(drift, fmt.Sprintf("%s keeps logs for ever, not for %s", g, inDays(g.days)))
	case days != g.days:
		drift = append(drift, fmt.Sprintf("%s keeps logs for %s, not %s", g, inDays(days), inDays(g.days)))
	}
	if text(has.KmsKeyId) != n.regionKeyARN() {
		drift = append(drift, fmt.Sprintf("%s is not encrypted with the region's key", g))
	}
	return drift
}

func (n *noun) deleteLogGroup(ctx context.Context, g logGroup) error {
	if _, err := findLogGroup(ctx, n.clients, g.name); err != nil {
		return gone(err)
	}
	has, err := n.logGroupTags(ctx, g.name)
	if err == nil {
		err = n.claimLogGroup(g, has)
	}
	if err != nil {
		return gone(err)
	}
	_, err = n.clients.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &g.name})
	return failed(gone(err, errNoLogGroup), "delete %s", g)
}

// regionKeyARN names the region's key.
func (n *noun) regionKeyARN() string { return n.clients.arn("kms", "key/"+n.regionKey) }
