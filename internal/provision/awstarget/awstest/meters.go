package awstest

import (
	"math"
	"slices"
	"sync"
	"time"
)

// MeterPeriod is how often load balancers tell what they counted, which is once a minute on AWS.
const MeterPeriod = time.Second

// sample is what became of one request.
type sample struct {
	at              time.Time
	balancer, group string
	// status is the target's, took how long it took to answer. Where the load balancer itself
	// answered refused is its status; unreached says that it could not connect to the target.
	status, refused int
	unreached       bool
	took            time.Duration
}

// meters are what load balancers measure: "CloudWatch metrics for your Application Load
// Balancer".
type meters struct {
	mu      sync.Mutex
	samples []sample
}

func (m *meters) count(s sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples, s)
}

// bucket is a period and the values of a metric in it.
type bucket struct {
	at     time.Time
	values []float64
}

// buckets are the periods that begin from a time on and before another, with the values that
// value finds in the samples of a load balancer and of a target group, "" for any. What was not
// told yet is missing.
func (m *meters) buckets(balancer, group string, from, to time.Time, period time.Duration, value func(sample) (float64, bool)) []bucket {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []bucket
	now := time.Now()
	for _, s := range m.samples {
		at := s.at.Truncate(period)
		v, ok := value(s)
		if !ok || balancer != "" && lastResource(s.balancer) != balancer || group != "" && lastResource(s.group) != group || at.Before(from) || !at.Before(to) || s.at.Truncate(MeterPeriod).Add(MeterPeriod).After(now) {
			continue
		}
		i := slices.IndexFunc(all, func(b bucket) bool { return b.at.Equal(at) })
		if i < 0 {
			all, i = append(all, bucket{at: at}), len(all)
		}
		all[i].values = append(all[i].values, v)
	}
	slices.SortFunc(all, func(x, y bucket) int { return x.at.Compare(y.at) })
	return all
}

// statistic is one of CloudWatch's: "CloudWatch statistics definitions". It says whether it is
// known here.
func (b bucket) statistic(name string) (float64, bool) {
	slices.Sort(b.values)
	sum := 0.0
	for _, v := range b.values {
		sum += v
	}
	n := len(b.values)
	switch name {
	case "Sum":
		return sum, true
	case "SampleCount":
		return float64(n), true
	case "Average":
		return sum / float64(n), true
	case "Minimum":
		return b.values[0], true
	case "Maximum":
		return b.values[n-1], true
	}
	p, ok := percentile(name)
	if !ok {
		return 0, false
	}
	return b.values[max(0, int(math.Ceil(p/100*float64(n)))-1)], true
}
