package awstest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// States of services and tasks.
const (
	active   = "ACTIVE"
	draining = "DRAINING"
	inactive = "INACTIVE"
	running  = "RUNNING"
	stopped  = "STOPPED"
)

// ecsService is a service with what DescribeServices tells of it.
type ecsService struct {
	types.Service
	place place
	token string
	// definitions are the task definitions of its deployments.
	definitions map[string]types.TaskDefinition
	network     network
	// failures are the tasks of the newest deployment that ended in a row, and next is when
	// another one may be started: "Service throttle logic".
	failures int
	next     time.Time
	events   int
	// steady says that nothing has changed since all was as it should be.
	steady bool
}

// createService follows CreateService: a name is taken while a service of it is ACTIVE or
// DRAINING, an identical token answers with what it made, and a target group must be in use by
// a load balancer.
func (f *fleet) createService(ctx context.Context, c Call) (any, error) {
	var in ecs.CreateServiceInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	cluster, err := f.cluster(ctx, c.Region, in.Cluster)
	if err != nil {
		return nil, err
	}
	at := place{c.Region, aws.ToString(cluster.ClusterName)}
	if s := f.service(at, in.ServiceName); s != nil {
		switch {
		case aws.ToString(s.Status) == draining:
			return nil, refuse("InvalidParameterException", "Unable to Start a service that is still Draining.")
		case s.token == "" || s.token != aws.ToString(in.ClientToken):
			return nil, refuse("InvalidParameterException", "Creation of service was not idempotent.")
		}
		return &ecs.CreateServiceOutput{Service: &s.Service}, nil
	}
	s := &ecsService{place: at, token: aws.ToString(in.ClientToken), definitions: map[string]types.TaskDefinition{}}
	now := time.Now()
	s.Service = types.Service{
		ServiceArn: f.arn(at, "service", *in.ServiceName), ServiceName: in.ServiceName, ClusterArn: cluster.ClusterArn, Status: aws.String(active), CreatedAt: &now,
		DesiredCount: aws.ToInt32(in.DesiredCount), DeploymentConfiguration: in.DeploymentConfiguration, DeploymentController: in.DeploymentController,
		EnableECSManagedTags: in.EnableECSManagedTags, EnableExecuteCommand: in.EnableExecuteCommand, HealthCheckGracePeriodSeconds: in.HealthCheckGracePeriodSeconds,
		LaunchType: in.LaunchType, CapacityProviderStrategy: in.CapacityProviderStrategy, LoadBalancers: in.LoadBalancers, NetworkConfiguration: in.NetworkConfiguration,
		PlatformVersion: in.PlatformVersion, PlatformFamily: aws.String("Linux"), PropagateTags: in.PropagateTags, SchedulingStrategy: types.SchedulingStrategyReplica,
		AvailabilityZoneRebalancing: in.AvailabilityZoneRebalancing, Tags: in.Tags,
	}
	if s.AvailabilityZoneRebalancing == "" {
		s.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingEnabled
	}
	if err := f.prepare(ctx, s, in.TaskDefinition); err != nil {
		return nil, err
	}
	s.deploy(now)
	// An INACTIVE one of the name can't be described any more.
	f.services = slices.DeleteFunc(f.services, func(o *ecsService) bool { return aws.ToString(o.ServiceArn) == *s.ServiceArn })
	f.services = append(f.services, s)
	return &ecs.CreateServiceOutput{Service: &s.Service}, nil
}

// prepare looks up what a service's tasks need, and refuses what is not there.
func (f *fleet) prepare(ctx context.Context, s *ecsService, definition *string) error {
	d, err := f.definition(ctx, s.place.region, definition)
	if err != nil {
		return err
	}
	if s.network, err = f.network(ctx, s.place.region, s.NetworkConfiguration); err != nil {
		return err
	}
	for _, b := range s.LoadBalancers {
		if err := f.balancing.associated(s.place.region, aws.ToString(b.TargetGroupArn)); err != nil {
			return err
		}
	}
	s.TaskDefinition = d.TaskDefinitionArn
	s.definitions[*d.TaskDefinitionArn] = d
	return nil
}

