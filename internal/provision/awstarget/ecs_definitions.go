package awstarget

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// program is what a container runs, of a component or of a task.
type program struct {
	image                string
	command              []string
	environment, secrets map[string]string
}

// base is what every container of a slot is told; what the user configured comes on top.
func (w *slotWork) base(release string, color target.Color) map[string]string {
	return map[string]string{
		"SLIPWAY_RELEASE":     release,
		"SLIPWAY_REGION":      w.spec.Region,
		"SLIPWAY_ENVIRONMENT": w.spec.Name,
		"SLIPWAY_KIND":        w.spec.Kind,
		"SLIPWAY_SLOT":        w.id.Name,
		"SLIPWAY_COLOR":       string(color),
		"SLIPWAY_DOMAIN_NAME": w.spec.DomainName,
	}
}

// accountsVariable names the beginning of the names of the secrets with the accounts' databases
// and credentials; it is on aws what SLIPWAY_ACCOUNTS_DIR is on local.
const accountsVariable = "SLIPWAY_ACCOUNTS_SECRETS"

func (w *slotWork) accountsPrefix() string { return w.secretsPrefix() + "accounts/" }

// container describes the only container of a task.
func (w *slotWork) container(name string, p program, own map[string]string, streams string) types.ContainerDefinition {
	variables := map[string]string{}
	for _, of := range []map[string]string{own, p.environment} {
		for k, v := range of {
			variables[k] = v
		}
	}
	return types.ContainerDefinition{
		Name: &name, Image: &p.image, Command: p.command, Essential: aws.Bool(true),
		Environment: tagList(variables, func(k, v string) types.KeyValuePair { return types.KeyValuePair{Name: &k, Value: &v} }),
		Secrets:     tagList(p.secrets, func(k, v string) types.Secret { return types.Secret{Name: &k, ValueFrom: &v} }),
		LogConfiguration: &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
			"awslogs-group": w.logGroup(), "awslogs-region": w.clients.region, "awslogs-stream-prefix": streams,
		}},
	}
}

// definition is the task definition of a component.
func (w *slotWork) definition(of *seat, component string) *ecs.RegisterTaskDefinitionInput {
	d := of.Spec.Definition.Expand()
	c, p := d.Components[component], of.unit(component)
	own := w.base(d.Release, of.Spec.Color)
	own["SLIPWAY_COMPONENT"], own["PORT"], own[accountsVariable] = component, strconv.Itoa(port(c)), w.accountsPrefix()
	container := w.container(component, program{c.Image, c.Command, c.Environment, c.Secrets}, own, p.streams())
	stop := int32(c.StopTimeout() / time.Second)
	container.StopTimeout = &stop
	if !c.Worker() || c.HealthCheck != nil {
		container.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(int32(port(c))), Protocol: types.TransportProtocolTcp}}
	}
	if c.Worker() && c.HealthCheck != nil {
		container.HealthCheck = containerCheck(*c.HealthCheck, port(c))
	}
	in := w.fargate(p.family(), container, c.CPU, c.MemoryMiB, w.placeTags(p.mark(), &of.Spec, component))
	in.TaskRoleArn = aws.String(w.roleARN(roleTask))
	return in
}

// containerCheck is the check of what no load balancer looks at. It runs in the container, whose
// image must have a shell and curl or wget for it. Until it first passes, ECS leaves the task alone for as long as
// it can: else it would end what is not up after a few checks, for ever, and nobody could see why.
func containerCheck(h target.HealthCheck, port int) *types.HealthCheck {
	url := strings.ReplaceAll(fmt.Sprintf("http://127.0.0.1:%d%s", port, h.Path), "'", `'\''`) // between single quotes
	return &types.HealthCheck{
		Command:  []string{"CMD-SHELL", fmt.Sprintf("curl -fsS -o /dev/null '%s' || wget -q -O /dev/null '%s' || exit 1", url, url)},
		Interval: aws.Int32(int32(min(max(5, h.IntervalSeconds), 300))),
		Timeout:  aws.Int32(int32(min(max(2, h.TimeoutSeconds), 60))),
		Retries:  aws.Int32(int32(min(max(1, h.UnhealthyThreshold), 10))),

		StartPeriod: aws.Int32(longestStartPeriod),
	}
}

