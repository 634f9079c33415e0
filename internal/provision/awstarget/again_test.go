package awstarget

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// shyAWS is a cluster of ECS and one of RDS that AWS does not show when they were just made.
type shyAWS struct {
	noun *noun
	// unseen is how often each is not shown, made what there is of them.
	unseen int
	looks  map[string]int
	made   map[string]int
}

// shows says whether something is there to be seen.
func (l *shyAWS) shows(what string) bool {
	if l.made[what] == 0 {
		return false
	}
	l.looks[what]++
	return l.looks[what] > l.unseen
}

func (l *shyAWS) answer(in any) (any, error) {
	n := l.noun
	const cluster, database, instance = "cluster", "database", "instance"
	switch in := in.(type) {
	case *ecs.CreateClusterInput:
		l.made[cluster]++
		return new(ecs.CreateClusterOutput), nil
	case *ecs.DescribeClustersInput:
		out := new(ecs.DescribeClustersOutput)
		if l.shows(cluster) {
			out.Clusters = []ecstypes.Cluster{{ClusterName: aws.String("it"), Status: aws.String(clusterActive), Settings: clusterSettings(), Tags: ecsTags(n.tags(partCluster))}}
		}
		return out, nil
	case *rds.CreateDBClusterInput:
		l.made[database]++
		return new(rds.CreateDBClusterOutput), nil
	case *rds.DescribeDBClustersInput:
		if !l.shows(database) {
			return nil, refused(errNoDatabase)
		}
		c := shyDatabase(n)
		return &rds.DescribeDBClustersOutput{DBClusters: []types.DBCluster{{
			Status: aws.String(available), DBClusterArn: &c.name, DBClusterParameterGroup: &c.groups, CopyTagsToSnapshot: aws.Bool(true), EngineVersion: &c.size.EngineVersion,
			ServerlessV2ScalingConfiguration: &types.ServerlessV2ScalingConfigurationInfo{MinCapacity: &c.size.MinCapacity, MaxCapacity: &c.size.MaxCapacity},
			VpcSecurityGroups:                []types.VpcSecurityGroupMembership{{VpcSecurityGroupId: &c.security}}, EnabledCloudwatchLogsExports: []string{databaseLog},
			MasterUserSecret: &types.MasterUserSecret{SecretArn: aws.String("secret")},
		}}}, nil
	case *rds.ListTagsForResourceInput:
		return &rds.ListTagsForResourceOutput{TagList: n.rdsTags(partDatabase)}, nil
	case *rds.CreateDBInstanceInput:
		l.made[instance]++
		return new(rds.CreateDBInstanceOutput), nil
	case *rds.DescribeDBInstancesInput:
		if in.DBInstanceIdentifier != nil && !l.shows(instance) {
			return nil, refused(errNoInstance)
		}
		return &rds.DescribeDBInstancesOutput{DBInstances: []types.DBInstance{{
			DBInstanceStatus: aws.String(available), DBInstanceClass: aws.String(instanceClass), AutoMinorVersionUpgrade: aws.Bool(true), TagList: n.rdsTags(partDatabase),
		}}}, nil
	}
	return nil, fmt.Errorf("%T is not expected", in)
}

// shyDatabase is what the cluster of RDS is to be.
func shyDatabase(n *noun) dbCluster {
	return dbCluster{noun: n, part: partDatabase, name: "it", groups: "groups", security: "sg-1", direct: true, size: target.AWSDatabase{EngineVersion: "17.4", Instances: 1}}
}

func TestWhatWasJustMadeMayNotBeShownYet(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(context.Context, *noun) error{
		"a cluster of ECS": func(ctx context.Context, n *noun) error { return n.putCluster(ctx, partCluster, "it") },
		"one of RDS":       func(ctx context.Context, n *noun) error { return shyDatabase(n).put(ctx) },
	} {
		for _, unseen := range []int{0, 3, 1 << 30} {
			t.Run(fmt.Sprint(name, unseen), func(t *testing.T) {
				t.Parallel()
				l := &shyAWS{unseen: unseen, looks: map[string]int{}, made: map[string]int{}}
				l.noun = scripted(t, l.answer)
				began := l.noun.target.now()
				err := put(t.Context(), l.noun)
				if fails := unseen > 3; (err != nil) != fails || isAbsent(err) != fails {
					t.Errorf("got error %v", err)
				}
				for what, made := range l.made {
					if made != 1 {
						t.Errorf("%s was made %d times", what, made)
					}
				}
				if waited := l.noun.target.now().Sub(began); waited > 3*time.Minute {
					t.Errorf("waited for %s", waited)
				}
			})
		}
	}
}
