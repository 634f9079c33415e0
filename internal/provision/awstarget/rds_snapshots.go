package awstarget

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	errNoSnapshot = "DBClusterSnapshotNotFoundFault"
	partSnapshot  = "snapshot"
)

// findSnapshot describes a snapshot of a database cluster.
func findSnapshot(ctx context.Context, c *clients, name string) (*types.DBClusterSnapshot, error) {
	out, err := c.rds.DescribeDBClusterSnapshots(ctx, &rds.DescribeDBClusterSnapshotsInput{DBClusterSnapshotIdentifier: &name})
	if err != nil {
		return nil, failed(absent(err, errNoSnapshot), "find snapshot %q", name)
	}
	if len(out.DBClusterSnapshots) == 0 {
		return nil, errAbsent
	}
	return &out.DBClusterSnapshots[0], nil
}

// claimSnapshot refuses a snapshot that this installation has not taken: a database that is removed after it
// can be had back from nothing else.
func (n *noun) claimSnapshot(ctx context.Context, arn string) error {
	has, err := n.tagsRDS(ctx, "database snapshot", arn)
	if err == nil && !n.ours(partSnapshot, has) {
		err = foreign("database snapshot", arn)
	}
	return err
}

// snapshot takes a snapshot of the cluster for a noun, with that one's tags, or waits for one that
// was begun. Names are unique in the AWS region: a repeated create is refused. Of a cluster one
// snapshot is taken at a time.
func (c dbCluster) snapshot(ctx context.Context, n *noun, name string) error {
	return c.target.until(ctx, fmt.Sprintf("snapshot %q", name), func(ctx context.Context) (status, bool, error) {
		s, err := findSnapshot(ctx, c.clients, name)
		if isAbsent(err) {
			_, err = c.clients.rds.CreateDBClusterSnapshot(ctx, &rds.CreateDBClusterSnapshotInput{
				DBClusterIdentifier: &c.name, DBClusterSnapshotIdentifier: &name, Tags: n.rdsTags(partSnapshot),
			})
			switch {
			case coded(err, "InvalidDBClusterStateFault"):
				return "not begun: the cluster is busy", false, nil
			case coded(err, "SnapshotQuotaExceeded"):
				return "refused", false, target.Errorf(target.ErrUnavailable, "the AWS account has as many snapshots in %s as it may have: delete some, or have the quota raised, and try again; without final_snapshot none is taken", c.clients.region)
			}
			return "begun", false, failed(gone(err, "DBClusterSnapshotAlreadyExistsFault"), "take snapshot %q", name)
		}
		if err != nil {
			return "", false, err
		}
		switch state := text(s.Status); state {
		case available:
			return available, true, n.claimSnapshot(ctx, text(s.DBClusterSnapshotArn))
		case "failed":
			return "failed", false, target.Errorf(target.ErrUnavailable, "snapshot %q has failed: delete it, and try again", name)
		default:
			return status(state), false, nil
		}
	})
}

// keeps says whether what is removed leaves a snapshot behind: as it is asked where it was finished, else where
// it was there before the row.
func (n *noun) keeps(m target.Meta, asked bool) bool {
	if m.Ready {
		return asked
	}
	return n.fact(factCreated) == ""
}
