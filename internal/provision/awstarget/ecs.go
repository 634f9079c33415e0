package awstarget

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	errNoCluster = "ClusterNotFoundException"
	// A cluster that was deleted can still be described for a while.
	clusterInactive = "INACTIVE"
	clusterActive   = "ACTIVE"
)

// findCluster describes a cluster with its tags; an INACTIVE one is not there any more.
func findCluster(ctx context.Context, c *clients, cluster string) (*types.Cluster, error) {
	out, err := c.ecs.DescribeClusters(ctx, &ecs.DescribeClustersInput{
		Clusters: []string{cluster}, Include: []types.ClusterField{types.ClusterFieldTags, types.ClusterFieldSettings},
	})
	if err != nil {
		return nil, failed(absent(err, errNoCluster), "find cluster %q", cluster)
	}
	for _, found := range out.Clusters {
		if text(found.Status) != clusterInactive {
			return &found, nil
		}
	}
	return nil, errAbsent
}

// putCluster makes a cluster for Fargate. A create with the name of one that is there
// answers with that one, whoever made it: its tags are read first and again after it.
func (n *noun) putCluster(ctx context.Context, part, cluster string) error {
	found, err := findCluster(ctx, n.clients, cluster)
	if isAbsent(err) {
		if err := n.createCluster(ctx, part, cluster); err != nil {
			return err
		}
		err = n.target.appearing(ctx, fmt.Sprintf("cluster %q", cluster), func(ctx context.Context) (err error) {
			found, err = findCluster(ctx, n.clients, cluster)
			return err
		})
	}
	if err == nil {
		err = n.claimCluster(part, found)
	}
	if err == nil {
		err = n.retagCluster(ctx, part, found)
	}
	if err != nil {
		return err
	}
	err = n.target.until(ctx, fmt.Sprintf("cluster %q", cluster), func(ctx context.Context) (status, bool, error) {
		c, err := findCluster(ctx, n.clients, cluster)
		if err != nil {
			return "", false, err
		}
		return status(text(c.Status)), text(c.Status) == clusterActive, nil
	})
	if err != nil || observed(found) {
		return err
	}
	_, err = n.clients.ecs.UpdateCluster(ctx, &ecs.UpdateClusterInput{Cluster: &cluster, Settings: clusterSettings()})
	return failed(err, "set the settings of cluster %q", cluster)
}

func clusterSettings() []types.ClusterSetting {
	enabled := "enabled"
	return []types.ClusterSetting{{Name: types.ClusterSettingNameContainerInsights, Value: &enabled}}
}

// observed says whether a cluster's containers are measured.
func observed(c *types.Cluster) bool {
	for _, s := range c.Settings {
		if s.Name == types.ClusterSettingNameContainerInsights && text(s.Value) == "enabled" {
			return true
		}
	}
	return false
}

// createCluster makes a cluster. It names no capacity providers: services and tasks say that they are
// Fargate's. With the first one of an AWS account AWS makes the role that ECS works with.
func (n *noun) createCluster(ctx context.Context, part, cluster string) error {
	return n.target.patiently(ctx, fmt.Sprintf("cluster %q", cluster), func(ctx context.Context) error {
		_, err := n.clients.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &cluster, Settings: clusterSettings(), Tags: ecsTags(n.tags(part))})
		return failed(err, "create cluster %q", cluster)
	}, lagOfECSRole)
}

// retagCluster gives a cluster the tags of the definition.
func (n *noun) retagCluster(ctx context.Context, part string, c *types.Cluster) error {
	return n.putTags(part, fmt.Sprintf("cluster %q", text(c.ClusterName)), clusterTags(c), n.tagECS(ctx, c.ClusterArn), n.untagECS(ctx, c.ClusterArn))
}

// tagECS and untagECS put tags on a resource of ECS and take them off.
func (n *noun) tagECS(ctx context.Context, arn *string) func(map[string]string) error {
	return func(tags map[string]string) error {
		_, err := n.clients.ecs.TagResource(ctx, &ecs.TagResourceInput{ResourceArn: arn, Tags: ecsTags(tags)})
		return err
	}
}

func (n *noun) untagECS(ctx context.Context, arn *string) func([]string) error {
	return func(keys []string) error {
		_, err := n.clients.ecs.UntagResource(ctx, &ecs.UntagResourceInput{ResourceArn: arn, TagKeys: keys})
		return err
	}
}

func clusterTags(c *types.Cluster) map[string]string {
	return tagMap(c.Tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value })
}

func (n *noun) claimCluster(part string, c *types.Cluster) error {
	return n.claim(part, "ECS cluster", text(c.ClusterName), clusterTags(c))
}

// checkCluster says how a cluster differs from what putCluster makes.
func (n *noun) checkCluster(ctx context.Context, cluster string) ([]string, error) {
	c, err := findCluster(ctx, n.clients, cluster)
	switch {
	case isAbsent(err):
		return []string{fmt.Sprintf("cluster %q is gone", cluster)}, nil
	case err != nil:
		return nil, err
	case !observed(c):
		return []string{fmt.Sprintf("container insights of cluster %q are off", cluster)}, nil
	}
	return n.tagDrift(partCluster, fmt.Sprintf("cluster %q", cluster), clusterTags(c)), nil
}

// deleteCluster removes a cluster. Its services are gone by then; the last of their tasks may
// still be stopping.
func (n *noun) deleteCluster(ctx context.Context, part, cluster string) error {
	c, err := findCluster(ctx, n.clients, cluster)
	if err == nil {
		err = n.claimCluster(part, c)
	}
	if err != nil {
		return gone(err)
	}
	return n.target.until(ctx, fmt.Sprintf("the end of cluster %q", cluster), func(ctx context.Context) (status, bool, error) {
		_, err := n.clients.ecs.DeleteCluster(ctx, &ecs.DeleteClusterInput{Cluster: &cluster})
		if coded(err, "ClusterContainsTasksException", "ClusterContainsServicesException", "UpdateInProgressException") {
			return "not empty yet", false, nil
		}
		return "gone", true, failed(gone(err, errNoCluster), "delete cluster %q", cluster)
	})
}
