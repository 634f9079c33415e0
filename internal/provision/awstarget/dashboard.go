package awstarget

import (
	"context"
	"fmt"
	"reflect"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// dashboard is drawn from top to bottom, in 24 columns ("Dashboard body structure and syntax").
type dashboard struct {
	region, balancer string
	y                int
	widgets          []map[string]any
}

// line is one line of a chart.
type line struct {
	label, namespace, metric, statistic string
	dimensions                          []string // names and values in turn
}

func (d *dashboard) text(markdown string, height int) {
	d.widgets = append(d.widgets, map[string]any{
		"type": "text", "x": 0, "y": d.y, "width": 24, "height": height, "properties": map[string]any{"markdown": markdown},
	})
	d.y += height
}

// chart is one of four beside each other.
func (d *dashboard) chart(column int, title string, lines []line) {
	const width, height, period = 6, 6, 60
	metrics := []any{}
	for _, l := range lines {
		m := []any{l.namespace, l.metric}
		for _, v := range l.dimensions {
			m = append(m, v)
		}
		metrics = append(metrics, append(m, map[string]any{"label": l.label, "stat": l.statistic}))
	}
	d.widgets = append(d.widgets, map[string]any{
		"type": "metric", "x": column * width, "y": d.y, "width": width, "height": height,
		"properties": map[string]any{"title": title, "region": d.region, "view": "timeSeries", "period": period, "metrics": metrics, "yAxis": map[string]any{"left": map[string]any{"min": 0}}},
	})
	if column == 3 {
		d.y += height
	}
}

// entrance is what the load balancer and the database cluster say of the environment as a whole.
func (d *dashboard) entrance(cluster string) {
	balancer := func(label, metric string) line {
		return line{label, "AWS/ApplicationELB", metric, "Sum", []string{"LoadBalancer", d.balancer}}
	}
	database := func(label, metric, statistic string) line {
		return line{label, "AWS/RDS", metric, statistic, []string{"DBClusterIdentifier", cluster}}
	}
	d.chart(0, "Requests", []line{balancer("requests", "RequestCount"), balancer("new connections", "NewConnectionCount")})
	d.chart(1, "Errors", []line{balancer("of stacks", "HTTPCode_Target_5XX_Count"), balancer("of the load balancer", "HTTPCode_ELB_5XX_Count")})
	d.chart(2, "Database capacity (units)", []line{database("average", "ServerlessDatabaseCapacity", "Average"), database("most", "ServerlessDatabaseCapacity", "Maximum")})
	d.chart(3, "Database connections", []line{database("connections", "DatabaseConnections", "Sum")})
}

// slotCharts are what is shown of every stack, the live one beside the candidate or fallback.
var slotCharts = []struct{ title, metric, statistic string }{
	{"Requests", "RequestCount", "Sum"},
	{"Answers 5xx", "HTTPCode_Target_5XX_Count", "Sum"},
	{"p99 (seconds)", "TargetResponseTime", "p99"},
	{"Healthy instances", "HealthyHostCount", "Minimum"},
}

func (d *dashboard) slot(name string, s slotState) {
	shown := s.shown()
	if len(shown) == 0 {
		return
	}
	d.text("### Slot "+name, 1)
	for column, c := range slotCharts {
		var lines []line
		for _, v := range shown {
			for _, component := range target.SortedKeys(v.groups) {
				lines = append(lines, line{
					fmt.Sprintf("%s %s: %s", v.role, v.release, component), "AWS/ApplicationELB", c.metric, c.statistic,
					[]string{"TargetGroup", groupDimension(v.groups[component]), "LoadBalancer", d.balancer},
				})
			}
		}
		d.chart(column, c.title, lines)
	}
}

// shownStack is what a dashboard shows of a stack.
type shownStack struct {
	role, release string
	groups        map[string]string
}

// shown are the stacks of a slot, the live one first. The other is a fallback where it has been
// live, and a candidate else.
func (s slotState) shown() []shownStack {
	var all []shownStack
	for _, c := range target.SortedKeys(s.Seats) {
		of, role := s.Seats[c], "candidate"
		switch {
		case len(of.TargetGroups) == 0:
			continue
		case c == s.Traffic.Color:
			role = "live"
		case of.Served:
			role = "fallback"
		}
		one := shownStack{role, of.Spec.Definition.Release, of.TargetGroups}
		if all = append(all, one); role == "live" {
			all = append([]shownStack{one}, all[:len(all)-1]...)
		}
	}
	return all
}

// redraw draws the dashboard anew where a change of the slot's stacks shows on it. It is a picture:
// where it can't be drawn the swap goes on, and the environment's next apply draws it.
func (w *slotWork) redraw(ctx context.Context, before slotState) {
	if !reflect.DeepEqual(before.shown(), w.state.shown()) {
		_ = w.draw(ctx)
	}
}
