package awstarget

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// thing is a resource of EC2: it has neither a unique name nor, as a rule, a client token. It is
// looked up by the id that was saved, else by its tags; it is created by one call, with its
// tags, which is not repeated by the SDK; and its id is saved before anything is waited for.
type thing struct {
	// mark names it among the noun's things: its tag, and the fact that holds its id.
	mark string
	// what is its kind in words, idFilter the name of EC2's filter for its id.
	what, idFilter string
	kind           types.ResourceType
	// find lists the things that a filter passes, but for those that are gone.
	find   func(ctx context.Context, c *clients, filters []types.Filter) ([]found, error)
	create func(ctx context.Context, tags []types.TagSpecification, token string) (id string, err error)
	// settle sees to what can be changed later; nil: nothing.
	settle func(ctx context.Context, id string) error
	// correct changes what find has seen to be wrong.
	correct func(ctx context.Context, id string) error
	// check says how it differs from what settle makes of it; nil: not at all.
	check  func(ctx context.Context, id string) ([]string, error)
	delete func(ctx context.Context, id string) error
}

// found is a thing as it was seen.
type found struct {
	id, state string
	tags      map[string]string
	// wrong is what differs from what create made, "" for nothing.
	wrong string
	// failure is why it can never be used, "" for one that can or will.
	failure string
}

// failure says why something can never be used, in words that follow its name.
func failure(state string, code, message *string) string {
	if text(code) == "" && text(message) == "" {
		return fmt.Sprintf("is %s, and AWS does not say why", state)
	}
	return fmt.Sprintf("is %s (%s: %s)", state, text(code), text(message))
}

func ec2Tags(tags []types.Tag) map[string]string {
	return tagMap(tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value })
}

// available is the state of what can be used; things without states have it always.
const available, deleting = "available", "deleting"

// unseen is the status of a thing that was made and that EC2 does not show.
const unseen status = "not to be seen yet"

// onlyOnce keeps the SDK from sending a create again that EC2 would carry out again.
func onlyOnce(o *ec2.Options) { o.Retryer = unlessThrottled(o.Retryer) }

// marked is a filter for the tags of one part.
func (n *noun) marked(part string) []types.Filter {
	return tagList(n.marks(part), func(k, v string) types.Filter {
		name := "tag:" + k
		return types.Filter{Name: &name, Values: []string{v}}
	})
}

func (n *noun) findThing(ctx context.Context, t thing) (found, error) {
	id, filters := n.fact(t.mark), n.marked(t.mark)
	if id != "" {
		filters = []types.Filter{{Name: &t.idFilter, Values: []string{id}}}
	}
	all, err := t.find(ctx, n.clients, filters)
	if err != nil {
		return found{}, failed(err, "find %s", t.what)
	}
	best, err := found{}, errAbsent
	for _, f := range all {
		if (f.id == id || id == "" && n.ours(t.mark, f.tags)) && (err != nil || f.use() > best.use()) {
			best, err = f, nil
		}
	}
	return best, err
}

// use is greater for what is of more use: one that failed can be seen for an hour beside its successor.
func (f found) use() int {
	switch {
	case f.failure != "":
		return 0
	case f.state == deleting:
		return 1
	}
	return 2
}

// usableThing finds a thing that can be used or will be. What has failed is removed, and what is being
// deleted is waited for, as it may hold on to what its successor needs.
func (n *noun) usableThing(ctx context.Context, t thing) (found, error) {
	f, err := n.seekThing(ctx, t)
	if isAbsent(err) && n.fact(t.mark) != "" { // it was removed by somebody else
		if err = n.saveThing(ctx, t, ""); err == nil {
			f, err = n.findThing(ctx, t)
		}
	}
	if err == nil && f.failure != "" {
		if err := t.delete(ctx, f.id); err != nil {
			return found{}, failed(err, "delete %s %s, which %s", t.what, f.id, f.failure)
		}
		if err := n.saveThing(ctx, t, ""); err != nil { // by the old token AWS would answer with this one
			return found{}, err
		}
		if f, err = n.findThing(ctx, t); err == nil && f.failure != "" {
			return found{}, errAbsent
		}
	}
	if err == nil && f.state == deleting {
		if err := n.awaitEnd(ctx, t, f.id); err != nil {
			return found{}, err
		}
		return found{}, cmp.Or(n.saveThing(ctx, t, ""), errAbsent)
	}
	return f, err
}

func (n *noun) awaitEnd(ctx context.Context, t thing, id string) error {
	return n.target.until(ctx, fmt.Sprintf("the end of %s %s, which is being deleted", t.what, id), func(ctx context.Context) (status, bool, error) {
		f, err := n.findThing(ctx, t)
		if isAbsent(err) || err == nil && f.state != deleting {
			return "gone", true, nil
		}
		return status(f.state), false, err
	})
}

