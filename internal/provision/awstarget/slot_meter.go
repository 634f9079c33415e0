package awstarget

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// metric is what is asked of CloudWatch about each target group ("CloudWatch metrics for your
// Application Load Balancer").
type metric struct {
	name, statistic string
	// add adds a minute's value to what a stack answered; several components are one stack.
	add func(m *target.Measurement, v float64)
}

var metrics = []metric{
	{"RequestCount", "Sum", func(m *target.Measurement, v float64) { m.Requests += int64(v) }},
	{"HTTPCode_Target_5XX_Count", "Sum", func(m *target.Measurement, v float64) { m.Errors += int64(v) }},
	{"TargetConnectionErrorCount", "Sum", func(m *target.Measurement, v float64) { m.Errors += int64(v) }},
	{"TargetResponseTime", "p50", func(m *target.Measurement, v float64) { m.P50Milliseconds = max(m.P50Milliseconds, 1000*v) }},
	{"TargetResponseTime", "p99", func(m *target.Measurement, v float64) { m.P99Milliseconds = max(m.P99Milliseconds, 1000*v) }},
}

// Measure implements target.Meters. A load balancer counts by the minute and tells it a minute or
// two later: the minute that a time is in is left out, and what is not known yet is not covered.
// The quantiles of a time are the highest of its minutes and components.
func (t *Target) Measure(ctx context.Context, id target.SlotID, from time.Time) (map[target.Color]target.Measurement, error) {
	w, err := t.openSlot(ctx, id)
	if err != nil {
		return nil, err
	}
	begin, end := t.metered(from, t.now())
	if len(w.state.Seats) == 0 || !begin.Before(end) {
		return map[target.Color]target.Measurement{}, nil
	}
	// CloudWatch bills by the metric that is asked for, and tells of a period when it is over.
	key := fmt.Sprint(id, begin, end, w.version)
	sums, err := t.measured.get(key, t.now(), t.period/4, func() (map[target.Color]target.Measurement, error) {
		return w.measure(ctx, begin, end)
	})
	return maps.Clone(sums), err
}

// measure asks CloudWatch what the stacks answered in a time.
func (w *slotWork) measure(ctx context.Context, begin, end time.Time) (map[target.Color]target.Measurement, error) {
	t := w.target
	e, err := w.entrances(ctx)
	if err != nil {
		return nil, err
	}
	queries, of := w.queries(balancerDimension(text(e.balancer.LoadBalancerArn)), int32(t.period/time.Second))
	if len(queries) == 0 {
		return map[target.Color]target.Measurement{}, nil
	}
	sums := map[target.Color]target.Measurement{}
	pages := cloudwatch.NewGetMetricDataPaginator(w.clients.metrics, &cloudwatch.GetMetricDataInput{
		StartTime: &begin, EndTime: &end, MetricDataQueries: queries, ScanBy: types.ScanByTimestampAscending,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "measure slot %q", w.id)
		}
		for _, r := range page.MetricDataResults {
			about, ok := of[text(r.Id)]
			if !ok {
				continue
			}
			m := sums[about.color]
			for _, v := range r.Values {
				about.add(&m, v)
			}
			sums[about.color] = m
		}
	}
	for c, m := range sums {
		if m.Requests == 0 {
			delete(sums, c)
			continue
		}
		m.From, m.To = begin, end
		sums[c] = m
	}
	return sums, nil
}

// metered is what of a time CloudWatch can tell now.
func (t *Target) metered(from, now time.Time) (begin, end time.Time) {
	begin = from.UTC().Truncate(t.period)
	if begin.Before(from) {
		begin = begin.Add(t.period)
	}
	return begin, now.Add(-meterDelay * t.period).Truncate(t.period)
}

// meterDelay is how many periods CloudWatch may take to tell of one.
const meterDelay = 2

// Judged implements target.LateMeters: the period that a share begins in is left out, and of the last
// ones nothing is known yet.
func (t *Target) Judged(held time.Duration) time.Duration {
	return max(0, held.Truncate(t.period)-(meterDelay+1)*t.period)
}

// MeteredWithin implements target.LateMeters: a whole period, between two that are begun.
func (t *Target) MeteredWithin() time.Duration { return (meterDelay + 2) * t.period }

// about is what a query's values are about.
type about struct {
	metric
	color target.Color
}

// queries ask for every metric of every target group of the slot; 500 fit into a call, which are
// fifty components in each seat.
func (w *slotWork) queries(balancer string, period int32) ([]types.MetricDataQuery, map[string]about) {
	var all []types.MetricDataQuery
	of := map[string]about{}
	for _, c := range target.SortedKeys(w.state.Seats) {
		groups := w.state.Seats[c].TargetGroups
		for _, name := range target.SortedKeys(groups) {
			for _, m := range metrics {
				id := fmt.Sprintf("m%d", len(all))
				of[id] = about{m, c}
				all = append(all, types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
					Period: &period, Stat: aws.String(m.statistic),
					Metric: &types.Metric{Namespace: aws.String("AWS/ApplicationELB"), MetricName: aws.String(m.name), Dimensions: []types.Dimension{
						{Name: aws.String("TargetGroup"), Value: aws.String(groupDimension(groups[name]))},
						{Name: aws.String("LoadBalancer"), Value: &balancer},
					}},
				}})
			}
		}
	}
	return all, of
}
