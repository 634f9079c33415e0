package awstarget

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	errNoService = "ServiceNotFoundException"
	// A service that was deleted, also one whose name another one has got.
	errServiceEnds = "ServiceNotActiveException"
	// What was deleted can be described for a while, and its name is free again.
	serviceInactive = "INACTIVE"
	serviceActive   = "ACTIVE"
	// maxServices is how many one call describes.
	maxServices = 10
)

// leastGrace is in seconds.
const leastGrace = 300

// grace is for how many seconds ECS leaves a new task alone that the load balancer does not call healthy. Then
// it takes it for broken and starts another one, which begins from the start: not while the release may still start.
func (s *seat) grace() int32 { return int32(max(leastGrace, s.StartSeconds)) }

// findServices describes services by name; INACTIVE ones are not there any more. Ten at a time is
// what AWS allows.
func findServices(ctx context.Context, c *clients, cluster string, names []string) (map[string]types.Service, error) {
	all := map[string]types.Service{}
	for some := range slices.Chunk(names, maxServices) {
		out, err := c.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: some, Include: []types.ServiceField{types.ServiceFieldTags}})
		if err != nil {
			return nil, failed(absent(err, errNoCluster), "find the services of cluster %q", cluster)
		}
		for _, s := range out.Services {
			if text(s.Status) != serviceInactive {
				all[text(s.ServiceName)] = s
			}
		}
	}
	return all, nil
}

func findService(ctx context.Context, c *clients, cluster, name string) (types.Service, error) {
	all, err := findServices(ctx, c, cluster, []string{name})
	if err != nil {
		return types.Service{}, err
	}
	s, ok := all[name]
	if !ok {
		return s, errAbsent
	}
	return s, nil
}

// putService makes the service of a component with a number of tasks, and returns it. One that is
// there is made what it was; one that somebody has deleted is made anew when it is gone.
func (w *slotWork) putService(ctx context.Context, of *seat, component string, count int) (types.Service, error) {
	p, cluster := of.unit(component), w.clusterName()
	s, err := findService(ctx, w.clients, cluster, p.service())
	if err == nil && text(s.Status) != serviceActive {
		if err = w.serviceGone(ctx, cluster, p.service()); err == nil {
			err = errAbsent
		}
	}
	if isAbsent(err) {
		return w.createService(ctx, of, component, count)
	}
	if err != nil {
		return s, err
	}
	if !of.Carried { // what had traffic was ours, whatever it bears now
		if err := w.claim(p.mark(), "ECS service", p.service(), serviceTags(s)); err != nil {
			return s, err
		}
	}
	if w.resting {
		if err := w.tagECSThing(ctx, w.retagUnit(of, component, serviceTags(s)), fmt.Sprintf("service %q", p.service()), s.ServiceArn); err != nil {
			return s, err
		}
	}
	if _, change := w.serviceDrift(of, component, s); change != nil {
		err = w.updateService(ctx, p.service(), change)
	}
	return s, err
}

// createService makes a service. We judge a release ourselves: ECS is not to roll anything back,
// nor to move tasks between zones meanwhile. AWS may not have seen the target group in a rule, or the
// roles, yet. What it answers is the service: one that is new can't be described yet.
func (w *slotWork) createService(ctx context.Context, of *seat, component string, count int) (s types.Service, err error) {
	in := w.service(of, component, count)
	if of.Before == nil { // it was there once: nobody says for how long its token answers with what is gone
		in.ClientToken = aws.String(rand.Text())
	}
	err = w.patiently(ctx, text(in.ServiceName), func() error {
		out, err := w.clients.ecs.CreateService(ctx, in)
		if err == nil {
			s = *out.Service
		}
		return failed(err, "create service %q", text(in.ServiceName))
	}, lagOfNeeds)
	return s, err
}

// lagOfNeeds is what ECS says of a service that needs what it has not seen yet: the class of a wrong parameter.
var lagOfNeeds = lag{code: "InvalidParameterException"}

// patiently asks ECS for a service, for a while: it may not have seen yet what was made a moment ago.
func (w *slotWork) patiently(ctx context.Context, service string, ask func() error, passing ...lag) error {
	return w.target.patiently(ctx, fmt.Sprintf("service %q", service), func(ctx context.Context) error {
		if err := w.fence(ctx); err != nil {
			return err
		}
		return ask()
	}, passing...)
}

func serviceTags(s types.Service) map[string]string {
	return tagMap(s.Tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value })
}

