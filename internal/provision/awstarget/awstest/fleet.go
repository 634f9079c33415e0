package awstest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// fleet is what ECS runs in an account: services and tasks. Clusters and task definitions are
// moto's.
type fleet struct {
	*cloud
	balancing *balancing
	roles     *roles
	start     sync.Once

	mu       sync.Mutex
	programs map[string]Program
	services []*ecsService
	tasks    []*task
	// clusters are those that were found active.
	clusters map[place]types.Cluster
	// ran are the answers of RunTask by the token and what was asked for.
	ran map[string]ran
	// addresses counts those given to tasks.
	addresses int
	// stepped is closed with the next step.
	stepped chan struct{}
}

func newFleet(c *cloud, b *balancing) *fleet {
	f := &fleet{cloud: c, balancing: b, roles: &roles{cloud: c, known: map[string][]statement{}}, programs: programs(), clusters: map[place]types.Cluster{}, ran: map[string]ran{}}
	for _, image := range []string{"amazonlinux", "curl"} {
		f.programs[image] = f.shell
	}
	return f
}

// fleetCall answers a call. The lock is held.
type fleetCall func(f *fleet, ctx context.Context, c Call) (any, error)

var fleetCalls = map[string]fleetCall{
	"CreateService":    (*fleet).createService,
	"UpdateService":    (*fleet).updateService,
	"DeleteService":    (*fleet).deleteService,
	"DescribeServices": (*fleet).describeServices,
	"ListServices":     (*fleet).listServices,
	"RunTask":          (*fleet).runTask,
	"StopTask":         (*fleet).stopTask,
	"DescribeTasks":    (*fleet).describeTasks,
	"ListTasks":        (*fleet).listTasks,
}

// piece answers what is about services and tasks.
func (f *fleet) piece(c Call, moto http.Handler) http.Handler {
	if c.Service != "ecs" {
		return nil
	}
	switch c.Operation {
	case "DeleteCluster":
		return f.deleteCluster(c, moto)
	case "RegisterTaskDefinition":
		return f.refuseDefinition(c)
	}
	call, ok := fleetCalls[c.Operation]
	if !ok {
		call, ok = f.tagCall(c)
	}
	if !ok {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.start.Do(func() { f.every(f.step) })
		f.mu.Lock()
		defer f.mu.Unlock()
		// What was begun is done, whatever the client does meanwhile.
		out, err := call(f, context.WithoutCancel(r.Context()), c)
		c.send(w, out, err)
	})
}

// step lets everything go on by one step.
func (f *fleet) step() {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for _, t := range f.tasks {
		f.stepTask(t, now)
	}
	for _, s := range f.services {
		f.stepService(s, now)
	}
	close(f.stepped)
	f.stepped = make(chan struct{})
}

// nameOfCluster is the name in a cluster's name or ARN.
func nameOfCluster(cluster *string) string {
	name := aws.ToString(cluster)
	if name == "" {
		return "default"
	}
	return name[strings.LastIndex(name, "/")+1:]
}

// cluster refuses one that moto does not have. It asks once: only deleteCluster ends one.
func (f *fleet) cluster(ctx context.Context, region string, cluster *string) (types.Cluster, error) {
	name := nameOfCluster(cluster)
	if c, ok := f.clusters[place{region, name}]; ok {
		return c, nil
	}
	out, err := ecs.NewFromConfig(f.config(region)).DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: []string{name}})
	if err != nil {
		return types.Cluster{}, err
	}
	if len(out.Clusters) == 0 || aws.ToString(out.Clusters[0].Status) != "ACTIVE" {
		return types.Cluster{}, refuse("ClusterNotFoundException", "Cluster not found.")
	}
	f.clusters[place{region, name}] = out.Clusters[0]
	return out.Clusters[0], nil
}

// deleteCluster refuses to remove a cluster in which something runs (DeleteCluster).
func (f *fleet) deleteCluster(c Call, moto http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in ecs.DeleteClusterInput
		if err := c.read(&in); err != nil {
			c.send(w, nil, err)
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		place := place{c.Region, nameOfCluster(in.Cluster)}
		if slices.ContainsFunc(f.services, func(s *ecsService) bool { return s.place == place && aws.ToString(s.Status) != inactive }) {
			c.send(w, nil, refuse("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."))
			return
		}
		if slices.ContainsFunc(f.tasks, func(t *task) bool { return t.place == place && !t.stopped() }) {
			c.send(w, nil, refuse("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active."))
			return
		}
		delete(f.clusters, place)
		moto.ServeHTTP(w, r)
	})
}

// place is a cluster in an AWS region.
type place struct{ region, cluster string }

func (f *fleet) arn(p place, kind, name string) *string {
	return aws.String(fmt.Sprintf("arn:aws:ecs:%s:%s:%s/%s/%s", p.region, f.account, kind, p.cluster, name))
}

// identifier is random, in hexadecimal digits.
func identifier(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// page cuts a list into pages, with tokens that are positions.
func page[T any](all []T, size *int32, token *string, most int) ([]T, *string, error) {
	from, n := 0, most
	if token != nil {
		if _, err := fmt.Sscan(*token, &from); err != nil || from > len(all) {
			return nil, nil, refuse("InvalidParameterException", "Invalid token.")
		}
	}
	if size != nil && int(*size) < n {
		n = int(*size)
	}
	to := min(from+n, len(all))
	if to == len(all) {
		return all[from:to], nil, nil
	}
	return all[from:to], aws.String(fmt.Sprint(to)), nil
}