func (n *noun) putThing(ctx context.Context, t thing) error {
	f, err := n.usableThing(ctx, t)
	if isAbsent(err) {
		err = n.recognised(ctx, t.what, unknown, func(ctx context.Context) (err error) {
			f.id, err = n.createThing(ctx, t)
			return err
		})
	} else if err == nil {
		err = n.retagThing(ctx, t, f)
	}
	if err == nil && f.id != n.fact(t.mark) {
		err = n.saveThing(ctx, t, f.id)
	}
	if err == nil {
		err = n.target.until(ctx, fmt.Sprintf("%s %s", t.what, f.id), func(ctx context.Context) (status, bool, error) {
			seen, err := n.findThing(ctx, t)
			if isAbsent(err) {
				return unseen, false, nil
			}
			if err == nil && seen.failure != "" {
				return "", false, fmt.Errorf("it %s: mend what that says and apply again, which makes another one in its place", seen.failure)
			}
			if err == nil && seen.state == deleting {
				return "", false, errors.New("somebody deletes it: apply again, which makes another one")
			}
			f.wrong = seen.wrong
			return status(seen.state), seen.state == available, err
		})
	}
	if err == nil && f.wrong != "" {
		err = failed(t.correct(ctx, f.id), "correct %s %s", t.what, f.id)
	}
	if err != nil {
		return err
	}
	return n.settleThing(ctx, t, f.id)
}

func (n *noun) settleThing(ctx context.Context, t thing, id string) error {
	if t.settle == nil {
		return nil
	}
	what := t.what + " " + id
	passes := func(outcome error) bool { return unknown(outcome) || isAbsent(outcome) }
	return failed(n.recognised(ctx, what, passes, func(ctx context.Context) error { return t.settle(ctx, id) }), "set up %s", what)
}

// recognised does what EC2 needs other things for, or the thing itself. It may not know yet one that was made a
// moment ago, though it was seen once (Amazon EC2, "Eventual consistency").
func (n *noun) recognised(ctx context.Context, what string, passes func(outcome error) bool, do func(context.Context) error) error {
	end := n.target.now().Add(appearLag)
	return n.target.while(ctx, "EC2 to know what it needs for "+what, func(outcome error) bool {
		return passes(outcome) && n.target.now().Before(end)
	}, do)
}

// retagThing gives a thing the tags of the definition.
func (n *noun) retagThing(ctx context.Context, t thing, f found) error {
	return n.putTags(t.mark, t.what+" "+f.id, f.tags, func(tags map[string]string) error {
		_, err := n.clients.ec2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{f.id}, Tags: tagList(tags, func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })})
		return err
	}, func(keys []string) error {
		in := &ec2.DeleteTagsInput{Resources: []string{f.id}}
		for _, k := range keys {
			in.Tags = append(in.Tags, types.Tag{Key: &k})
		}
		_, err := n.clients.ec2.DeleteTags(ctx, in)
		return err
	})
}

func (n *noun) createThing(ctx context.Context, t thing) (string, error) {
	all := n.tags(t.mark)
	if _, given := all[tagName]; !given {
		all[tagName] = name(255, "slipway", n.region, n.environment, t.mark)
	}
	tags := tagList(all, func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })
	token, err := n.request(ctx, t.mark)
	if err != nil {
		return "", err
	}
	ctx, cancel := uninterrupted(ctx)
	defer cancel()
	id, err := t.create(ctx, []types.TagSpecification{{ResourceType: t.kind, Tags: tags}}, token)
	if err != nil {
		return "", failed(err, "create %s", t.what)
	}
	return id, n.saveThing(ctx, t, id)
}

// madeSuffix names the fact that says when a thing was made, or found by its tags.
const madeSuffix = "_made"

// saveThing saves the id of a thing that is known from now on, which ends the request for it; "" forgets it.
func (n *noun) saveThing(ctx context.Context, t thing, id string) error {
	made := ""
	if id != "" {
		made = n.target.now().Format(time.RFC3339)
	}
	return n.saveAll(ctx, t.mark, map[string]string{t.mark: id, t.mark + requestSuffix: "", t.mark + madeSuffix: made})
}

// shownAt is when a thing is to be seen wherever it is asked for; a time that has passed where nobody knows how
// old it is.
func (n *noun) shownAt(t thing) time.Time {
	made, err := time.Parse(time.RFC3339, n.fact(t.mark+madeSuffix))
	if err != nil {
		return n.target.now()
	}
	return n.target.knownAt(made, appearLag)
}

// seekThing is findThing, but what was made a moment ago is not taken for gone: EC2 may not show it yet (Amazon
// EC2, "Eventual consistency"). A second one in its place would be left behind.
func (n *noun) seekThing(ctx context.Context, t thing) (f found, err error) {
	shown := n.shownAt(t)
	awaited := fmt.Sprintf("%s %s, which is new, to be seen", t.what, n.fact(t.mark))
	err = n.target.while(ctx, awaited, func(outcome error) bool {
		return isAbsent(outcome) && n.target.now().Before(shown)
	}, func(ctx context.Context) (err error) {
		f, err = n.findThing(ctx, t)
		return err
	})
	return f, err
}

