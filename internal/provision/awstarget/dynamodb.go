package awstarget

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	errNoTable   = "ResourceNotFoundException"
	errTableBusy = "ResourceInUseException"
	errNoBackups = "TableNotFoundException" // of calls about backups
)

// findTable describes a table.
func findTable(ctx context.Context, c *clients, name string) (*types.TableDescription, error) {
	out, err := c.dynamodb.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return nil, failed(absent(err, errNoTable), "find table %q", name)
	}
	return out.Table, nil
}

func statusTable(ctx context.Context, c *clients, name string) (status, error) {
	t, err := findTable(ctx, c, name)
	if err != nil {
		return "", err
	}
	return status(t.TableStatus), nil
}

// waitTable waits until a table can be written.
func (n *noun) waitTable(ctx context.Context, name string) error {
	return n.target.until(ctx, fmt.Sprintf("table %q", name), func(ctx context.Context) (status, bool, error) {
		s, err := statusTable(ctx, n.clients, name)
		return s, s == status(types.TableStatusActive), err
	})
}

// putTable makes a table with a key of two texts and sees to its protection. The name is
// unique in the AWS region, so that a repeated create is refused. A new table may not be seen at once
// (DescribeTable).
func (n *noun) putTable(ctx context.Context, part, name string, protected bool) error {
	t, err := findTable(ctx, n.clients, name)
	if n.made() && (isAbsent(err) || err == nil && closed(t)) {
		return lostTable(ctx, n.clients, n.region, name)
	}
	if isAbsent(err) {
		if err := n.createTable(ctx, part, name, protected); err != nil {
			return err
		}
		return n.target.appearing(ctx, fmt.Sprintf("table %q", name), func(ctx context.Context) error {
			if err := n.waitTable(ctx, name); err != nil {
				return err
			}
			return n.recoverTable(ctx, name)
		})
	}
	if err == nil {
		err = n.retagTable(ctx, part, name, t.TableArn)
	}
	if err == nil {
		err = n.waitTable(ctx, name)
	}
	if err != nil {
		return err
	}
	if aws.ToBool(t.DeletionProtectionEnabled) != protected {
		if err := n.protectTable(ctx, name, protected); err != nil {
			return err
		}
	}
	return n.recoverTable(ctx, name)
}

func (n *noun) createTable(ctx context.Context, part, name string, protected bool) error {
	attribute := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS}
	}
	_, err := n.clients.dynamodb.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, DeletionProtectionEnabled: &protected,
		AttributeDefinitions: []types.AttributeDefinition{attribute(rowKind), attribute(rowID)},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(rowKind), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(rowID), KeyType: types.KeyTypeRange},
		},
		Tags: tagList(n.tags(part), func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }),
	})
	if coded(err, errTableBusy) {
		return nil // made at the same time, or by the call whose answer was lost; its tags tell at the next put
	}
	return failed(err, "create table %q", name)
}

// retagTable refuses a table that is not ours, and gives one that is the tags of the definition.
func (n *noun) retagTable(ctx context.Context, part, name string, arn *string) error {
	has, err := n.tableTags(ctx, name, arn)
	if err == nil {
		err = n.claim(part, "DynamoDB table", name, has)
	}
	if err != nil {
		return err
	}
	what := fmt.Sprintf("table %q", name)
	if len(n.tagDrift(part, what, has)) == 0 {
		return nil
	}
	busy := func(outcome error) bool { return coded(outcome, errTableBusy) }
	err = n.target.while(ctx, "the tags of "+what, busy, func(ctx context.Context) error {
		return n.putTags(part, what, has, func(tags map[string]string) error {
			_, err := n.clients.dynamodb.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: arn, Tags: tagList(tags, func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })})
			return err
		}, func(keys []string) error {
			_, err := n.clients.dynamodb.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: keys})
			return err
		})
	})
	if err != nil {
		return err
	}
	return n.showTags(ctx, part, name, arn)
}

// showTags waits for a time until DynamoDB shows the tags that a table was given (TagResource), so that the
// next plan does not take those before them for a change. What it does not show by then, that plan tells.
func (n *noun) showTags(ctx context.Context, part, name string, arn *string) error {
	shown, what := errors.New("other tags are shown"), fmt.Sprintf("table %q", name)
	end := n.target.now().Add(appearLag)
	late := func(outcome error) bool { return errors.Is(outcome, shown) && n.target.now().Before(end) }
	err := n.target.while(ctx, "the tags of "+what+" to be shown", late, func(ctx context.Context) error {
		has, err := n.tableTags(ctx, name, arn)
		if err == nil && len(n.tagDrift(part, what, has)) > 0 {
			return shown
		}
		return err
	})
	if errors.Is(err, shown) {
		return nil
	}
	return err
}

