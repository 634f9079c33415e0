package awstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
)

// task is a task with what DescribeTasks tells of it.
type task struct {
	types.Task
	place   place
	service *ecsService // nil for one of RunTask
	// definition is of the one container that is played here: the first.
	definition types.ContainerDefinition
	container  *Container
	// executionRole is what gets its secrets and writes its log.
	executionRole string
	network       network
	address       string

	process *process
	targets []targetKey
	// killAt is when the process is ended that did not end by itself.
	killAt time.Time
	// noted says that its service has seen its end.
	noted bool
}

func (t *task) id() string       { return lastPart(aws.ToString(t.TaskArn)) }
func (t *task) is(s string) bool { return aws.ToString(t.LastStatus) == s }
func (t *task) stopped() bool    { return t.is(stopped) }
func (t *task) wanted() bool     { return aws.ToString(t.DesiredStatus) == running }

// network is where tasks are.
type network struct {
	subnets, zones, groups []string
}

// network looks up what a network configuration names.
func (f *fleet) network(ctx context.Context, region string, c *types.NetworkConfiguration) (network, error) {
	if c == nil || c.AwsvpcConfiguration == nil || len(c.AwsvpcConfiguration.Subnets) == 0 {
		return network{}, refuse("InvalidParameterException", "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	}
	v := c.AwsvpcConfiguration
	n := network{subnets: v.Subnets, groups: v.SecurityGroups}
	client := ec2.NewFromConfig(f.config(region))
	subnets, err := client.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: v.Subnets})
	if err != nil {
		return n, refuse("InvalidParameterException", "The subnets are not there: %v", err)
	}
	for _, s := range subnets.Subnets {
		n.zones = append(n.zones, aws.ToString(s.AvailabilityZone))
	}
	if len(v.SecurityGroups) > 0 {
		if _, err := client.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: v.SecurityGroups}); err != nil {
			return n, refuse("InvalidParameterException", "The security groups are not there: %v", err)
		}
	}
	return n, nil
}

// definition is a task definition that can be used.
func (f *fleet) definition(ctx context.Context, region string, name *string) (types.TaskDefinition, error) {
	out, err := ecs.NewFromConfig(f.config(region)).DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: name})
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return types.TaskDefinition{}, refuse("ClientException", "TaskDefinition not found.")
	}
	if err != nil {
		return types.TaskDefinition{}, err
	}
	if out.TaskDefinition.Status == types.TaskDefinitionStatusInactive {
		return types.TaskDefinition{}, refuse("ClientException", "TaskDefinition is inactive")
	}
	out.TaskDefinition.RequiresAttributes = nil
	return *out.TaskDefinition, nil
}

// newTask makes a task that is about to start.
func (f *fleet) newTask(at place, d types.TaskDefinition, n network) *task {
	now := time.Now()
	f.addresses++
	t := &task{place: at, definition: d.ContainerDefinitions[0], network: n, address: fmt.Sprintf("10.255.%d.%d", f.addresses/250, f.addresses%250+4)}
	t.Task = types.Task{
		TaskArn: f.arn(at, "task", identifier(16)), ClusterArn: aws.String(fmt.Sprintf("arn:aws:ecs:%s:%s:cluster/%s", at.region, f.account, at.cluster)),
		TaskDefinitionArn: d.TaskDefinitionArn, LastStatus: aws.String("PROVISIONING"), DesiredStatus: aws.String(running), CreatedAt: &now,
		AvailabilityZone: aws.String(n.zones[f.addresses%len(n.zones)]), Cpu: d.Cpu, Memory: d.Memory, HealthStatus: types.HealthStatusUnknown,
		LaunchType: types.LaunchTypeFargate, PlatformVersion: aws.String("1.4.0"), PlatformFamily: aws.String("Linux"), Connectivity: types.ConnectivityConnected, Version: 1,
		Attachments: []types.Attachment{{
			Id: aws.String(identifier(16)), Type: aws.String("ElasticNetworkInterface"), Status: aws.String("ATTACHED"),
			Details: []types.KeyValuePair{
				{Name: aws.String("subnetId"), Value: &n.subnets[f.addresses%len(n.subnets)]},
				{Name: aws.String("networkInterfaceId"), Value: aws.String("eni-" + identifier(8))},
				{Name: aws.String("privateIPv4Address"), Value: &t.address},
			},
		}},
	}
	for _, c := range d.ContainerDefinitions {
		t.Containers = append(t.Containers, types.Container{
			ContainerArn: f.arn(at, "container", t.id()+"/"+identifier(8)), Name: c.Name, Image: c.Image, TaskArn: t.TaskArn, LastStatus: aws.String("PENDING"), HealthStatus: types.HealthStatusUnknown,
			NetworkInterfaces: []types.NetworkInterface{{PrivateIpv4Address: &t.address}},
		})
	}
	t.container, t.executionRole = containerOf(t.definition), aws.ToString(d.ExecutionRoleArn)
	f.tasks = append(f.tasks, t)
	return t
}