// removeThing deletes a thing when nothing holds on to it any more: the interfaces of tasks
// and load balancers go minutes after them. One that was made a moment ago and is not seen yet is waited for:
// it would be left behind.
func (n *noun) removeThing(ctx context.Context, t thing) error {
	shown := n.shownAt(t)
	err := n.target.until(ctx, "the end of "+t.what, func(ctx context.Context) (status, bool, error) {
		f, err := n.findThing(ctx, t)
		switch fresh := n.target.now().Before(shown); {
		case fresh && isAbsent(err):
			return unseen, false, nil
		case fresh && err == nil: // it is seen: when it is not any more, it is gone, also for a later run
			shown, err = time.Time{}, n.save(ctx, t.mark+madeSuffix, "")
		}
		if err == nil && f.failure != "" { // AWS takes it away within an hour
			err = t.delete(ctx, f.id)
			return "gone", err == nil, failed(err, "delete %s %s", t.what, f.id)
		}
		if isAbsent(err) {
			return "gone", true, nil
		}
		if err != nil || f.state == deleting {
			return status(f.state), false, err
		}
		err = t.delete(ctx, f.id)
		if coded(err, "DependencyViolation", "InvalidIPAddress.InUse", "AuthFailure", "Gateway.NotAttached", "IncorrectState") {
			return stillInUse, false, nil
		}
		return "being deleted", false, failed(err, "delete %s %s", t.what, f.id)
	})
	if err != nil {
		return n.heldBy(ctx, t, err)
	}
	return n.saveThing(ctx, t, "")
}

// beside are the ids of the things whose marks begin like a thing's, and its own: what looks at
// each of them asks the same of EC2, and in one look only once.
func (n *noun) beside(prefix, id string) []string {
	ids := []string{id}
	n.mu.Lock()
	defer n.mu.Unlock()
	for mark, other := range n.facts {
		about := strings.HasSuffix(mark, requestSuffix) || strings.HasSuffix(mark, madeSuffix)
		if strings.HasPrefix(mark, prefix) && !about && other != id {
			ids = append(ids, other)
		}
	}
	slices.Sort(ids)
	return ids
}

// checkThings says which of the noun's things of one kind are gone, by one call, and what is
// different about the others.
func (n *noun) checkThings(ctx context.Context, things []thing) ([]string, error) {
	if len(things) == 0 {
		return nil, nil
	}
	var ids, drift []string
	for _, t := range things {
		if id := n.fact(t.mark); id != "" {
			ids = append(ids, id)
		} else {
			n.lose(t.mark)
			drift = append(drift, fmt.Sprintf("%s %q is missing", t.what, t.mark))
		}
	}
	if len(ids) == 0 {
		return drift, nil
	}
	slices.Sort(ids)
	all, err := things[0].find(ctx, n.clients, []types.Filter{{Name: &things[0].idFilter, Values: ids}})
	if err != nil {
		return nil, failed(err, "find %s", things[0].what)
	}
	for _, t := range things {
		id := n.fact(t.mark)
		if id == "" {
			continue
		}
		at := slices.IndexFunc(all, func(f found) bool { return f.id == id })
		if at < 0 || all[at].state != available {
			n.lose(t.mark)
			why := "is gone or can't be used"
			if at >= 0 && all[at].failure != "" {
				why = all[at].failure
			}
			drift = append(drift, fmt.Sprintf("%s %s %s", t.what, id, why))
			continue
		}
		drift = append(drift, n.tagDrift(t.mark, t.what+" "+id, all[at].tags)...)
		if wrong := all[at].wrong; wrong != "" {
			drift = append(drift, fmt.Sprintf("%s %s %s", t.what, id, wrong))
		}
		if t.check == nil {
			continue
		}
		more, err := t.check(ctx, id)
		if err != nil {
			return nil, failed(err, "check %s %s", t.what, id)
		}
		drift = append(drift, more...)
	}
	return drift, nil
}

// putThings, removeThings: one after the other, they are few.
func (n *noun) putThings(ctx context.Context, things []thing) error {
	for _, t := range things {
		if err := n.putThing(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (n *noun) removeThings(ctx context.Context, things []thing) error {
	for _, t := range slices.Backward(things) {
		if err := n.removeThing(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// thingsPart is a part that is made of things of one kind.
func (n *noun) thingsPart(name string, needs []string, things ...thing) part {
	return part{
		name: name, needs: needs,
		put:    func(ctx context.Context) error { return n.putThings(ctx, things) },
		check:  func(ctx context.Context) ([]string, error) { return n.checkThings(ctx, things) },
		delete: func(ctx context.Context) error { return n.removeThings(ctx, things) },
	}
}