func (n *noun) tableTags(ctx context.Context, name string, arn *string) (map[string]string, error) {
	out, err := n.clients.dynamodb.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: arn})
	if err != nil {
		return nil, failed(absent(err, errNoTable), "read the tags of table %q", name)
	}
	return tagMap(out.Tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value }), nil
}

// protectTable sets the deletion protection. DynamoDB changes nothing that is just being changed.
func (n *noun) protectTable(ctx context.Context, name string, protected bool) error {
	err := n.target.until(ctx, fmt.Sprintf("the deletion protection of table %q", name), func(ctx context.Context) (status, bool, error) {
		_, err := n.clients.dynamodb.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: &protected})
		if coded(err, errTableBusy) {
			return "being changed", false, nil
		}
		return "set", err == nil, failed(err, "set the deletion protection")
	})
	if err != nil {
		return err
	}
	return n.waitTable(ctx, name)
}

// recoverTable sees to it that a table can be restored to any moment.
func (n *noun) recoverTable(ctx context.Context, name string) error {
	on, err := n.tableRecovers(ctx, name)
	if err != nil || on {
		return err
	}
	// A new table's backups may still be coming up.
	return n.target.until(ctx, fmt.Sprintf("backups of table %q", name), func(ctx context.Context) (status, bool, error) {
		_, err := n.clients.dynamodb.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
			TableName:                        &name,
			PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
		})
		if coded(err, "ContinuousBackupsUnavailableException") {
			return "not available yet", false, nil
		}
		return "enabled", err == nil, failed(absent(err, errNoBackups), "enable point-in-time recovery")
	})
}

func (n *noun) tableRecovers(ctx context.Context, name string) (bool, error) {
	out, err := n.clients.dynamodb.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
	if err != nil {
		return false, failed(absent(err, errNoBackups), "read the backups of table %q", name)
	}
	p := out.ContinuousBackupsDescription.PointInTimeRecoveryDescription
	return p != nil && p.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled, nil
}

// checkTable says how a table differs from what putTable makes.
func (n *noun) checkTable(ctx context.Context, part, name string, protected bool) ([]string, error) {
	t, err := findTable(ctx, n.clients, name)
	if isAbsent(err) || err == nil && closed(t) {
		return nil, lostTable(ctx, n.clients, n.region, name)
	}
	if err != nil {
		return nil, err
	}
	drift, err := n.protectionDrift(ctx, t, protected)
	if err != nil {
		return nil, err
	}
	has, err := n.tableTags(ctx, name, t.TableArn)
	return append(drift, n.tagDrift(part, fmt.Sprintf("table %q", name), has)...), gone(err)
}

// protectionDrift says how the protection of a table differs from what putTable makes.
func (n *noun) protectionDrift(ctx context.Context, t *types.TableDescription, protected bool) ([]string, error) {
	var drift []string
	name := text(t.TableName)
	if aws.ToBool(t.DeletionProtectionEnabled) != protected {
		drift = append(drift, fmt.Sprintf("the deletion protection of table %q is %t", name, !protected))
	}
	on, err := n.tableRecovers(ctx, name)
	if err == nil && !on {
		drift = append(drift, fmt.Sprintf("point-in-time recovery of table %q is off", name))
	}
	return drift, err
}

// deleteTable removes a table with its protection. DynamoDB takes nothing away that is just being
// made, or changed: then it is asked again.
func (n *noun) deleteTable(ctx context.Context, part, name string) error {
	t, err := findTable(ctx, n.clients, name)
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	has, err := n.tableTags(ctx, name, t.TableArn)
	if err == nil {
		err = n.claim(part, "DynamoDB table", name, has)
	}
	if err != nil {
		return gone(err)
	}
	taken := false
	return n.target.until(ctx, fmt.Sprintf("the end of table %q", name), func(ctx context.Context) (status, bool, error) {
		t, err := findTable(ctx, n.clients, name)
		switch {
		case isAbsent(err):
			return "gone", true, nil
		case err != nil:
			return "", false, err
		case !taken && t.TableStatus != types.TableStatusDeleting:
			taken, err = n.endTable(ctx, t)
		}
		return status(t.TableStatus), false, err
	})
}

// endTable asks for the end of a table, and says whether DynamoDB has taken that.
func (n *noun) endTable(ctx context.Context, t *types.TableDescription) (taken bool, err error) {
	name := text(t.TableName)
	if aws.ToBool(t.DeletionProtectionEnabled) {
		err = n.protectTable(ctx, name, false)
	}
	if err == nil {
		_, err = n.clients.dynamodb.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	}
	return err == nil, failed(gone(err, errNoTable, errTableBusy), "delete table %q", name)
}
