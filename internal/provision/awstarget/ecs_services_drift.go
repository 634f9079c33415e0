package awstarget

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// serviceDrift says how the service of a component differs from what it was made from, and the
// change that repairs it, nil for none. How many tasks it wants is another matter.
func (w *slotWork) serviceDrift(of *seat, component string, s types.Service) ([]string, *ecs.UpdateServiceInput) {
	want, name := w.service(of, component, 0), text(s.ServiceName)
	in, changed := &ecs.UpdateServiceInput{}, false
	var out []string
	differs := func(format string, args ...any) {
		out = append(out, fmt.Sprintf("service %q ", name)+fmt.Sprintf(format, args...))
		changed = true
	}
	if text(s.TaskDefinition) != *want.TaskDefinition {
		differs("runs task definition %q, and is to run %q", shortARN(text(s.TaskDefinition)), shortARN(*want.TaskDefinition))
		in.TaskDefinition = want.TaskDefinition
	}
	if !samePlace(s.NetworkConfiguration, want.NetworkConfiguration) {
		differs("runs in %s, and is to run in %s", placeWords(s.NetworkConfiguration), placeWords(want.NetworkConfiguration))
		in.NetworkConfiguration = want.NetworkConfiguration
	}
	if !slices.EqualFunc(s.LoadBalancers, want.LoadBalancers, func(a, b types.LoadBalancer) bool {
		return text(a.TargetGroupArn) == text(b.TargetGroupArn) && text(a.ContainerName) == text(b.ContainerName) && aws.ToInt32(a.ContainerPort) == aws.ToInt32(b.ContainerPort)
	}) {
		differs("is the target of %s, and is to be that of %s", groupWords(s.LoadBalancers), groupWords(want.LoadBalancers))
		in.LoadBalancers = want.LoadBalancers
	}
	if want.HealthCheckGracePeriodSeconds != nil && aws.ToInt32(s.HealthCheckGracePeriodSeconds) != of.grace() {
		differs("gives a task %d seconds to become healthy, and is to give %d", aws.ToInt32(s.HealthCheckGracePeriodSeconds), of.grace())
		in.HealthCheckGracePeriodSeconds = want.HealthCheckGracePeriodSeconds
	}
	if !sameDeployment(s.DeploymentConfiguration, want.DeploymentConfiguration) {
		differs("replaces its tasks %s, and is to do so %s", deploymentWords(s.DeploymentConfiguration), deploymentWords(want.DeploymentConfiguration))
		in.DeploymentConfiguration = want.DeploymentConfiguration
	}
	if s.EnableExecuteCommand {
		differs("lets commands be run in its containers")
		in.EnableExecuteCommand = aws.Bool(false)
	}
	if !changed {
		in = nil
	}
	return out, in
}

// serviceMending says which tasks ECS still replaces in a service that is to run what it was made from.
func serviceMending(definition string, s types.Service) []string {
	if text(s.TaskDefinition) != definition {
		return nil
	}
	var out []string
	for _, d := range s.Deployments {
		if text(d.TaskDefinition) != definition && d.RunningCount+d.PendingCount > 0 {
			out = append(out, fmt.Sprintf("service %q still has %d tasks of task definition %q", text(s.ServiceName), d.RunningCount+d.PendingCount, shortARN(text(d.TaskDefinition))))
		}
	}
	return out
}

func samePlace(a, b *types.NetworkConfiguration) bool {
	if a == nil || a.AwsvpcConfiguration == nil {
		return false
	}
	x, y := a.AwsvpcConfiguration, b.AwsvpcConfiguration
	return sameSet(x.Subnets, y.Subnets) && sameSet(x.SecurityGroups, y.SecurityGroups) && x.AssignPublicIp == y.AssignPublicIp
}

// placeWords, groupWords and deploymentWords are what the configuration of a service says.
func placeWords(n *types.NetworkConfiguration) string {
	if n == nil || n.AwsvpcConfiguration == nil {
		return "no subnets"
	}
	v := n.AwsvpcConfiguration
	out := fmt.Sprintf("%s with %s", strings.Join(slices.Sorted(slices.Values(v.Subnets)), " "), strings.Join(slices.Sorted(slices.Values(v.SecurityGroups)), " "))
	if v.AssignPublicIp == types.AssignPublicIpEnabled {
		out += " and public addresses"
	}
	return out
}

func groupWords(all []types.LoadBalancer) string {
	var out []string
	for _, b := range all {
		out = append(out, fmt.Sprintf("%s at port %d", groupDimension(text(b.TargetGroupArn)), aws.ToInt32(b.ContainerPort)))
	}
	if len(out) == 0 {
		return "no target group"
	}
	return strings.Join(out, " and ")
}

func deploymentWords(d *types.DeploymentConfiguration) string {
	if d == nil {
		return "as ECS likes"
	}
	out := fmt.Sprintf("with %d to %d percent of them", aws.ToInt32(d.MinimumHealthyPercent), aws.ToInt32(d.MaximumPercent))
	if b := d.DeploymentCircuitBreaker; b != nil && b.Enable {
		out += " and a circuit breaker"
	}
	return out
}

func sameDeployment(a, b *types.DeploymentConfiguration) bool {
	if a == nil {
		return false
	}
	breaks := a.DeploymentCircuitBreaker != nil && a.DeploymentCircuitBreaker.Enable
	return !breaks && aws.ToInt32(a.MinimumHealthyPercent) == aws.ToInt32(b.MinimumHealthyPercent) && aws.ToInt32(a.MaximumPercent) == aws.ToInt32(b.MaximumPercent)
}

// shortARN is the end of an ARN, which names the thing.
func shortARN(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }
