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
		differs("runs in other subnets or with other security groups than were asked for")
		in.NetworkConfiguration = want.NetworkConfiguration
	}
	if !slices.EqualFunc(s.LoadBalancers, want.LoadBalancers, func(a, b types.LoadBalancer) bool {
		return text(a.TargetGroupArn) == text(b.TargetGroupArn) && text(a.ContainerName) == text(b.ContainerName) && aws.ToInt32(a.ContainerPort) == aws.ToInt32(b.ContainerPort)
	}) {
		differs("is the target of another group")
		in.LoadBalancers = want.LoadBalancers
	}
	if want.HealthCheckGracePeriodSeconds != nil && aws.ToInt32(s.HealthCheckGracePeriodSeconds) != graceSeconds {
		differs("gives a task %d seconds to become healthy, and is to give %d", aws.ToInt32(s.HealthCheckGracePeriodSeconds), graceSeconds)
		in.HealthCheckGracePeriodSeconds = want.HealthCheckGracePeriodSeconds
	}
	if !sameDeployment(s.DeploymentConfiguration, want.DeploymentConfiguration) {
		differs("replaces its tasks otherwise: at least 100 and at most 200 percent, and no rollback of ECS's own, were asked for")
		in.DeploymentConfiguration = want.DeploymentConfiguration
	}
	if s.EnableExecuteCommand {
		differs("lets commands be run in its containers")
		in.EnableExecuteCommand = aws.Bool(false)
	}
	if !changed {
		in = nil
		for _, d := range s.Deployments {
			if text(d.TaskDefinition) != *want.TaskDefinition && d.RunningCount+d.PendingCount > 0 {
				out = append(out, fmt.Sprintf("service %q still has tasks of task definition %q", name, shortARN(text(d.TaskDefinition))))
			}
		}
	}
	return out, in
}

func samePlace(a, b *types.NetworkConfiguration) bool {
	if a == nil || a.AwsvpcConfiguration == nil {
		return false
	}
	x, y := a.AwsvpcConfiguration, b.AwsvpcConfiguration
	return sameSet(x.Subnets, y.Subnets) && sameSet(x.SecurityGroups, y.SecurityGroups) && x.AssignPublicIp == y.AssignPublicIp
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