func containerOf(d types.ContainerDefinition) *Container {
	c := &Container{Image: aws.ToString(d.Image), Command: slices.Concat(d.EntryPoint, d.Command), Environment: map[string]string{}}
	for _, v := range d.Environment {
		c.Environment[aws.ToString(v.Name)] = aws.ToString(v.Value)
	}
	for _, p := range d.PortMappings {
		c.Ports = append(c.Ports, aws.ToInt32(p.ContainerPort))
	}
	return c
}

// describeTasks takes a hundred ids or ARNs.
func (f *fleet) describeTasks(_ context.Context, c Call) (any, error) {
	var in ecs.DescribeTasksInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if len(in.Tasks) > 100 {
		return nil, refuse("InvalidParameterException", "Tasks cannot be more than 100.")
	}
	out, at := &ecs.DescribeTasksOutput{}, place{c.Region, nameOfCluster(in.Cluster)}
	for _, asked := range in.Tasks {
		t := f.task(at, asked)
		if t == nil {
			out.Failures = append(out.Failures, types.Failure{Arn: f.arn(at, "task", lastPart(asked)), Reason: aws.String("MISSING")})
			continue
		}
		shown := t.Task
		if !slices.Contains(in.Include, types.TaskFieldTags) {
			shown.Tags = nil
		}
		out.Tasks = append(out.Tasks, shown)
	}
	return out, nil
}

func (f *fleet) task(at place, name string) *task {
	for _, t := range f.tasks {
		if t.place == at && t.id() == lastPart(name) {
			return t
		}
	}
	return nil
}

// listTasks lists those that are wanted to run unless asked for others.
func (f *fleet) listTasks(ctx context.Context, c Call) (any, error) {
	var in ecs.ListTasksInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if _, err := f.cluster(ctx, c.Region, in.Cluster); err != nil {
		return nil, err
	}
	at, desired := place{c.Region, nameOfCluster(in.Cluster)}, string(in.DesiredStatus)
	if desired == "" {
		desired = running
	}
	if in.ServiceName != nil && f.service(at, in.ServiceName) == nil {
		return nil, refuse("ServiceNotFoundException", "Service not found.")
	}
	var all []string
	for _, t := range f.tasks {
		if t.place == at && aws.ToString(t.DesiredStatus) == desired &&
			(in.ServiceName == nil || aws.ToString(t.Group) == "service:"+lastPart(*in.ServiceName)) &&
			(in.StartedBy == nil || aws.ToString(t.StartedBy) == *in.StartedBy) &&
			(in.Family == nil || strings.HasPrefix(lastPart(aws.ToString(t.TaskDefinitionArn)), *in.Family+":")) {
			all = append(all, aws.ToString(t.TaskArn))
		}
	}
	found, next, err := page(all, in.MaxResults, in.NextToken, 100)
	return &ecs.ListTasksOutput{TaskArns: found, NextToken: next}, err
}
