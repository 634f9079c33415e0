package awstarget

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// metric is what is asked of CloudWatch about each target group, or about the load balancer ("CloudWatch
// metrics for your Application Load Balancer").
type metric struct {
	name, statistic string
	// add adds a minute's value to what a stack answered; several components are one stack.
	add func(t *tally, v float64)
}

var metrics = []metric{
	{"RequestCount", "Sum", func(t *tally, v float64) { t.Requests += int64(v) }},
	{"HTTPCode_Target_2XX_Count", "Sum", func(t *tally, v float64) { t.answered += int64(v) }},
	{"HTTPCode_Target_3XX_Count", "Sum", func(t *tally, v float64) { t.answered += int64(v) }},
	{"HTTPCode_Target_4XX_Count", "Sum", func(t *tally, v float64) { t.answered += int64(v) }},
	{"HTTPCode_Target_5XX_Count", "Sum", func(t *tally, v float64) { t.Errors, t.answered = t.Errors+int64(v), t.answered+int64(v) }},
	{"TargetConnectionErrorCount", "Sum", func(t *tally, v float64) { t.Errors, t.unreached = t.Errors+int64(v), t.unreached+int64(v) }},
	{"TargetResponseTime", "p50", func(t *tally, v float64) { t.P50Milliseconds = max(t.P50Milliseconds, 1000*v) }},
	{"TargetResponseTime", "p99", func(t *tally, v float64) { t.P99Milliseconds = max(t.P99Milliseconds, 1000*v) }},
}

// ownMetrics are of the load balancer: what it answered itself since a target closed the connection, or
// did not answer in time. It does not tell whose target that was.
var ownMetrics = []metric{
	{"HTTPCode_ELB_502_Count", "Sum", func(t *tally, v float64) { t.own += int64(v) }},
	{"HTTPCode_ELB_504_Count", "Sum", func(t *tally, v float64) { t.own += int64(v) }},
}

// tally is what was counted of a stack: of its requests those that its targets answered, and those that
// reached none. Own is of the load balancer, of all stacks that it leads to.
type tally struct {
	target.Measurement
	answered, unreached, own int64
}

// tallies are by the colour of a stack; that of the load balancer is by none.
type tallies map[target.Color]*tally

func (all tallies) of(c target.Color) *tally {
	if all[c] == nil {
		all[c] = &tally{}
	}
	return all[c]
}

// measurements are what the stacks with requests answered in a time. A request that a target took and did
// not answer is a stream, or one of a client that left, or one that the load balancer answered itself.
func (all tallies) measurements(begin, end time.Time) map[target.Color]target.Measurement {
	out, own := map[target.Color]target.Measurement{}, all.of("").own
	for _, t := range all {
		own -= t.unreached // which it answers so too
	}
	for c, t := range all {
		if t.Requests == 0 {
			continue
		}
		t.From, t.To = begin, end
		t.Unclear, t.MayHaveFailed = max(0, t.Requests-t.answered-t.unreached), max(0, own)
		out[c] = t.Measurement
	}
	return out
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
	all := tallies{}
	for some := range slices.Chunk(queries, maxQueries) {
		pages := cloudwatch.NewGetMetricDataPaginator(w.clients.metrics, &cloudwatch.GetMetricDataInput{
			StartTime: &begin, EndTime: &end, MetricDataQueries: some, ScanBy: types.ScanByTimestampAscending,
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, failed(err, "measure slot %q", w.id)
			}
			for _, r := range page.MetricDataResults {
				about, ok := of[text(r.Id)]
				for _, v := range r.Values {
					if ok {
						about.add(all.of(about.color), v)
					}
				}
			}
		}
	}
	return all.measurements(begin, end), nil
}

// maxQueries is how many metrics one call asks for (GetMetricData).
const maxQueries = 500

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

// queries ask for every metric of every target group of the slot, and for those of the load balancer where
// there is any.
func (w *slotWork) queries(balancer string, period int32) ([]types.MetricDataQuery, map[string]about) {
	var all []types.MetricDataQuery
	of := map[string]about{}
	ask := func(c target.Color, some []metric, by ...types.Dimension) {
		by = append(by, types.Dimension{Name: aws.String("LoadBalancer"), Value: &balancer})
		for _, m := range some {
			id := fmt.Sprintf("m%d", len(all))
			of[id] = about{m, c}
			all = append(all, types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
				Period: &period, Stat: aws.String(m.statistic),
				Metric: &types.Metric{Namespace: aws.String("AWS/ApplicationELB"), MetricName: aws.String(m.name), Dimensions: by},
			}})
		}
	}
	for _, c := range target.SortedKeys(w.state.Seats) {
		groups := w.state.Seats[c].TargetGroups
		for _, name := range target.SortedKeys(groups) {
			ask(c, metrics, types.Dimension{Name: aws.String("TargetGroup"), Value: aws.String(groupDimension(groups[name]))})
		}
	}
	if len(all) > 0 {
		ask("", ownMetrics)
	}
	return all, of
}
