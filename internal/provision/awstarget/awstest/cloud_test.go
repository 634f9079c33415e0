package awstest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// shop is an account with a load balancer in front of a cluster.
type shop struct {
	*testing.T
	*Account
	ecs     *ecs.Client
	elb     *elb.Client
	logs    *cloudwatchlogs.Client
	network *ecstypes.NetworkConfiguration

	vpc, name, balancer, listener string
}

func (s *shop) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func newShop(t *testing.T) *shop {
	t.Helper()
	a := New(t)
	c := config(a)
	s := &shop{T: t, Account: a, ecs: ecs.NewFromConfig(c), elb: elb.NewFromConfig(c), logs: cloudwatchlogs.NewFromConfig(c)}
	ctx, net := t.Context(), ec2.NewFromConfig(c)
	vpc, err := net.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
	s.ok(err)
	s.vpc = *vpc.Vpc.VpcId
	var subnets []string
	for zone, block := range map[string]string{"eu-central-1a": "10.0.0.0/24", "eu-central-1b": "10.0.1.0/24"} {
		made, err := net.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: &s.vpc, CidrBlock: aws.String(block), AvailabilityZone: aws.String(zone)})
		s.ok(err)
		subnets = append(subnets, *made.Subnet.SubnetId)
	}
	s.network = &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: subnets}}
	balancer, err := s.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("front"), Subnets: subnets})
	s.ok(err)
	s.balancer, s.name = *balancer.LoadBalancers[0].LoadBalancerArn, *balancer.LoadBalancers[0].DNSName
	listener, err := s.elb.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: &s.balancer, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("503"), ContentType: aws.String("text/plain")}}},
	})
	s.ok(err)
	s.listener = *listener.Listeners[0].ListenerArn
	roles, role := iam.NewFromConfig(c), aws.String("execution")
	_, err = roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: role, AssumeRolePolicyDocument: aws.String("{}")})
	s.ok(err)
	_, err = roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: aws.String("rights"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"},{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:*:*:secret:shop/*"}]}`,
	)})
	s.ok(err)
	_, err = s.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String("shop")})
	s.ok(err)
	_, err = s.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("/shop")})
	s.ok(err)
	return s
}

// define registers a task definition of a program.
func (s *shop) define(family, image string, command ...string) string {
	s.Helper()
	return s.defineWith(nil, family, image, command...)
}

// secret makes a secret and returns its ARN.
func (s *shop) secret(name, value string) *string {
	s.Helper()
	out, err := secretsmanager.NewFromConfig(config(s.Account)).CreateSecret(s.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &value})
	s.ok(err)
	return out.ARN
}

// defineWith registers a task definition of a program that gets secrets.
func (s *shop) defineWith(secrets []ecstypes.Secret, family, image string, command ...string) string {
	s.Helper()
	out, err := s.ecs.RegisterTaskDefinition(s.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: &family, ExecutionRoleArn: aws.String("arn:aws:iam::" + s.ID + ":role/execution"), Cpu: aws.String("256"), Memory: aws.String("512"), NetworkMode: ecstypes.NetworkModeAwsvpc, RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String("registry.example.com/" + image), Command: command, Secrets: secrets,
			Environment:  []ecstypes.KeyValuePair{{Name: aws.String("SLIPWAY_RELEASE"), Value: aws.String(family)}},
			PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(8080)}},
			LogConfiguration: &ecstypes.LogConfiguration{LogDriver: ecstypes.LogDriverAwslogs, Options: map[string]string{
				"awslogs-group": "/shop", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "shop",
			}},
		}},
	})
	s.ok(err)
	return *out.TaskDefinition.TaskDefinitionArn
}

// group makes a target group.
func (s *shop) group(name string) string {
	s.Helper()
	out, err := s.elb.CreateTargetGroup(s.Context(), &elb.CreateTargetGroupInput{
		Name: &name, VpcId: &s.vpc, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), TargetType: elbtypes.TargetTypeEnumIp,
		HealthCheckPath: aws.String("/healthz"), HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(4), HealthyThresholdCount: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2),
	})
	s.ok(err)
	_, err = s.elb.ModifyTargetGroupAttributes(s.Context(), &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: out.TargetGroups[0].TargetGroupArn, Attributes: []elbtypes.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("10")}},
	})
	s.ok(err)
	return *out.TargetGroups[0].TargetGroupArn
}

// serve makes a service; without a group it takes no requests.
func (s *shop) serve(name, definition, group string, n int32) error {
	in := &ecs.CreateServiceInput{
		Cluster: aws.String("shop"), ServiceName: &name, TaskDefinition: &definition, DesiredCount: &n, LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: s.network, ClientToken: aws.String("token-of-" + name),
	}
	if group != "" {
		in.HealthCheckGracePeriodSeconds = aws.Int32(3600)
		in.LoadBalancers = []ecstypes.LoadBalancer{{TargetGroupArn: &group, ContainerName: aws.String("main"), ContainerPort: aws.Int32(8080)}}
	}
	_, err := s.ecs.CreateService(s.Context(), in)
	return err
}

// service describes a service.
func (s *shop) service(name string) ecstypes.Service {
	s.Helper()
	out, err := s.ecs.DescribeServices(s.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("shop"), Services: []string{name}})
	s.ok(err)
	if len(out.Services) != 1 {
		s.Fatalf("service %s: %+v", name, out.Failures)
	}
	return out.Services[0]
}

// tasks describes the tasks of a service that are wanted, or were.
func (s *shop) tasks(name string, desired ecstypes.DesiredStatus) []ecstypes.Task {
	s.Helper()
	list, err := s.ecs.ListTasks(s.Context(), &ecs.ListTasksInput{Cluster: aws.String("shop"), ServiceName: &name, DesiredStatus: desired})
	s.ok(err)
	if len(list.TaskArns) == 0 {
		return nil
	}
	out, err := s.ecs.DescribeTasks(s.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("shop"), Tasks: list.TaskArns})
	s.ok(err)
	return out.Tasks
}

type words string

func (w words) String() string { return string(w) }

// until waits for what is to come by itself.
func (s *shop) until(awaited string, done func() (saw string, done bool)) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	_, err := wait.Until(ctx, wait.Options{Clock: wait.Real{}, First: tick, Max: 10 * tick}, func(context.Context) (words, bool, error) {
		saw, ok := done()
		return words(saw), ok, nil
	})
	if err != nil {
		s.Fatalf("waited for %s: %v", awaited, err)
	}
}

// get sends a request through the front door.
func (s *shop) get(url string) (status int, body string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, url, nil)
	s.ok(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.Authority)
	t := &http.Transport{DisableKeepAlives: true, DialContext: s.Dial, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	answer, err := t.RoundTrip(r)
	s.ok(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	s.ok(err)
	return answer.StatusCode, strings.TrimSpace(string(text))
}
