package awstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func TestServicesAreScaled(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	client, resource := aas.NewFromConfig(config(s.Account)), aws.String("service/shop/worker")
	ecs, count := types.ServiceNamespaceEcs, types.ScalableDimensionECSServiceDesiredCount
	register := func(least, most int32) error {
		_, err := client.RegisterScalableTarget(t.Context(), &aas.RegisterScalableTargetInput{ServiceNamespace: ecs, ScalableDimension: count, ResourceId: resource, MinCapacity: &least, MaxCapacity: &most})
		return err
	}
	schedule := func(name, schedule string) error {
		_, err := client.PutScheduledAction(t.Context(), &aas.PutScheduledActionInput{
			ServiceNamespace: ecs, ScalableDimension: count, ResourceId: resource, ScheduledActionName: &name, Schedule: &schedule,
			ScalableTargetAction: &types.ScalableTargetAction{MinCapacity: aws.Int32(0), MaxCapacity: aws.Int32(0)},
		})
		return err
	}
	desired := func(want int32) {
		t.Helper()
		if got := s.service("worker").DesiredCount; got != want {
			t.Errorf("the desired count is %d, want %d", got, want)
		}
	}
	if err := register(1, 2); err == nil {
		t.Error("a service that does not exist was registered")
	}
	s.ok(s.serve("worker", s.define("worker", "worker:1"), "", 1))
	s.ok(register(2, 3))
	desired(2)
	s.Scale("eu-central-1", *resource, 5)
	desired(2) // there is no policy
	_, err := client.PutScalingPolicy(t.Context(), &aas.PutScalingPolicyInput{
		ServiceNamespace: ecs, ScalableDimension: count, ResourceId: resource, PolicyName: aws.String("cpu"), PolicyType: types.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &types.TargetTrackingScalingPolicyConfiguration{TargetValue: aws.Float64(60), PredefinedMetricSpecification: &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricTypeECSServiceAverageCPUUtilization}},
	})
	s.ok(err)
	s.Scale("eu-central-1", *resource, 5)
	desired(3)

	for _, bad := range []string{"at(2020-01-01T00:00:00)", "at(tomorrow)", "cron(0 8 * * *)", "cron(0 8 * * * *)", "cron(0 24 * * ? *)", "rate(1 minutes)", "daily"} {
		if err := schedule("bad", bad); err == nil {
			t.Errorf("the schedule %s was taken", bad)
		}
	}
	s.ok(schedule("daily", "cron(30 7 ? * MON-FRI *)"))
	s.ok(schedule("retire", time.Now().UTC().Format("at(2006-01-02T15:04:05)")))
	s.until("the scheduled end", func() (string, bool) {
		web := s.service("worker")
		return fmt.Sprint(web.RunningCount), web.DesiredCount == 0 && web.RunningCount == 0
	})
	targets, err := client.DescribeScalableTargets(t.Context(), &aas.DescribeScalableTargetsInput{ServiceNamespace: ecs, ResourceIds: []string{*resource}})
	s.ok(err)
	if got := targets.ScalableTargets[0]; *got.MinCapacity != 0 || *got.MaxCapacity != 0 {
		t.Errorf("the action left %d to %d", *got.MinCapacity, *got.MaxCapacity)
	}
	done, err := client.DescribeScalingActivities(t.Context(), &aas.DescribeScalingActivitiesInput{ServiceNamespace: ecs, ResourceId: resource})
	s.ok(err)
	if n := len(done.ScalingActivities); n != 4 || aws.ToString(done.ScalingActivities[0].Cause) != "scheduled action name retire was triggered" {
		t.Errorf("the %d activities begin with %+v", n, done.ScalingActivities[0])
	}
	s.ok(register(1, 1))
	desired(1)
	_, err = client.DeregisterScalableTarget(t.Context(), &aas.DeregisterScalableTargetInput{ServiceNamespace: ecs, ScalableDimension: count, ResourceId: resource})
	s.ok(err)
	actions, err := client.DescribeScheduledActions(t.Context(), &aas.DescribeScheduledActionsInput{ServiceNamespace: ecs})
	s.ok(err)
	if n := len(actions.ScheduledActions); n > 0 {
		t.Errorf("%d scheduled actions are left", n)
	}
}

