package awstarget

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// TestWhatALoadBalancerAnswersItselfIsMeasured counts a minute in which the green stack's instances crash.
func TestWhatALoadBalancerAnswersItselfIsMeasured(t *testing.T) {
	t.Parallel()
	all := tallies{}
	count := func(c target.Color, some []metric, values map[string]float64) {
		for _, m := range some {
			m.add(all.of(c), values[m.name])
		}
	}
	count(target.Blue, metrics, map[string]float64{"RequestCount": 90, "HTTPCode_Target_2XX_Count": 60, "HTTPCode_Target_3XX_Count": 20, "HTTPCode_Target_4XX_Count": 10})
	count(target.Green, metrics, map[string]float64{
		"RequestCount": 40, "HTTPCode_Target_2XX_Count": 20, "HTTPCode_Target_5XX_Count": 3, "TargetConnectionErrorCount": 2, "TargetResponseTime": 0.25,
	})
	count("", ownMetrics, map[string]float64{"HTTPCode_ELB_502_Count": 10, "HTTPCode_ELB_504_Count": 4})
	want := map[target.Color]target.Measurement{
		target.Blue:  {From: noon, To: second(60), Requests: 90, MayHaveFailed: 12},
		target.Green: {From: noon, To: second(60), Requests: 40, Errors: 5, P50Milliseconds: 250, P99Milliseconds: 250, Unclear: 15, MayHaveFailed: 12},
	}
	if diff := cmp.Diff(want, all.measurements(noon, noon.Add(time.Minute))); diff != "" {
		t.Errorf("measured (-want +got):\n%s", diff)
	}
}