// longestStartPeriod is in seconds (HealthCheck).
const longestStartPeriod = 300

// fargate is a task definition of one container.
func (w *slotWork) fargate(family string, c types.ContainerDefinition, cpu, memory int, tags map[string]string) *ecs.RegisterTaskDefinitionInput {
	cpu, memory, _ = size(cpu, memory)
	return &ecs.RegisterTaskDefinitionInput{
		Family: &family, NetworkMode: types.NetworkModeAwsvpc, RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		Cpu: aws.String(strconv.Itoa(cpu)), Memory: aws.String(strconv.Itoa(memory)),
		ExecutionRoleArn:     aws.String(w.roleARN(roleExecution)),
		ContainerDefinitions: []types.ContainerDefinition{c},
		Tags:                 ecsTags(tags),
	}
}

func ecsTags(tags map[string]string) []types.Tag {
	return tagList(tags, func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })
}

// roleARN names a role of the environment.
func (n *noun) roleARN(role string) string {
	return "arn:" + n.clients.partition + ":iam::" + n.clients.account + ":role" + rolePath + n.roleName(role)
}

// findDefinitions are the revisions of a family that are in a state, the newest first.
func findDefinitions(ctx context.Context, c *clients, family string, state types.TaskDefinitionStatus) ([]string, error) {
	var all []string
	pages := ecs.NewListTaskDefinitionsPaginator(c.ecs, &ecs.ListTaskDefinitionsInput{FamilyPrefix: &family, Status: state, Sort: types.SortOrderDesc})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "find task definition %q", family)
		}
		all = append(all, page.TaskDefinitionArns...)
	}
	return all, nil
}

// register makes a task definition and returns its ARN. ECS makes another revision each time it
// is asked: one that is there is of the same stack or task and is taken.
func (w *slotWork) register(ctx context.Context, family string, describe func() (*ecs.RegisterTaskDefinitionInput, error)) (string, error) {
	has, err := findDefinitions(ctx, w.clients, family, types.TaskDefinitionStatusActive)
	if err != nil {
		return "", err
	}
	if len(has) > 0 {
		return has[0], nil
	}
	in, err := describe()
	if err != nil {
		return "", err
	}
	if err := w.fence(ctx); err != nil {
		return "", err
	}
	ctx, cancel := uninterrupted(ctx)
	defer cancel()
	out, err := w.clients.ecs.RegisterTaskDefinition(ctx, in, func(o *ecs.Options) { o.Retryer = unlessThrottled(o.Retryer) })
	if err != nil {
		return "", failed(err, "register task definition %q", family)
	}
	return text(out.TaskDefinition.TaskDefinitionArn), nil
}

// deregister removes all revisions of a family: each must be inactive first.
func (w *slotWork) deregister(ctx context.Context, family string) error {
	active, err := findDefinitions(ctx, w.clients, family, types.TaskDefinitionStatusActive)
	if err != nil {
		return err
	}
	if err := w.fence(ctx); err != nil {
		return err
	}
	for _, arn := range active {
		if _, err := w.clients.ecs.DeregisterTaskDefinition(ctx, &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &arn}); err != nil {
			return failed(err, "deregister task definition %q", arn)
		}
	}
	inactive, err := findDefinitions(ctx, w.clients, family, types.TaskDefinitionStatusInactive)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(inactive, maxDefinitions) {
		out, err := w.clients.ecs.DeleteTaskDefinitions(ctx, &ecs.DeleteTaskDefinitionsInput{TaskDefinitions: some})
		if err != nil {
			return failed(err, "delete task definition %q", family)
		}
		for _, f := range out.Failures {
			return target.Errorf(target.ErrUnavailable, "ECS did not delete task definition %q: %s %s", text(f.Arn), text(f.Reason), text(f.Detail))
		}
	}
	return nil
}

// maxDefinitions is how many one call deletes (DeleteTaskDefinitions).
const maxDefinitions = 10