func TestSchedulesTellTheNextTime(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 26, 7, 30, 10, 0, time.UTC) // a Thursday
	for _, c := range []struct{ schedule, zone, want string }{
		{"at(2026-11-26T07:30:11)", "UTC", "2026-11-26T07:30:11Z"},
		{"at(2026-11-26T08:00:00)", "Europe/Berlin", "0001-01-01T00:00:00Z"},
		{"rate(2 hours)", "UTC", "2026-11-26T09:30:10Z"},
		{"cron(30 7 ? * MON-FRI *)", "UTC", "2026-11-27T07:30:00Z"},
		{"cron(31,45 7 ? * THU *)", "UTC", "2026-11-26T07:31:00Z"},
		{"cron(0 9 1 * ? *)", "Europe/Berlin", "2026-12-01T08:00:00Z"},
		{"cron(0/15 * * * ? 2027)", "UTC", "2027-01-01T00:00:00Z"},
	} {
		s, err := parseSchedule(c.schedule, c.zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.after(from).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s comes at %s, want %s", c.schedule, got, c.want)
		}
	}
}

func TestCloudWatchAnswers(t *testing.T) {
	t.Parallel()
	a := New(t)
	client := cloudwatch.NewFromConfig(config(a))
	balancer, group := "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/front/1", "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/web/2"
	began := time.Now().Truncate(MeterPeriod)
	for i, status := range []int{200, 200, 200, 500} {
		a.balancing.meters.count(sample{at: began.Add(-2 * MeterPeriod), balancer: balancer, group: group, status: status, took: time.Duration(i+1) * time.Second})
	}
	a.balancing.meters.count(sample{at: began.Add(-MeterPeriod), balancer: balancer, group: group, refused: 502})
	query := func(metric, stat string) cloudwatchtypes.MetricDataQuery {
		return cloudwatchtypes.MetricDataQuery{Id: aws.String("m"), MetricStat: &cloudwatchtypes.MetricStat{Period: aws.Int32(1), Stat: &stat, Metric: &cloudwatchtypes.Metric{
			Namespace: aws.String("AWS/ApplicationELB"), MetricName: &metric,
			Dimensions: []cloudwatchtypes.Dimension{{Name: aws.String("LoadBalancer"), Value: aws.String("app/front/1")}, {Name: aws.String("TargetGroup"), Value: aws.String("targetgroup/web/2")}},
		}}}
	}
	by := func(q cloudwatchtypes.MetricDataQuery, which int) cloudwatchtypes.MetricDataQuery { // the first, or the second dimension alone
		q.MetricStat.Metric.Dimensions = q.MetricStat.Metric.Dimensions[which-1 : which]
		return q
	}
	out, err := client.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{StartTime: aws.Time(began.Add(-2 * MeterPeriod)), EndTime: aws.Time(began.Add(time.Minute)), MetricDataQueries: []cloudwatchtypes.MetricDataQuery{
		query("RequestCount", "Sum"), query("HTTPCode_Target_5XX_Count", "Sum"), query("TargetResponseTime", "p50"), query("TargetResponseTime", "p99"), query("HTTPCode_ELB_502_Count", "Sum"), query("Other", "Sum"),
		by(query("HTTPCode_ELB_502_Count", "Sum"), 1), by(query("RequestCountPerTarget", "Sum"), 2), by(query("TargetResponseTime", "p99"), 2), by(query("TargetResponseTime", "p99"), 1),
		query("TargetConnectionErrorCount", "Sum"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got [][]float64
	for _, r := range out.MetricDataResults {
		got = append(got, r.Values)
	}
	if want := "[[1 4] [1] [2] [4] [] [] [1] [4] [] [4] []]"; fmt.Sprint(got) != want {
		t.Errorf("the values are %v, want %s", got, want)
	}
	if at := out.MetricDataResults[0].Timestamps[1]; !at.Equal(began.Add(-2 * MeterPeriod)) {
		t.Errorf("the first minute is %s, want %s", at, began.Add(-2*MeterPeriod))
	}
	if _, err := client.PutDashboard(t.Context(), &cloudwatch.PutDashboardInput{DashboardName: aws.String("d"), DashboardBody: aws.String(`{}`)}); err == nil {
		t.Error("a dashboard without widgets was taken")
	}
	if _, err := client.PutDashboard(t.Context(), &cloudwatch.PutDashboardInput{DashboardName: aws.String("d"), DashboardBody: aws.String(`{"widgets":[]}`)}); err != nil {
		t.Error(err)
	}
	if d, err := client.GetDashboard(t.Context(), &cloudwatch.GetDashboardInput{DashboardName: aws.String("d")}); err != nil || aws.ToString(d.DashboardBody) != `{"widgets":[]}` {
		t.Errorf("the dashboard is %+v, error %v", d, err)
	}
}
