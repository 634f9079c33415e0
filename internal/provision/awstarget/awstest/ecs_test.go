package awstest

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// TestAServiceLives follows a service from its making to its end, behind a load balancer.
func TestAServiceLives(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	group, definition := s.group("web"), s.define("v1", "well:1")
	if err := s.serve("web", definition, group, 2); err == nil {
		t.Fatal("a service was made though no load balancer leads to its target group")
	}
	rule, err := s.elb.CreateRule(t.Context(), &elb.CreateRuleInput{
		ListenerArn: &s.listener, Priority: aws.Int32(1), Conditions: []elbtypes.RuleCondition{{Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: []string{"*.elb.amazonaws.com"}}}},
		Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &group}},
	})
	s.ok(err)
	if status, _ := s.get("http://" + s.name); status != 503 {
		t.Errorf("a group without targets answers %d, want 503", status)
	}
	s.ok(s.serve("web", definition, group, 2))
	s.ok(s.serve("web", definition, group, 2)) // by its token
	s.until("a steady state", func() (string, bool) {
		web := s.service("web")
		return fmt.Sprint(web.Deployments[0].RolloutState, web.RunningCount), web.Deployments[0].RolloutState == ecstypes.DeploymentRolloutStateCompleted && web.RunningCount == 2
	})
	if tasks := s.tasks("web", ""); len(tasks) != 2 || aws.ToString(tasks[0].StartedBy) != aws.ToString(s.service("web").Deployments[0].Id) {
		t.Errorf("the service's tasks are %+v", tasks)
	}
	if got := s.states(group); got != "[healthy healthy]" {
		t.Errorf("the targets are %s", got)
	}
	if status, body := s.get("http://" + s.name); status != 200 || body != "v1" {
		t.Errorf("the front door answers %d %q", status, body)
	}
	entrance := s.secure("shop.example.com", group)
	if status, body := s.get("https://www.shop.example.com"); status != 200 || body != "v1" {
		t.Errorf("the front door answers %d %q over TLS", status, body)
	}
	_, err = s.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("shop"), Service: aws.String("web"), DesiredCount: aws.Int32(1)})
	s.ok(err)
	s.until("one target", func() (string, bool) { got := s.states(group); return got, got == "[healthy]" })
	_, err = s.elb.ModifyTargetGroupAttributes(t.Context(), &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: &group, Attributes: []elbtypes.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("3599")}}})
	s.ok(err)
	_, err = s.ecs.DeleteService(t.Context(), &ecs.DeleteServiceInput{Cluster: aws.String("shop"), Service: aws.String("web"), Force: aws.Bool(true)})
	s.ok(err)
	s.until("a target that drains", func() (string, bool) { got := s.states(group); return got, got == "[draining]" })
	if err := s.serve("web", definition, group, 1); err == nil {
		t.Error("the name of a draining service can be used")
	}
	if _, err := s.ecs.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("shop")}); err == nil {
		t.Error("a cluster with a service can be deleted")
	}
	_, err = s.elb.DeleteListener(t.Context(), &elb.DeleteListenerInput{ListenerArn: entrance})
	s.ok(err)
	_, err = s.elb.DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: rule.Rules[0].RuleArn})
	s.ok(err)
	// In no rule any more, it has nothing to wait for.
	s.until("the end of the service", func() (string, bool) {
		status := aws.ToString(s.service("web").Status)
		return status, status == "INACTIVE"
	})
	if got := s.states(group); got != "[]" {
		t.Errorf("left in the group: %s", got)
	}
	_, err = s.ecs.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("shop")})
	s.ok(err)
}

// secure adds an entrance over TLS for a domain and the names in it.
func (s *shop) secure(domain, group string) (listener *string) {
	s.Helper()
	certificate, err := acm.NewFromConfig(config(s.Account)).RequestCertificate(s.Context(), &acm.RequestCertificateInput{DomainName: &domain, SubjectAlternativeNames: []string{"*." + domain}, ValidationMethod: acmtypes.ValidationMethodDns})
	s.ok(err)
	made, err := s.elb.CreateListener(s.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: &s.balancer, Port: aws.Int32(443), Protocol: elbtypes.ProtocolEnumHttps, Certificates: []elbtypes.Certificate{{CertificateArn: certificate.CertificateArn}},
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &group}},
	})
	s.ok(err)
	names := route53.NewFromConfig(config(s.Account))
	zone := HostedZone(s, config(s.Account), "example.com")
	_, err = names.ChangeResourceRecordSets(s.Context(), &route53.ChangeResourceRecordSetsInput{HostedZoneId: &zone, ChangeBatch: &route53types.ChangeBatch{Changes: []route53types.Change{{
		Action: route53types.ChangeActionCreate, ResourceRecordSet: &route53types.ResourceRecordSet{Name: aws.String("*." + domain), Type: route53types.RRTypeA, AliasTarget: &route53types.AliasTarget{DNSName: &s.name, HostedZoneId: aws.String("Z1")}},
	}}}})
	s.ok(err)
	return made.Listeners[0].ListenerArn
}

