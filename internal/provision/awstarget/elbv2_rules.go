package awstarget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const errNoRule = "RuleNotFound"

// listenerRule is a rule of a listener as it is.
type listenerRule struct {
	wanted
	arn      string
	priority int
	// fallThrough is the listener's own action.
	fallThrough bool
}

// findRules describes the rules of a listener of the environment. One that is gone is looked for
// anew by whoever tries again.
func (w *slotWork) findRules(ctx context.Context, listener string) ([]listenerRule, error) {
	has, err := findRules(ctx, w.clients, listener)
	if isAbsent(err) {
		w.target.entered.drop()
		err = errors.Join(err, target.ErrUnavailable)
	}
	return has, err
}

// findRules describes the rules of a listener, of all slots.
func findRules(ctx context.Context, c *clients, listener string) ([]listenerRule, error) {
	var all []listenerRule
	pages := elb.NewDescribeRulesPaginator(c.elb, &elb.DescribeRulesInput{ListenerArn: &listener})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(absent(err, "ListenerNotFound"), "find the rules of listener %q", listener)
		}
		for _, r := range page.Rules {
			all = append(all, ruleOf(r))
		}
	}
	return all, nil
}

func ruleOf(r types.Rule) listenerRule {
	out := listenerRule{arn: text(r.RuleArn), fallThrough: aws.ToBool(r.IsDefault)}
	out.priority, _ = strconv.Atoi(text(r.Priority)) // the default's is "default"
	for _, c := range r.Conditions {
		v := condition{field: text(c.Field), values: c.Values}
		switch {
		case c.HostHeaderConfig != nil:
			v.values = c.HostHeaderConfig.Values
		case c.PathPatternConfig != nil:
			v.values = c.PathPatternConfig.Values
		case c.HttpHeaderConfig != nil:
			v.header, v.values = text(c.HttpHeaderConfig.HttpHeaderName), c.HttpHeaderConfig.Values
		}
		out.conditions = append(out.conditions, v)
	}
	for _, a := range r.Actions {
		switch {
		case a.ForwardConfig != nil && len(a.ForwardConfig.TargetGroups) > 0:
			for _, g := range a.ForwardConfig.TargetGroups {
				w := weight{text(g.TargetGroupArn), int(aws.ToInt32(g.Weight))}
				if g.Weight == nil {
					w.of = 1 // what AWS takes for none
				}
				out.shares = append(out.shares, w)
			}
			s := a.ForwardConfig.TargetGroupStickinessConfig
			out.sticky = s != nil && aws.ToBool(s.Enabled)
		case a.TargetGroupArn != nil:
			out.shares = append(out.shares, weight{*a.TargetGroupArn, 100})
		case a.FixedResponseConfig != nil:
			out.answer = text(a.FixedResponseConfig.MessageBody)
		}
	}
	return out
}

// does says whether two rules do the same, with the same groups: one of no weight gets nothing and
// is checked.
func (r wanted) does(other wanted) bool {
	return r.answer == other.answer && r.sticky == other.sticky && slices.Equal(r.fractions(), other.fractions())
}

// fractions are the groups with their weights in percent, in order.
func (r wanted) fractions() []weight {
	total := 0
	for _, s := range r.shares {
		total += s.of
	}
	var out []weight
	for _, s := range r.shares {
		if s.of > 0 {
			s.of = s.of * 100 / total
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b weight) int { return slices.Compare([]byte(a.group), []byte(b.group)) })
	return out
}

// uses says whether a rule leads to one of some target groups.
func (r wanted) uses(groups map[string]bool) bool {
	return slices.ContainsFunc(r.shares, func(s weight) bool { return groups[s.group] })
}

// stickySeconds is how long the load balancer's cookie keeps a client with a stack while the
// traffic is divided: the longest there is, seven days.
const stickySeconds = 7 * 24 * 3600

func (r wanted) actions() []types.Action {
	if r.answer != "" {
		return []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{
			StatusCode: aws.String("200"), ContentType: aws.String("text/plain"), MessageBody: &r.answer,
		}}}
	}
	forward := &types.ForwardActionConfig{TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: &r.sticky}}
	if r.sticky {
		forward.TargetGroupStickinessConfig.DurationSeconds = aws.Int32(stickySeconds)
	}
	for _, s := range r.shares {
		forward.TargetGroups = append(forward.TargetGroups, types.TargetGroupTuple{TargetGroupArn: aws.String(s.group), Weight: aws.Int32(int32(s.of))})
	}
	return []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: forward}}
}

