package awstest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// cloudWatch answers for CloudWatch, in CBOR: the SDK speaks nothing else, and moto not that.
// The metrics are those of load balancers and ECS services.
type cloudWatch struct {
	*cloud
	meters    *meters
	balancing *balancing
	fleet     *fleet

	mu         sync.Mutex
	dashboards map[string]dashboard
	alarms     map[inRegion]types.MetricAlarm
}

// inRegion is a name in an AWS region.
type inRegion struct{ region, name string }

func newCloudWatch(c *cloud, b *balancing, f *fleet) *cloudWatch {
	return &cloudWatch{
		cloud: c, meters: b.meters, balancing: b, fleet: f,
		dashboards: map[string]dashboard{}, alarms: map[inRegion]types.MetricAlarm{},
	}
}

type cloudWatchCall func(w *cloudWatch, ctx context.Context, c Call) (any, error)

var cloudWatchCalls = map[string]cloudWatchCall{
	"GetMetricData":    (*cloudWatch).metricData,
	"PutDashboard":     (*cloudWatch).putDashboard,
	"GetDashboard":     (*cloudWatch).getDashboard,
	"ListDashboards":   (*cloudWatch).listDashboards,
	"DeleteDashboards": (*cloudWatch).deleteDashboards,
	"PutMetricAlarm":   (*cloudWatch).putAlarm,
	"DescribeAlarms":   (*cloudWatch).describeAlarms,
	"DeleteAlarms":     (*cloudWatch).deleteAlarms,
}

func (cw *cloudWatch) piece(c Call, _ http.Handler) http.Handler {
	if c.Service != "monitoring" || !c.CBOR {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call, ok := cloudWatchCalls[c.Operation]
		if !ok {
			c.send(w, nil, refuse("UnknownOperationException", "%s is not played here", c.Operation))
			return
		}
		out, err := call(cw, context.WithoutCancel(r.Context()), c)
		c.send(w, out, err)
	})
}

// metricData follows GetMetricData. Periods begin with whole ones; one without requests has no
// value.
func (cw *cloudWatch) metricData(_ context.Context, c Call) (any, error) {
	var in cloudwatch.GetMetricDataInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.StartTime == nil || in.EndTime == nil || !in.StartTime.Before(*in.EndTime) || len(in.MetricDataQueries) > 500 {
		return nil, refuse("ValidationError", "The start must be before the end, and there may be 500 queries")
	}
	out := &cloudwatch.GetMetricDataOutput{}
	for _, q := range in.MetricDataQueries {
		if q.MetricStat == nil || q.MetricStat.Metric == nil {
			return nil, refuse("ValidationError", "Expressions are not played here: %s", aws.ToString(q.Id))
		}
		if aws.ToInt32(q.MetricStat.Period) < 1 {
			return nil, refuse("ValidationError", "The period of %s is less than a second", aws.ToString(q.Id))
		}
		points := cw.points(c.Region, q.MetricStat, *in.StartTime, *in.EndTime)
		result := types.MetricDataResult{Id: q.Id, Label: q.MetricStat.Metric.MetricName, StatusCode: types.StatusCodeComplete}
		if q.Label != nil {
			result.Label = q.Label
		}
		if in.ScanBy != types.ScanByTimestampAscending {
			slices.Reverse(points)
		}
		for _, b := range points {
			v, ok := b.statistic(aws.ToString(q.MetricStat.Stat))
			if !ok {
				return nil, refuse("ValidationError", "The statistic %q is not known here", aws.ToString(q.MetricStat.Stat))
			}
			result.Timestamps, result.Values = append(result.Timestamps, b.at), append(result.Values, v)
		}
		out.MetricDataResults = append(out.MetricDataResults, result)
	}
	return out, nil
}

