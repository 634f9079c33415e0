package awstarget

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// RDS is asked again while it is busy. What it is waited for meanwhile may take its time: it may still be busy
// after that.
func TestThatRDSIsBusyIsBorneForAWhile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		settles     time.Duration // how long the cluster is not available
		refusals    int
		fails       bool
		least, most time.Duration
	}{
		{"it is not busy", 0, 0, false, 0, 0},
		{"busy for a moment", 0, 3, false, time.Second, time.Minute},
		{"busy for ever", 0, 1 << 30, true, rdsLag, rdsLag + time.Minute},
		{"busy with what it calls available after an upgrade", 20 * time.Minute, 3, false, 20 * time.Minute, 21 * time.Minute},
		{"busy for ever after an upgrade", 20 * time.Minute, 1 << 30, true, 20*time.Minute + rdsLag, 21*time.Minute + rdsLag},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := scripted(t, nil)
			began := n.target.now()
			settle := func(ctx context.Context) error {
				left := c.settles
				c.settles = 0
				return n.target.clock.Sleep(ctx, left)
			}
			err := n.target.insist(t.Context(), "it", settle, func(context.Context) error {
				if c.refusals--; c.refusals >= 0 {
					return refused(busyCluster)
				}
				return nil
			})
			if coded(err, busyCluster) != c.fails || (err != nil) != c.fails {
				t.Errorf("got error %v", err)
			}
			if waited := n.target.now().Sub(began); waited < c.least || waited > c.most {
				t.Errorf("waited for %s, want %s to %s", waited, c.least, c.most)
			}
		})
	}
}

// What RDS was asked to change it begins late, takes its time for, and shows late, or never.
func TestAChangeOfADatabaseIsWaitedForUntilItIsShown(t *testing.T) {
	t.Parallel()
	const never = 1000 * time.Hour
	for _, c := range []struct {
		name               string
		begun, done, shown time.Duration // after it was asked for
		want               time.Duration
	}{
		{"begun late and shown late", 2 * time.Minute, 30 * time.Minute, 34 * time.Minute, 34 * time.Minute},
		{"never begun nor shown", never, never, never, rdsLag},
		{"never shown", 0, 30 * time.Minute, never, 30*time.Minute + rdsLag},
	} {
		for what, change := range map[string]func(dbCluster, context.Context) error{
			"cluster": func(c dbCluster, ctx context.Context) error {
				_, err := c.changed(ctx)
				return err
			},
			"instance": func(c dbCluster, ctx context.Context) error { return c.settleInstance(ctx, "it") },
		} {
			t.Run(c.name+", "+what, func(t *testing.T) {
				t.Parallel()
				var n *noun
				var began time.Time
				n = scripted(t, func(in any) (any, error) {
					since := n.target.now().Sub(began)
					state, shown := aws.String(available), aws.Bool(since >= c.shown)
					if since >= c.begun && since < c.done {
						state = aws.String("modifying")
					}
					switch in.(type) {
					case *rds.DescribeDBClustersInput:
						return &rds.DescribeDBClustersOutput{DBClusters: []types.DBCluster{{
							Status: state, CopyTagsToSnapshot: shown, EnabledCloudwatchLogsExports: []string{databaseLog}, MasterUserSecret: &types.MasterUserSecret{},
							ServerlessV2ScalingConfiguration: &types.ServerlessV2ScalingConfigurationInfo{}, VpcSecurityGroups: make([]types.VpcSecurityGroupMembership, 1),
						}}}, nil
					case *rds.DescribeDBInstancesInput:
						return &rds.DescribeDBInstancesOutput{DBInstances: []types.DBInstance{{DBInstanceStatus: state, DBInstanceClass: aws.String(instanceClass), AutoMinorVersionUpgrade: shown}}}, nil
					case *rds.ModifyDBInstanceInput:
						return new(rds.ModifyDBInstanceOutput), nil
					}
					return nil, fmt.Errorf("%T is not expected", in)
				})
				began = n.target.now()
				if err := change(dbCluster{noun: n, name: "it"}, t.Context()); err != nil {
					t.Error(err)
				}
				if waited := n.target.now().Sub(began); waited < c.want-15*time.Second || waited > c.want+20*time.Second {
					t.Errorf("waited for %s, want %s", waited, c.want)
				}
			})
		}
	}
}

func TestWhatADatabaseDoesNotLeaveByItselfEndsAWait(t *testing.T) {
	t.Parallel()
	for state, stuck := range map[string]struct{ cluster, instance bool }{
		available: {}, "creating": {}, "modifying": {}, "upgrading": {}, "backing-up": {}, "starting": {}, "stopping": {}, deleting: {}, "storage-optimization": {},
		stopped:                               {true, true},
		"cloning-failed":                      {true, false},
		"migration-failed":                    {true, false},
		"failed":                              {false, true},
		"insufficient-capacity":               {false, true},
		"restore-error":                       {false, true},
		"incompatible-network":                {false, true},
		"incompatible-parameters":             {false, true},
		"incompatible-credentials":            {false, true},
		"inaccessible-encryption-credentials": {true, false},
		"inaccessible-encryption-credentials-recoverable": {true, false},
	} {
		c := dbCluster{noun: scripted(t, nil), name: "it"}
		for what, got := range map[string]struct {
			err   error
			stuck bool
		}{"cluster": {c.stuck(state), stuck.cluster}, "instance": {c.stuckInstance("it-1", state), stuck.instance}} {
			if (got.err != nil) != got.stuck || got.err != nil && !errors.Is(got.err, target.ErrUnavailable) {
				t.Errorf("%s %q: got error %v", what, state, got.err)
			}
		}
	}
}
