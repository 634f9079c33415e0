package awstest

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// routing is what the load balancers of an AWS region do with requests, after so many changes.
type routing struct {
	entrances []entrance
	changes   int
}

// entrance is a listener and its rules in the order of their priority; the default is last.
type entrance struct {
	balancer types.LoadBalancer
	types.Listener
	rules []types.Rule
}

// routing asks moto when something has changed; those who wait for it share the answer.
func (b *balancing) routing(region string) (*routing, error) {
	b.mu.Lock()
	routes, changes := b.routes[region], b.changes
	b.mu.Unlock()
	if routes != nil && routes.changes >= changes {
		return routes, nil
	}
	b.asking.Lock()
	defer b.asking.Unlock()
	b.mu.Lock()
	routes, now := b.routes[region], b.changes
	b.mu.Unlock()
	if routes != nil && routes.changes >= changes {
		return routes, nil
	}
	client, routes := elb.NewFromConfig(b.config(region)), &routing{changes: now}
	balancers, err := client.DescribeLoadBalancers(b.running, nil)
	if err != nil {
		return nil, err
	}
	for _, balancer := range balancers.LoadBalancers {
		listeners, err := client.DescribeListeners(b.running, &elb.DescribeListenersInput{LoadBalancerArn: balancer.LoadBalancerArn})
		if went(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, l := range listeners.Listeners {
			rules, err := client.DescribeRules(b.running, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn})
			if went(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			slices.SortFunc(rules.Rules, func(x, y types.Rule) int { return priority(x) - priority(y) })
			routes.entrances = append(routes.entrances, entrance{balancer: balancer, Listener: l, rules: rules.Rules})
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.routes[region] = routes
	return routes, nil
}

// went says whether something was removed between the question before and this one.
func went(err error) bool {
	var balancer *types.LoadBalancerNotFoundException
	var listener *types.ListenerNotFoundException
	return errors.As(err, &balancer) || errors.As(err, &listener)
}

func priority(r types.Rule) int {
	n, err := strconv.Atoi(aws.ToString(r.Priority))
	if err != nil {
		return 1 << 20 // "default"
	}
	return n
}

// uses says whether a rule leads to a target group, with whatever weight.
func (r *routing) uses(group string) bool {
	for _, e := range r.entrances {
		for _, rule := range e.rules {
			for _, a := range rule.Actions {
				if slices.ContainsFunc(tuples(a), func(t types.TargetGroupTuple) bool { return aws.ToString(t.TargetGroupArn) == group }) {
					return true
				}
			}
		}
	}
	return false
}

// tuples are the groups that an action forwards to.
func tuples(a types.Action) []types.TargetGroupTuple {
	switch {
	case a.Type != types.ActionTypeEnumForward:
		return nil
	case a.ForwardConfig != nil && len(a.ForwardConfig.TargetGroups) > 0:
		return a.ForwardConfig.TargetGroups
	}
	return []types.TargetGroupTuple{{TargetGroupArn: a.TargetGroupArn, Weight: aws.Int32(1)}}
}

// asks is what of a request conditions look at.
type asks struct {
	host, path, method string
	header             func(string) string
}

// matches says whether all conditions of a rule hold: "Condition types for listener rules".
func matches(r types.Rule, a asks) bool {
	for _, c := range r.Conditions {
		var patterns []string
		value, fold := "", false
		switch aws.ToString(c.Field) {
		case "host-header":
			value, patterns, fold = a.host, c.Values, true
			if c.HostHeaderConfig != nil {
				patterns = c.HostHeaderConfig.Values
			}
		case "path-pattern":
			value, patterns = a.path, c.Values
			if c.PathPatternConfig != nil {
				patterns = c.PathPatternConfig.Values
			}
		case "http-header":
			value, patterns, fold = a.header(aws.ToString(c.HttpHeaderConfig.HttpHeaderName)), c.HttpHeaderConfig.Values, true
		case "http-request-method":
			value, patterns = a.method, c.HttpRequestMethodConfig.Values
		case "source-ip":
			continue // everybody is within every block here
		}
		if !slices.ContainsFunc(patterns, func(p string) bool {
			if fold {
				return like(strings.ToLower(p), strings.ToLower(value))
			}
			return like(p, value)
		}) {
			return false
		}
	}
	return true
}

// like matches "*" to anything and "?" to one character.
func like(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return like(pattern[1:], text) || text != "" && like(pattern, text[1:])
	}
	return text != "" && (pattern[0] == '?' || pattern[0] == text[0]) && like(pattern[1:], text[1:])
}