// states are those of a group's targets.
func (s *shop) states(group string) string {
	s.Helper()
	out, err := s.elb.DescribeTargetHealth(s.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &group})
	s.ok(err)
	states := []elbtypes.TargetHealthStateEnum{}
	for _, h := range out.TargetHealthDescriptions {
		states = append(states, h.TargetHealth.State)
	}
	return fmt.Sprint(states)
}

func TestTasksRunAndEnd(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	run := func(token, definition string) (ecstypes.Task, error) {
		out, err := s.ecs.RunTask(t.Context(), &ecs.RunTaskInput{
			Cluster: aws.String("shop"), TaskDefinition: &definition, LaunchType: ecstypes.LaunchTypeFargate, NetworkConfiguration: s.network, ClientToken: &token,
			Overrides: &ecstypes.TaskOverride{ContainerOverrides: []ecstypes.ContainerOverride{{Name: aws.String("main"), Environment: []ecstypes.KeyValuePair{{Name: aws.String("A"), Value: aws.String("b")}}}}},
		})
		if err != nil {
			return ecstypes.Task{}, err
		}
		return out.Tasks[0], nil
	}
	ended := func(arn *string) (task ecstypes.Task) {
		s.until("the end of a task", func() (string, bool) {
			out, err := s.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("shop"), Tasks: []string{*arn}})
			s.ok(err)
			task = out.Tasks[0]
			return aws.ToString(task.LastStatus), aws.ToString(task.LastStatus) == "STOPPED"
		})
		return task
	}
	own, foreign := s.secret("shop/own", `{"code":5}`), s.secret("other/own", "5")
	from := func(arn *string, rest string) []ecstypes.Secret {
		return []ecstypes.Secret{{Name: aws.String("CODE"), ValueFrom: aws.String(*arn + rest)}}
	}
	s.Account.Run("coded", func(_ context.Context, c *Container) int { return len(c.Environment["CODE"]) })
	for _, c := range []struct {
		name, definition string
		exit             int32 // -1 for none
		code             ecstypes.TaskStopCode
	}{
		{"passes", s.define("passes", "exit:1"), 0, ecstypes.TaskStopCodeEssentialContainerExited},
		{"fails", s.define("fails", "exit:1", "3"), 3, ecstypes.TaskStopCodeEssentialContainerExited},
		{"has no image", s.define("no-image", "nothing:1"), -1, ecstypes.TaskStopCodeTaskFailedToStart},
		{"has no such command", s.define("no-command", "exit:1", "/missing"), -1, ecstypes.TaskStopCodeTaskFailedToStart},
		{"gets a secret", s.defineWith(from(own, ":code::"), "secret", "coded:1"), 1, ecstypes.TaskStopCodeEssentialContainerExited},
		{"asks for a member that is not there", s.defineWith(from(own, ":other::"), "member", "coded:1"), -1, ecstypes.TaskStopCodeTaskFailedToStart},
		{"asks for a secret that its role may not read", s.defineWith(from(foreign, ""), "foreign", "coded:1"), -1, ecstypes.TaskStopCodeTaskFailedToStart},
	} {
		begun, err := run(c.name, c.definition)
		s.ok(err)
		task := ended(begun.TaskArn)
		if exit := task.Containers[0].ExitCode; task.StopCode != c.code || aws.ToString(task.StoppedReason) == "" || (exit != nil) != (c.exit >= 0) || exit != nil && *exit != c.exit {
			t.Errorf("a task that %s ended as %s with %v: %s", c.name, task.StopCode, aws.ToInt32(exit), aws.ToString(task.StoppedReason))
		}
	}
	logs, err := s.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/shop")})
	s.ok(err)
	if len(logs.Events) != 2 {
		t.Errorf("the log has %d lines, want that of each task that ran", len(logs.Events))
	}

	hangs := s.define("hangs", "hang:1")
	first, err := run("once", hangs)
	s.ok(err)
	if again, err := run("once", hangs); err != nil || *again.TaskArn != *first.TaskArn {
		t.Errorf("the same token started %v, error %v", again, err)
	}
	if _, err := run("once", s.define("other", "hang:1")); err == nil {
		t.Error("the token was good for other parameters")
	}
	_, err = s.ecs.StopTask(t.Context(), &ecs.StopTaskInput{Cluster: aws.String("shop"), Task: first.TaskArn})
	s.ok(err)
	if task := ended(first.TaskArn); task.StopCode != ecstypes.TaskStopCodeUserInitiated {
		t.Errorf("a stopped task ended as %s", task.StopCode)
	}

	s.ok(s.serve("crash", s.define("crash", "crash:1"), "", 1))
	s.until("three ends", func() (string, bool) {
		n := len(s.tasks("crash", ecstypes.DesiredStatusStopped))
		return fmt.Sprint(n), n >= 3
	})
}