func (r wanted) ruleConditions() []types.RuleCondition {
	var all []types.RuleCondition
	for _, c := range r.conditions {
		v := types.RuleCondition{Field: aws.String(c.field)}
		switch c.field {
		case fieldHost:
			v.HostHeaderConfig = &types.HostHeaderConditionConfig{Values: c.values}
		case fieldPath:
			v.PathPatternConfig = &types.PathPatternConditionConfig{Values: c.values}
		case fieldHeader:
			v.HttpHeaderConfig = &types.HttpHeaderConditionConfig{HttpHeaderName: aws.String(c.header), Values: c.values}
		}
		all = append(all, v)
	}
	return all
}

// applyRules makes a slot's rules of a listener what they should be: what is missing is made and
// what differs is changed, in the order given, before what is too much is removed.
func (w *slotWork) applyRules(ctx context.Context, listener string, all []wanted) error {
	if listener == "" { // one that is gone has none
		return nil
	}
	has, err := w.findRules(ctx, listener)
	if err != nil {
		return err
	}
	ours := w.ownGroups()
	keep := map[string]bool{}
	for _, want := range all {
		i := want.among(has)
		if i < 0 && w.tells(want) { // one of an earlier version becomes it
			i = slices.IndexFunc(has, func(r listenerRule) bool { return w.tells(r.wanted) })
		}
		if i < 0 {
			if err := w.createRule(ctx, listener, want); err != nil {
				return err
			}
			continue
		}
		if !w.owns(has[i].wanted, ours) {
			// One of ours that somebody has led elsewhere still bears our tags.
			if err := w.claimRule(ctx, has[i].arn); err != nil {
				return err
			}
		}
		keep[has[i].arn] = true
		if !has[i].does(want) || !sameConditions(has[i].conditions, want.conditions) {
			if err := w.modifyRule(ctx, has[i], want); err != nil {
				return err
			}
		}
		if _, wrong := misplaced(has, i, w.spec.DomainName); wrong {
			if err := w.moveRule(ctx, listener, has[i].arn, want.rank); err != nil {
				return err
			}
		}
	}
	for _, r := range has {
		if r.fallThrough || keep[r.arn] || !w.owns(r.wanted, ours) {
			continue
		}
		// One that somebody has added bears no tags of ours, and no policy of ours lets it be removed.
		err := w.claimRule(ctx, r.arn)
		if err == nil {
			err = w.deleteRule(ctx, r.arn)
		}
		if err = gone(err, errNoRule); err != nil && !errors.Is(err, target.ErrForeign) {
			return err
		}
	}
	return nil
}

// claimRule refuses a rule that bears no mark of the slot's, as those do that somebody has added.
func (w *slotWork) claimRule(ctx context.Context, arn string) error {
	all, err := findELBTags(ctx, w.clients, arn)
	if err == nil && !w.bears(w.rulesMark(), all[arn]) {
		err = foreign("listener rule", arn)
	}
	return err
}

// lead makes a slot's rules of a listener what its state says. No rule can lead to a target group that
// somebody has deleted: then those that are gone are made anew first. To one that is new no rule can lead
// either, until AWS sees it.
func (w *slotWork) lead(ctx context.Context, listener string, rules func() []wanted) error {
	err := w.applyRules(ctx, listener, rules())
	if !coded(err, errNoTargetGroup) {
		return err
	}
	if err := w.remakeTargetGroups(ctx); err != nil {
		return fmt.Errorf("make a target group anew that was deleted: %w", err)
	}
	end := w.target.now().Add(appearLag)
	return w.target.while(ctx, fmt.Sprintf("the target groups of slot %q to be seen", w.id), func(outcome error) bool {
		return coded(outcome, errNoTargetGroup) && w.target.now().Before(end)
	}, func(ctx context.Context) error { return w.applyRules(ctx, listener, rules()) })
}

// leadPreview does so at the preview entrance, and leadProduction at the other one, with a division of
// the traffic.
func (w *slotWork) leadPreview(ctx context.Context, e entrances) error {
	return w.lead(ctx, e.preview, func() []wanted { return w.state.preview(w.spec.DomainName) })
}

func (w *slotWork) leadProduction(ctx context.Context, e entrances, t target.Traffic) error {
	return w.lead(ctx, e.production, func() []wanted { return w.production(t) })
}

