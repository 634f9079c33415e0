package awstest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// step checks the targets whose time has come, and forgets those that have drained.
func (b *balancing) step() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	for k, m := range b.targets {
		switch {
		case !m.gone.IsZero() && now.After(m.gone):
			delete(b.targets, k)
		case m.checking || now.Before(m.next):
		default:
			m.checking = true
			b.goroutines.Go(func() { b.look(k, m) })
		}
	}
}

// look checks a target once, or learns how long it has to drain: in a group that no rule leads to, or none
// any more, a target is not in use, and there is nothing that anybody waits for ("Target health status").
func (b *balancing) look(k targetKey, m *registered) {
	g, used, err := b.settings(m.region, k.group)
	var result checked
	if err == nil && used && b.state(k) != drainingTarget {
		result = check(b.running, g, m.reach(k.port))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m.checking, m.next = false, time.Now().Add(faster(30))
	switch {
	case err != nil: // moto has no such group, or the account has ended
	case !m.deregistered.IsZero():
		m.gone, m.next = m.deregistered.Add(faster(g.deregistration)), time.Time{}
		if !used {
			m.gone = time.Now()
		}
	case !used:
		m.state, m.reason, m.description = unusedTarget, types.TargetHealthReasonEnumNotInUse, "Target group is not configured to receive traffic from the load balancer"
		m.next = time.Time{}
	default:
		m.next = time.Now().Add(faster(aws.ToInt32(g.HealthCheckIntervalSeconds)))
		m.judge(g, result)
	}
}

// checked is the result of a check: the status of an answer, or why there was none.
type checked struct {
	status int
	err    error
}

// check asks a target for its health as its group says.
func check(ctx context.Context, g *groupSettings, address string) checked {
	if address == "" {
		return checked{err: errors.New("connection refused")}
	}
	// The limit is not made shorter: a slow machine is no slow container.
	ctx, cancel := context.WithTimeout(ctx, time.Duration(aws.ToInt32(g.HealthCheckTimeoutSeconds))*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+aws.ToString(g.HealthCheckPath), nil)
	if err != nil {
		return checked{err: err}
	}
	r.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return checked{err: err}
	}
	return checked{status: answer.StatusCode, err: answer.Body.Close()}
}

// judge counts a check. A new target is healthy after one that passes; otherwise the group's
// thresholds decide: "Health check settings".
func (m *registered) judge(g *groupSettings, c checked) {
	if c.err == nil && g.passes(c.status) {
		m.passes, m.fails = m.passes+1, 0
		if m.state != unhealthyTarget || m.passes >= aws.ToInt32(g.HealthyThresholdCount) {
			m.state, m.reason, m.description = healthyTarget, "", ""
		}
		return
	}
	m.passes, m.fails = 0, m.fails+1
	if m.fails >= aws.ToInt32(g.UnhealthyThresholdCount) {
		m.state = unhealthyTarget
	} else if m.state == initialTarget || m.state == unusedTarget {
		m.state, m.reason, m.description = initialTarget, types.TargetHealthReasonEnumInitialHealthChecking, "Initial health checks in progress"
		return
	}
	if m.state != unhealthyTarget {
		return
	}
	m.reason, m.description = types.TargetHealthReasonEnumFailedHealthChecks, "Health checks failed"
	switch {
	case c.err == nil:
		m.reason, m.description = types.TargetHealthReasonEnumResponseCodeMismatch, fmt.Sprintf("Health checks failed with these codes: [%d]", c.status)
	case errors.Is(c.err, context.DeadlineExceeded):
		m.reason, m.description = types.TargetHealthReasonEnumTimeout, "Request timed out"
	}
}

// settings are a target group's, and whether a listener leads to it.
func (b *balancing) settings(region, group string) (*groupSettings, bool, error) {
	routes, err := b.routing(region)
	if err != nil {
		return nil, false, err
	}
	b.mu.Lock()
	g, changes := b.groups[group], b.groupChanges
	b.mu.Unlock()
	if g != nil {
		return g, routes.uses(group), nil
	}
	client := elb.NewFromConfig(b.config(region))
	groups, err := client.DescribeTargetGroups(b.running, &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{group}})
	if err != nil {
		return nil, false, err
	}
	attributes, err := client.DescribeTargetGroupAttributes(b.running, &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: &group})
	if err != nil {
		return nil, false, err
	}
	g = &groupSettings{TargetGroup: groups.TargetGroups[0], deregistration: 300}
	for _, a := range attributes.Attributes {
		if aws.ToString(a.Key) == "deregistration_delay.timeout_seconds" {
			if _, err := fmt.Sscan(aws.ToString(a.Value), &g.deregistration); err != nil {
				return nil, false, err
			}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.groupChanges == changes {
		b.groups[group] = g
	}
	return g, routes.uses(group), nil
}

// associated refuses a target group that no load balancer uses (CreateService).
func (b *balancing) associated(region, group string) error {
	_, used, err := b.settings(region, group)
	if err != nil {
		return refuse("InvalidParameterException", "Unable to find target group %s: %v", group, err)
	}
	if !used {
		return refuse("InvalidParameterException", "The target group with targetGroupArn %s does not have an associated load balancer.", group)
	}
	return nil
}
