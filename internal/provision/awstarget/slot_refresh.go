package awstarget

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// A refresh looks at every slot of an environment. It asks for all of the environment's services
// and tasks, by tens and hundreds, and each slot asks the same: the look shares the answers. The
// load balancer, whose describe calls are few a second, is asked for its rules only.

// servicesNow describes services of the environment by name.
func (w *slotWork) servicesNow(ctx context.Context, names []string) (map[string]types.Service, error) {
	if !w.refreshing || len(names) == 0 {
		return findServices(ctx, w.clients, w.clusterName(), names)
	}
	all, err := listServices(ctx, w.clients, w.clusterName())
	if err != nil {
		return nil, err
	}
	var among []string
	for ten := range slices.Chunk(all, maxServices) {
		if slices.ContainsFunc(ten, func(name string) bool { return slices.Contains(names, name) }) {
			among = append(among, ten...)
		}
	}
	return findServices(ctx, w.clients, w.clusterName(), among)
}

// tasksNow describes the tasks of a service.
func (w *slotWork) tasksNow(ctx context.Context, service string) ([]types.Task, error) {
	of := tasksOf{service: service}
	if w.refreshing {
		of = tasksOf{}
	}
	arns, err := listTasks(ctx, w.clients, w.clusterName(), of)
	if err != nil {
		return nil, err
	}
	all, err := findTasks(ctx, w.clients, w.clusterName(), arns)
	if w.refreshing {
		var its []types.Task // what was answered is everybody's
		for _, t := range all {
			if text(t.Group) == "service:"+service {
				its = append(its, t)
			}
		}
		all = its
	}
	return all, err
}

// listServices lists the names of a cluster's services, in their order.
func listServices(ctx context.Context, c *clients, cluster string) ([]string, error) {
	var all []string
	pages := ecs.NewListServicesPaginator(c.ecs, &ecs.ListServicesInput{Cluster: &cluster, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(absent(err, errNoCluster), "list the services of cluster %q", cluster)
		}
		for _, arn := range page.ServiceArns {
			all = append(all, arn[strings.LastIndex(arn, "/")+1:])
		}
	}
	slices.Sort(all)
	return all, nil
}