// ownGroups are the target groups of the slot.
func (w *slotWork) ownGroups() map[string]bool {
	all := map[string]bool{}
	for _, of := range w.state.Seats {
		for _, arn := range of.TargetGroups {
			all[arn] = true
		}
	}
	return all
}

// owns says whether a rule is one of the slot: it leads to its target groups, or names it.
func (w *slotWork) owns(r wanted, groups map[string]bool) bool {
	return r.uses(groups) || w.tells(r)
}

// createRule makes a rule with a priority of its range.
func (w *slotWork) createRule(ctx context.Context, listener string, want wanted) error {
	return w.prioritized(ctx, listener, want.rank, func(priority int32) error {
		_, err := w.clients.elb.CreateRule(ctx, &elb.CreateRuleInput{
			ListenerArn: &listener, Priority: aws.Int32(priority), Conditions: want.ruleConditions(), Actions: want.actions(),
			Tags: tagList(w.placeTags(w.rulesMark(), nil, ""), func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }),
		})
		return failed(err, "create a rule of listener %q", listener)
	})
}

func (w *slotWork) modifyRule(ctx context.Context, has listenerRule, want wanted) error {
	if err := w.fence(ctx); err != nil {
		return err
	}
	defer w.target.ruled.drop()
	in := &elb.ModifyRuleInput{RuleArn: &has.arn, Actions: want.actions()}
	if !sameConditions(has.conditions, want.conditions) {
		in.Conditions = want.ruleConditions()
	}
	_, err := w.clients.elb.ModifyRule(ctx, in)
	return failed(err, "change rule %q", has.arn)
}

func (w *slotWork) deleteRule(ctx context.Context, arn string) error {
	if err := w.fence(ctx); err != nil {
		return err
	}
	defer w.target.ruled.drop()
	_, err := w.clients.elb.DeleteRule(ctx, &elb.DeleteRuleInput{RuleArn: &arn})
	return failed(gone(err, errNoRule), "delete rule %q", arn)
}

func (w *slotWork) rulesMark() string { return "slot/" + w.id.Name + "/rules" }

// entrances are the listeners that slots have rules of.
type entrances struct {
	balancer            types.LoadBalancer
	production, preview string // ARNs
}

// entrances are the environment's load balancer and its listeners, which stay what they are.
func (w *slotWork) entrances(ctx context.Context) (entrances, error) {
	t, n := w.target, w.spec.Network
	key := fmt.Sprint(w.balancerName(), " ", w.clients.region, " ", n.HTTPSPort, " ", n.PreviewPort)
	return t.entered.get(key, t.now(), recent, func() (entrances, error) { return w.findEntrances(ctx) })
}

func (w *slotWork) findEntrances(ctx context.Context) (entrances, error) {
	var out entrances
	b, err := findBalancer(ctx, w.clients, w.balancerName())
	var has map[int32]types.Listener
	if err == nil {
		out.balancer = *b
		has, err = findListeners(ctx, w.clients, text(b.LoadBalancerArn))
	}
	if isAbsent(err) {
		return entrances{}, &entranceError{fmt.Sprintf("the load balancer %q", w.balancerName()), w.id.Environment, errAbsent}
	}
	if err != nil {
		return out, fmt.Errorf("find the entrance of environment %q: %w", w.id.Environment, err)
	}
	err = nil
	for _, of := range []struct {
		port int
		arn  *string
	}{{w.spec.Network.HTTPSPort, &out.production}, {w.spec.Network.PreviewPort, &out.preview}} {
		l, ok := has[int32(of.port)]
		if !ok {
			err = errors.Join(err, &entranceError{fmt.Sprintf("the listener on port %d", of.port), w.id.Environment, target.ErrUnavailable})
		}
		*of.arn = text(l.ListenerArn)
	}
	return out, err
}

// entranceError is of an entrance that somebody has deleted. What is broken is the environment.
type entranceError struct {
	what        string
	environment target.EnvironmentID
	kind        error
}

func (e *entranceError) Error() string {
	return fmt.Sprintf("%s of environment %q is gone: apply the environment, which makes it anew", e.what, e.environment)
}

func (e *entranceError) Unwrap() error { return e.kind }

// entrancesLeft are those that are there, and what is said of others. Of one that is gone there are no
// rules, neither to look at nor to remove.
func (w *slotWork) entrancesLeft(ctx context.Context) (entrances, string, error) {
	e, err := w.entrances(ctx)
	var gone *entranceError
	if errors.As(err, &gone) {
		return e, gone.Error(), nil
	}
	return e, "", err
}