// deploy begins a deployment of what the service is now.
func (s *ecsService) deploy(now time.Time) {
	for i := range s.Deployments {
		s.Deployments[i].Status = aws.String(active)
	}
	s.Deployments = slices.Insert(s.Deployments, 0, types.Deployment{
		Id: aws.String("ecs-svc/" + identifier(8)), Status: aws.String("PRIMARY"), CreatedAt: &now, UpdatedAt: &now, TaskDefinition: s.TaskDefinition,
		DesiredCount: s.DesiredCount, LaunchType: s.LaunchType, CapacityProviderStrategy: s.CapacityProviderStrategy, NetworkConfiguration: s.NetworkConfiguration,
		PlatformVersion: s.PlatformVersion, RolloutState: types.DeploymentRolloutStateInProgress, RolloutStateReason: aws.String("ECS deployment in progress."),
	})
	s.failures, s.next = 0, time.Time{}
}

// tell adds an event; the newest is first, and a hundred are kept.
func (s *ecsService) tell(format string, args ...any) {
	now := time.Now()
	s.events++
	message := fmt.Sprintf("(service %s) ", aws.ToString(s.ServiceName)) + fmt.Sprintf(format, args...)
	s.Events = slices.Insert(s.Events, 0, types.ServiceEvent{Id: aws.String(fmt.Sprint("event-", s.events)), CreatedAt: &now, Message: &message})
	s.Events = s.Events[:min(len(s.Events), 100)]
}

// updateService follows UpdateService: another task definition, network, platform, load
// balancer, or ForceNewDeployment begins a deployment; the desired count does not.
func (f *fleet) updateService(ctx context.Context, c Call) (any, error) {
	var in ecs.UpdateServiceInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	s, err := f.living(c, in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	changed := *s
	set(&changed.DesiredCount, in.DesiredCount)
	set(&changed.EnableECSManagedTags, in.EnableECSManagedTags)
	set(&changed.EnableExecuteCommand, in.EnableExecuteCommand)
	if in.HealthCheckGracePeriodSeconds != nil {
		changed.HealthCheckGracePeriodSeconds = in.HealthCheckGracePeriodSeconds
	}
	if in.DeploymentConfiguration != nil {
		changed.DeploymentConfiguration = in.DeploymentConfiguration
	}
	if in.AvailabilityZoneRebalancing != "" {
		changed.AvailabilityZoneRebalancing = in.AvailabilityZoneRebalancing
	}
	if in.PropagateTags != "" {
		changed.PropagateTags = in.PropagateTags
	}
	if in.NetworkConfiguration != nil {
		changed.NetworkConfiguration = in.NetworkConfiguration
	}
	if in.LoadBalancers != nil {
		changed.LoadBalancers = in.LoadBalancers
	}
	if in.CapacityProviderStrategy != nil {
		changed.CapacityProviderStrategy, changed.LaunchType = in.CapacityProviderStrategy, ""
	}
	if in.PlatformVersion != nil {
		changed.PlatformVersion = in.PlatformVersion
	}
	deploys := in.ForceNewDeployment || in.TaskDefinition != nil || in.NetworkConfiguration != nil || in.LoadBalancers != nil || in.CapacityProviderStrategy != nil || in.PlatformVersion != nil
	if deploys {
		definition := in.TaskDefinition
		if definition == nil {
			definition = s.TaskDefinition
		}
		if err := f.prepare(ctx, &changed, definition); err != nil {
			return nil, err
		}
		changed.deploy(time.Now())
	}
	*s = changed
	return &ecs.UpdateServiceOutput{Service: &s.Service}, nil
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// deleteService follows DeleteService: one that is wanted is removed by force only, and drains.
func (f *fleet) deleteService(_ context.Context, c Call) (any, error) {
	var in ecs.DeleteServiceInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	s := f.service(place{c.Region, nameOfCluster(in.Cluster)}, in.Service)
	if s == nil {
		return nil, refuse("ServiceNotFoundException", "Service not found.")
	}
	if s.DesiredCount > 0 && !aws.ToBool(in.Force) {
		return nil, refuse("InvalidParameterException", "The service cannot be stopped while it is scaled above 0.")
	}
	s.DesiredCount, s.Status = 0, aws.String(draining)
	return &ecs.DeleteServiceOutput{Service: &s.Service}, nil
}