// service is what the service of a component is made from.
func (w *slotWork) service(of *seat, component string, count int) *ecs.CreateServiceInput {
	p, c := of.unit(component), of.Spec.Definition.Components[component]
	in := &ecs.CreateServiceInput{
		Cluster: aws.String(w.clusterName()), ServiceName: aws.String(p.service()), ClientToken: aws.String(p.token()),
		TaskDefinition: aws.String(of.Definitions[component]), DesiredCount: aws.Int32(int32(count)),
		LaunchType: types.LaunchTypeFargate, PlatformVersion: aws.String("1.4.0"),
		SchedulingStrategy:          types.SchedulingStrategyReplica,
		AvailabilityZoneRebalancing: types.AvailabilityZoneRebalancingDisabled,
		NetworkConfiguration:        w.taskNetwork(),
		DeploymentConfiguration: &types.DeploymentConfiguration{
			MinimumHealthyPercent: aws.Int32(100), MaximumPercent: aws.Int32(200),
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: false, Rollback: false},
		},
		EnableECSManagedTags: true, PropagateTags: types.PropagateTagsService,
		Tags: ecsTags(w.placeTags(p.mark(), &of.Spec, component)),
	}
	if !c.Worker() {
		in.HealthCheckGracePeriodSeconds = aws.Int32(of.grace())
		in.LoadBalancers = []types.LoadBalancer{{
			TargetGroupArn: aws.String(of.TargetGroups[component]), ContainerName: aws.String(component), ContainerPort: aws.Int32(int32(port(c))),
		}}
	}
	return in
}

// taskNetwork is where containers run: in the private subnets.
func (w *slotWork) taskNetwork() *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
		Subnets: w.subnetIDs(layoutOf(w.spec), subnetPrivate), SecurityGroups: []string{w.fact(markStackGroup)}, AssignPublicIp: types.AssignPublicIpDisabled,
	}}
}

// countService sets how many tasks a service is to have.
func (w *slotWork) countService(ctx context.Context, name string, count int) error {
	return w.updateService(ctx, name, &ecs.UpdateServiceInput{DesiredCount: aws.Int32(int32(count))})
}

// balanceService lets ECS keep a service's tasks spread over the zones.
func (w *slotWork) balanceService(ctx context.Context, name string) error {
	return w.updateService(ctx, name, &ecs.UpdateServiceInput{AvailabilityZoneRebalancing: types.AvailabilityZoneRebalancingEnabled})
}

// updateService changes a service that is there, and that may have been made a moment ago, as may the target
// group that it gets.
func (w *slotWork) updateService(ctx context.Context, name string, in *ecs.UpdateServiceInput) error {
	in.Cluster, in.Service = aws.String(w.clusterName()), &name
	passing := []lag{{code: errNoService}, {code: errServiceEnds}}
	if in.LoadBalancers != nil {
		passing = append(passing, lagOfNeeds)
	}
	return w.patiently(ctx, name, func() error {
		_, err := w.clients.ecs.UpdateService(ctx, in)
		return failed(err, "change service %q", name)
	}, passing...)
}

// deleteService removes a service with its tasks, and returns when both are gone. ECS takes them
// out of the load balancer first, and waits for what they answer.
func (w *slotWork) deleteService(ctx context.Context, p unit) error {
	cluster, name := w.clusterName(), p.service()
	s, err := findService(ctx, w.clients, cluster, name)
	if err != nil {
		return gone(err)
	}
	if err := w.claim(p.mark(), "ECS service", name, serviceTags(s)); err != nil {
		return err
	}
	if err := w.fence(ctx); err != nil {
		return err
	}
	if text(s.Status) == serviceActive {
		_, err := w.clients.ecs.DeleteService(ctx, &ecs.DeleteServiceInput{Cluster: &cluster, Service: &name, Force: aws.Bool(true)})
		if gone(err, errNoService, errServiceEnds) != nil {
			return failed(err, "delete service %q", name)
		}
	}
	return w.serviceGone(ctx, cluster, name)
}

// serviceGone waits until a service that was deleted is gone with its tasks.
func (w *slotWork) serviceGone(ctx context.Context, cluster, name string) error {
	return w.target.until(ctx, fmt.Sprintf("the end of service %q", name), func(ctx context.Context) (status, bool, error) {
		s, err := findService(ctx, w.clients, cluster, name)
		if isAbsent(err) {
			return "gone", true, nil
		}
		return status(fmt.Sprintf("%s with %d tasks", text(s.Status), s.RunningCount)), false, err
	})
}