// points are the values of a metric.
func (cw *cloudWatch) points(region string, stat *types.MetricStat, from, to time.Time) []bucket {
	dimensions := map[string]string{}
	for _, d := range stat.Metric.Dimensions {
		dimensions[aws.ToString(d.Name)] = aws.ToString(d.Value)
	}
	if !reported(aws.ToString(stat.Metric.Namespace), aws.ToString(stat.Metric.MetricName), slices.Collect(maps.Keys(dimensions))) {
		return nil
	}
	period, name := time.Duration(aws.ToInt32(stat.Period))*time.Second, aws.ToString(stat.Metric.MetricName)
	now := time.Now()
	lately := func(v float64) []bucket {
		at := now.Truncate(period)
		if at.Before(from) || !at.Before(to) {
			return nil
		}
		return []bucket{{at: at, values: []float64{v}}}
	}
	switch aws.ToString(stat.Metric.Namespace) + " " + name {
	case "AWS/ApplicationELB HealthyHostCount", "AWS/ApplicationELB UnHealthyHostCount":
		healthy, others := cw.balancing.hosts(dimensions["TargetGroup"])
		if name == "UnHealthyHostCount" {
			healthy = others
		}
		return lately(float64(healthy))
	case "AWS/ECS CPUUtilization", "AWS/ECS MemoryUtilization":
		if resource := "service/" + dimensions["ClusterName"] + "/" + dimensions["ServiceName"]; cw.fleet.alive(region, resource) {
			return lately(10)
		}
		return nil
	}
	if aws.ToString(stat.Metric.Namespace) != "AWS/ApplicationELB" {
		return nil
	}
	value := requestMetric(name)
	if name == "RequestCountPerTarget" {
		value = func(s sample) (float64, bool) {
			healthy, _ := cw.balancing.hosts(lastResource(s.group))
			return 1 / float64(max(1, healthy)), s.status > 0
		}
	}
	return cw.meters.buckets(dimensions["LoadBalancer"], dimensions["TargetGroup"], from, to, period, value)
}

// reported says whether a metric is reported by just these dimensions, but for zones: it is another
// metric with others, of which there is never any data ("CloudWatch metrics for your Application Load
// Balancer", "Amazon ECS CloudWatch metrics").
func reported(namespace, name string, by []string) bool {
	slices.Sort(by)
	both := []string{"LoadBalancer", "TargetGroup"}
	for _, of := range []struct {
		namespace, name string // how the metric's name begins
		by              [][]string
	}{
		{"AWS/ECS", "", [][]string{{"ClusterName"}, {"ClusterName", "ServiceName"}}},
		{"AWS/ApplicationELB", "HealthyHostCount", [][]string{both}},
		{"AWS/ApplicationELB", "UnHealthyHostCount", [][]string{both}},
		{"AWS/ApplicationELB", "RequestCountPerTarget", [][]string{{"TargetGroup"}, both}},
		{"AWS/ApplicationELB", "HTTPCode_ELB_", [][]string{{"LoadBalancer"}}},
		{"AWS/ApplicationELB", "", [][]string{{"LoadBalancer"}, both}},
	} {
		if namespace == of.namespace && strings.HasPrefix(name, of.name) {
			return slices.ContainsFunc(of.by, func(set []string) bool { return slices.Equal(set, by) })
		}
	}
	return true
}

// requestMetric finds the value that a request adds to a metric.
func requestMetric(name string) func(sample) (float64, bool) {
	return func(s sample) (float64, bool) {
		class, isClass := strings.CutPrefix(name, "HTTPCode_Target_")
		own, isOwn := strings.CutPrefix(name, "HTTPCode_ELB_")
		switch {
		case name == "RequestCount":
			return 1, s.status > 0 || s.refused == http.StatusBadGateway || s.refused == clientLeft // a target was chosen
		case name == "TargetConnectionErrorCount":
			return 1, s.unreached
		case name == "TargetResponseTime":
			return s.took.Seconds(), s.status > 0
		case isClass:
			return 1, class == fmt.Sprintf("%dXX_Count", s.status/100)
		case isOwn:
			return 1, s.refused > 0 && (own == fmt.Sprintf("%dXX_Count", s.refused/100) || own == fmt.Sprintf("%d_Count", s.refused))
		}
		return 0, false
	}
}

// percentile is 99.9 for "p99.9".
func percentile(statistic string) (float64, bool) {
	text, ok := strings.CutPrefix(statistic, "p")
	p, err := strconv.ParseFloat(text, 64)
	return p, ok && err == nil && p > 0 && p <= 100
}

// lastResource is what metrics call a load balancer or target group: the end of its ARN, without
// "loadbalancer/".
func lastResource(arn string) string {
	return strings.TrimPrefix(arn[strings.LastIndex(arn, ":")+1:], "loadbalancer/")
}
