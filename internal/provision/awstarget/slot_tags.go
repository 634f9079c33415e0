package awstarget

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Tags of what belongs to a slot, beside those of its environment.
const (
	tagSlot        = "slipway:slot"
	tagComponent   = "slipway:component"
	tagColor       = "slipway:color"
	tagRelease     = "slipway:release"
	tagFingerprint = "slipway:fingerprint"
)

// placeTags are the tags of what bears a mark: the environment's, the slot's, and which component
// of which stack it is; of none with a nil stack.
func (w *slotWork) placeTags(mark string, s *target.StackSpec, component string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, w.defaultTags())
	maps.Copy(all, w.userTags())
	maps.Copy(all, w.slotTags)
	maps.Copy(all, w.marks(mark))
	all[tagSlot] = w.id.Name
	if s != nil {
		all[tagComponent], all[tagColor], all[tagRelease], all[tagFingerprint] = component, string(s.Color), s.Definition.Release, s.Fingerprint
	}
	return all
}

// defaultTags are those of the provider, or of the one that put a stack last.
func (w *slotWork) defaultTags() map[string]string {
	if w.target.keepTags {
		return w.state.DefaultTags
	}
	return w.target.tags
}

// tagKeys are the keys of the tags that people have chosen, as they are now.
func (w *slotWork) tagKeys() []string {
	all := map[string]string{}
	for _, of := range []map[string]string{w.defaultTags(), w.userTags(), w.slotTags} {
		maps.Copy(all, of)
	}
	return target.SortedKeys(all)
}

// retagUnit compares the tags of what a component of a stack is made of.
func (w *slotWork) retagUnit(of *seat, component string, has map[string]string) retagging {
	return retagged(w.placeTags(of.unit(component).mark(), &of.Spec, component), has, of.TagKeys)
}

// retagRule compares those of a rule, which belongs to all stacks of the slot.
func (w *slotWork) retagRule(has map[string]string) retagging {
	var before []string
	for _, c := range target.SortedKeys(w.state.Seats) {
		before = both(before, w.state.Seats[c].TagKeys)
	}
	return retagged(w.placeTags(w.rulesMark(), nil, ""), has, before)
}

// tagECSThing gives something of ECS its tags.
func (w *slotWork) tagECSThing(ctx context.Context, r retagging, what string, arn *string) error {
	if len(r.lacks)+len(r.surplus) == 0 {
		return nil
	}
	if err := w.fence(ctx); err != nil {
		return err
	}
	return r.put(what, w.tagECS(ctx, arn), w.untagECS(ctx, arn))
}

// retagDefinitions gives the task definitions of a stack their tags. Nothing is known by these, and each is
// a call: they are looked at where the stack is put again, and by no plan.
func (w *slotWork) retagDefinitions(ctx context.Context, of *seat) error {
	return each(target.SortedKeys(of.Definitions), func(name string) error {
		arn := of.Definitions[name]
		out, err := w.clients.ecs.ListTagsForResource(ctx, &ecs.ListTagsForResourceInput{ResourceArn: &arn})
		if err != nil {
			return failed(err, "read the tags of task definition %q", arn)
		}
		has := tagMap(out.Tags, func(t ecstypes.Tag) (*string, *string) { return t.Key, t.Value })
		return w.tagECSThing(ctx, w.retagUnit(of, name, has), fmt.Sprintf("task definition %q", shortARN(arn)), &arn)
	})
}

// retagBalancing gives the target groups of a stack, and the slot's rules, their tags.
func (w *slotWork) retagBalancing(ctx context.Context, of *seat, e entrances) error {
	rules, err := w.ownRules(ctx, e, w.findRules)
	if err != nil {
		return err
	}
	all := map[string]func(has map[string]string) retagging{}
	for _, r := range rules.own {
		all[r.arn] = w.retagRule
	}
	for _, name := range target.SortedKeys(of.TargetGroups) {
		all[of.TargetGroups[name]] = func(has map[string]string) retagging { return w.retagUnit(of, name, has) }
	}
	has, err := findELBTags(ctx, w.clients, target.SortedKeys(all)...)
	if err != nil {
		return err
	}
	for _, arn := range target.SortedKeys(all) {
		r := all[arn](has[arn])
		if len(r.lacks)+len(r.surplus) == 0 {
			continue
		}
		if err := w.fence(ctx); err != nil {
			return err
		}
		w.target.tagged.drop()
		if err := w.tagELB(ctx, r, fmt.Sprintf("%q", arn), arn); err != nil {
			return err
		}
	}
	return nil
}

// balancingTags reads the tags of the slot's rules, and of the target groups that they lead to. In a
// refresh everybody asks for those of all that the environment's rules are and lead to, by twenties, and
// the look shares the answers. What was removed meanwhile keeps them from being told; another look tells.
func (w *slotWork) balancingTags(ctx context.Context, rules rulesSeen) (map[string]map[string]string, error) {
	own, asked := leadsOf(rules.own), leadsOf(rules.all)
	ask := func() (map[string]map[string]string, error) { return findELBTags(ctx, w.clients, own...) }
	if !w.refreshing {
		t := w.target
		all, err := t.tagged.get(fmt.Sprint(own), t.now(), recent, ask)
		return all, gone(err)
	}
	all := map[string]map[string]string{}
	for some := range slices.Chunk(asked, maxTagged) {
		if !slices.ContainsFunc(some, func(arn string) bool { return slices.Contains(own, arn) }) {
			continue
		}
		found, err := findELBTags(ctx, w.clients, some...)
		if gone(err) != nil {
			return nil, err
		}
		maps.Copy(all, found)
	}
	return all, nil
}

// leadsOf are the ARNs of rules and of the target groups that they lead to, in order.
func leadsOf(rules []listenerRule) []string {
	var all []string
	for _, r := range rules {
		if !r.fallThrough {
			all = append(all, r.arn)
		}
		for _, s := range r.shares {
			all = append(all, s.group)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
