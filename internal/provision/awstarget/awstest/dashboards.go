package awstest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// dashboard is a dashboard; they belong to no AWS region.
type dashboard struct {
	body string
	types.DashboardEntry
}

// putDashboard follows PutDashboard: the body is a JSON object with "widgets".
func (cw *cloudWatch) putDashboard(_ context.Context, c Call) (any, error) {
	var in cloudwatch.PutDashboardInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	var body struct{ Widgets []map[string]any }
	if err := json.Unmarshal([]byte(aws.ToString(in.DashboardBody)), &body); err != nil || body.Widgets == nil {
		return nil, refuse("DashboardInvalidInputError", "The dashboard body is invalid: it is no object with widgets")
	}
	cw.mu.Lock()
	defer cw.mu.Unlock()
	now := time.Now()
	cw.dashboards[*in.DashboardName] = dashboard{*in.DashboardBody, types.DashboardEntry{
		DashboardName: in.DashboardName, DashboardArn: aws.String("arn:aws:cloudwatch::" + cw.account + ":dashboard/" + *in.DashboardName),
		LastModified: &now, Size: aws.Int64(int64(len(*in.DashboardBody))),
	}}
	return &cloudwatch.PutDashboardOutput{}, nil
}

func (cw *cloudWatch) getDashboard(_ context.Context, c Call) (any, error) {
	var in cloudwatch.GetDashboardInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	cw.mu.Lock()
	defer cw.mu.Unlock()
	d, ok := cw.dashboards[aws.ToString(in.DashboardName)]
	if !ok {
		return nil, refuse("DashboardNotFoundError", "Dashboard %s does not exist", aws.ToString(in.DashboardName))
	}
	return &cloudwatch.GetDashboardOutput{DashboardName: d.DashboardName, DashboardArn: d.DashboardArn, DashboardBody: &d.body}, nil
}

func (cw *cloudWatch) listDashboards(_ context.Context, c Call) (any, error) {
	var in cloudwatch.ListDashboardsInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	cw.mu.Lock()
	defer cw.mu.Unlock()
	out := &cloudwatch.ListDashboardsOutput{}
	for name, d := range cw.dashboards {
		if strings.HasPrefix(name, aws.ToString(in.DashboardNamePrefix)) {
			out.DashboardEntries = append(out.DashboardEntries, d.DashboardEntry)
		}
	}
	slices.SortFunc(out.DashboardEntries, func(x, y types.DashboardEntry) int {
		return strings.Compare(*x.DashboardName, *y.DashboardName)
	})
	return out, nil
}

// deleteDashboards removes all or, where one is not there, none.
func (cw *cloudWatch) deleteDashboards(_ context.Context, c Call) (any, error) {
	var in cloudwatch.DeleteDashboardsInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	cw.mu.Lock()
	defer cw.mu.Unlock()
	for _, name := range in.DashboardNames {
		if _, ok := cw.dashboards[name]; !ok {
			return nil, refuse("DashboardNotFoundError", "Dashboard %s does not exist", name)
		}
	}
	for _, name := range in.DashboardNames {
		delete(cw.dashboards, name)
	}
	return &cloudwatch.DeleteDashboardsOutput{}, nil
}

// putAlarm keeps an alarm; nothing lets it ring.
func (cw *cloudWatch) putAlarm(_ context.Context, c Call) (any, error) {
	var alarm types.MetricAlarm // has the members of PutMetricAlarm's input
	if err := c.read(&alarm); err != nil {
		return nil, err
	}
	cw.mu.Lock()
	defer cw.mu.Unlock()
	now := time.Now()
	alarm.AlarmArn, alarm.AlarmConfigurationUpdatedTimestamp = aws.String("arn:aws:cloudwatch:"+c.Region+":"+cw.account+":alarm:"+*alarm.AlarmName), &now
	alarm.StateValue, alarm.StateUpdatedTimestamp = types.StateValueInsufficientData, &now
	cw.alarms[inRegion{c.Region, *alarm.AlarmName}] = alarm
	return &cloudwatch.PutMetricAlarmOutput{}, nil
}

func (cw *cloudWatch) describeAlarms(_ context.Context, c Call) (any, error) {
	var in cloudwatch.DescribeAlarmsInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	cw.mu.Lock()
	defer cw.mu.Unlock()
	out := &cloudwatch.DescribeAlarmsOutput{}
	for k, a := range cw.alarms {
		if k.region == c.Region && strings.HasPrefix(k.name, aws.ToString(in.AlarmNamePrefix)) && (in.AlarmNames == nil || slices.Contains(in.AlarmNames, k.name)) {
			out.MetricAlarms = append(out.MetricAlarms, a)
		}
	}
	slices.SortFunc(out.MetricAlarms, func(x, y types.MetricAlarm) int { return strings.Compare(*x.AlarmName, *y.AlarmName) })
	return out, nil
}

func (cw *cloudWatch) deleteAlarms(_ context.Context, c Call) (any, error) {
	var in cloudwatch.DeleteAlarmsInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	cw.mu.Lock()
	defer cw.mu.Unlock()
	for _, name := range in.AlarmNames {
		delete(cw.alarms, inRegion{c.Region, name})
	}
	return &cloudwatch.DeleteAlarmsOutput{}, nil
}

// plainDashboards lists the dashboards of an emulator that writes their times in CBOR as nobody
// reads them, by way of JSON.
func plainDashboards(c Call, emulator http.Handler) http.Handler {
	if c.Service != "monitoring" || c.Operation != "ListDashboards" {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := ask(r.Context(), emulator, c, "application/x-amz-json-1.0", "GraniteServiceVersion20100801.ListDashboards", "{}")
		var out struct {
			DashboardEntries []struct{ DashboardName string }
		}
		err := json.Unmarshal(answer.Body.Bytes(), &out)
		all := &cloudwatch.ListDashboardsOutput{}
		for _, d := range out.DashboardEntries {
			all.DashboardEntries = append(all.DashboardEntries, types.DashboardEntry{DashboardName: &d.DashboardName})
		}
		c.send(w, all, err)
	})
}
