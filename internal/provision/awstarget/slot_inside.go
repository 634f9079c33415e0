package awstarget

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// probeScript is what the task does that asks a front door from inside.
//
//go:embed probe.sh
var probeScript string

const (
	// taskProbe is the kind of the tasks that ask a front door from inside its VPC.
	taskProbe = "probe"
	// probeImage has a shell and curl ("Using AL2023 in containers").
	probeImage = "public.ecr.aws/amazonlinux/amazonlinux:2023"
	// probeBegins is the first word of a script that can ask.
	probeBegins = "asking "
	// probeStart is how long such a task may take to begin to ask, and probeRounds how often it
	// asks at most, once a second: a load balancer's nodes change, and it knows those of its start.
	probeStart  = 3 * time.Minute
	probeRounds = 600
)

// probeKey is the key of the task that asks for the release of the stack in the seat.
func (s *seat) probeKey() string { return fmt.Sprintf("probe-%s-%d", s.Spec.Color, s.Attempt) }

// probes says whether a task asks a front door from inside.
func (k *oneTask) probes() bool { return k.Spec.Kind == taskProbe }

// standBy sees to it that somebody asks inside the VPC before a new stack gets its first traffic,
// where nobody else is let in: a task takes half a minute to start, and one that can't is to be
// known of before a switch. A stack that served before is switched back to at once.
func (w *slotWork) standBy(ctx context.Context, e entrances, live, to target.Traffic) error {
	if !w.spec.AWS.Restricted() {
		return nil
	}
	for _, c := range []target.Color{target.Blue, target.Green} {
		of := w.state.Seats[c]
		if of == nil || of.Ending || shareOf(to, c) <= shareOf(live, c) || of.Served {
			continue
		}
		if of.Carried {
			return w.lookAgain(ctx, of)
		}
		if _, reached, err := w.probeFromHere(ctx, e, of); reached || err != nil {
			return err
		}
		if err := w.awaitProbe(ctx, e, of); err != nil {
			return fmt.Errorf("ask the front door from inside the VPC: %w", err)
		}
	}
	return nil
}

// lookAgain notes it if the task that asks has ended since it was looked at.
func (w *slotWork) lookAgain(ctx context.Context, of *seat) error {
	if k := w.state.Tasks[of.probeKey()]; k != nil && k.Ended == nil && k.ARN != "" {
		_, _, err := w.lookAt(ctx, k)
		return err
	}
	return nil
}

// awaitProbe returns when a task asks.
func (w *slotWork) awaitProbe(ctx context.Context, e entrances, of *seat) error {
	ctx, cancel := context.WithTimeout(ctx, probeStart)
	defer cancel()
	if k := w.state.Tasks[of.probeKey()]; k != nil && (k.Past || k.Ended != nil) {
		if err := w.removeTask(ctx, of.probeKey()); err != nil {
			return err
		}
	}
	return w.target.until(ctx, "the task to begin", func(ctx context.Context) (status, bool, error) {
		k, err := w.putProbe(ctx, e, of)
		if err != nil {
			return "", false, err
		}
		s, begun, err := w.lookAt(ctx, k)
		switch {
		case err != nil:
			return "", false, err
		case !s.Running:
			return "", false, target.Errorf(target.ErrInvalid, "the task with image %q %s", k.Spec.Task.Image, howEnded(s))
		case !begun:
			return "starting", false, nil
		}
		lines, err := w.readStream(ctx, k.stream(), shownLines)
		return "running", len(lines) > 0 && strings.HasPrefix(lines[0], probeBegins), err
	})
}

// putProbe begins to ask for the release of a stack, or goes on with it.
func (w *slotWork) putProbe(ctx context.Context, e entrances, of *seat) (*oneTask, error) {
	key := of.probeKey()
	if k := w.state.Tasks[key]; k != nil && k.ARN != "" {
		return k, nil
	}
	if k := w.state.Tasks[key]; k != nil && k.Ended == nil && w.target.now().After(k.StartedAt.Add(probeStart)) {
		if err := w.removeTask(ctx, key); err != nil { // its time has run since its start was broken off
			return nil, err
		}
	}
	if w.state.Tasks[key] != nil {
		_, err := w.startTask(ctx, key)
		return w.state.Tasks[key], err
	}
	nodes, err := w.nodes(ctx, e.balancer)
	if err == nil {
		err = w.beginTask(ctx, w.probeSpec(of, nodes))
	}
	return w.state.Tasks[key], err
}

// probeSpec asks for a task that asks.
func (w *slotWork) probeSpec(of *seat, nodes []string) target.TaskSpec {
	d := of.Spec.Definition.Expand()
	var urls []string
	for _, name := range target.SortedKeys(d.Components) {
		if c := d.Components[name]; !c.Worker() {
			r := c.Routes[0]
			urls = append(urls, "https://"+net.JoinHostPort(probeHost(r, w.spec.DomainName), strconv.Itoa(w.spec.Network.HTTPSPort))+r.PathPrefix)
		}
	}
	image := w.spec.AWS.ProbeImage
	if image == "" {
		image = probeImage
	}
	return target.TaskSpec{
		Key: of.probeKey(), Kind: taskProbe, Slot: w.id, Color: of.Spec.Color, Release: d.Release,
		Task: target.Task{
			Image: image, TimeoutSeconds: 2 * probeRounds, // each round takes longer than its pause
			Environment: map[string]string{
				"SLIPWAY_PROBE_MARK": w.probeMark(), "SLIPWAY_PROBE_NODES": strings.Join(nodes, " "), "SLIPWAY_PROBE_URLS": strings.Join(urls, " "), "SLIPWAY_PROBE_ROUNDS": strconv.Itoa(probeRounds),
			},
		},
	}
}

// nodes are the private addresses of a load balancer's nodes, which answer within the VPC whether
// or not it faces the internet. Their network interfaces are known by their description ("Elastic
// network interfaces" in the table of requester-managed ones).
func (w *slotWork) nodes(ctx context.Context, b elb.LoadBalancer) ([]string, error) {
	var all []string
	pages := ec2.NewDescribeNetworkInterfacesPaginator(w.clients.ec2, &ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{
		{Name: aws.String("description"), Values: []string{"ELB " + balancerDimension(text(b.LoadBalancerArn))}},
		{Name: aws.String("status"), Values: []string{string(types.NetworkInterfaceStatusInUse)}},
	}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "find the nodes of load balancer %q", text(b.LoadBalancerName))
		}
		for _, i := range page.NetworkInterfaces {
			all = append(all, text(i.PrivateIpAddress))
		}
	}
	if len(all) == 0 {
		return nil, target.Errorf(target.ErrUnavailable, "load balancer %q shows no network interface", text(b.LoadBalancerName))
	}
	return all, nil
}

// lookAt says how a task is, and whether its program runs.
func (w *slotWork) lookAt(ctx context.Context, k *oneTask) (s target.TaskStatus, begun bool, err error) {
	if k.Ended != nil {
		return *k.Ended, true, nil
	}
	found, err := findTasks(ctx, w.clients, w.clusterName(), []string{k.ARN})
	if err != nil {
		return s, false, err
	}
	if len(found) == 0 {
		s, err = w.observeTask(ctx, k, nil)
		return s, false, err
	}
	s, err = w.observeTask(ctx, k, &found[0])
	return s, text(found[0].LastStatus) == taskRunning, err
}

// probeInside says what the task has seen that asks for the release of the stack that serves; the
// first call after a switch back starts it.
func (w *slotWork) probeInside(ctx context.Context, e entrances, of *seat) (target.Probe, error) {
	key := of.probeKey()
	if k := w.state.Tasks[key]; k != nil && k.Past {
		if err := w.removeTask(ctx, key); err != nil {
			return target.Probe{}, err
		}
	}
	k, err := w.putProbe(ctx, e, of)
	if err != nil {
		return target.Probe{}, err
	}
	s, begun, err := w.lookAt(ctx, k)
	if err == nil && !s.Running {
		err = w.putAway(ctx, k)
	}
	if err != nil {
		return target.Probe{}, err
	}
	const asked = "the front door was asked from inside the VPC: "
	switch {
	case s.Running && !begun && w.target.now().Before(k.StartedAt.Add(probeStart)):
		return target.Probe{Pending: true, Problem: "the task that is to ask the front door from inside the VPC is starting"}, nil
	case s.Running && !begun:
		return target.Probe{Problem: fmt.Sprintf("the task that is to ask the front door from inside the VPC did not start within %s", probeStart)}, nil
	case s.Running:
		lines, err := w.readStream(ctx, k.stream(), 1)
		return target.Probe{Problem: asked + strings.Join(lines, "")}, err
	case s.ExitCode != nil && *s.ExitCode == 0:
		return target.Probe{Release: k.Spec.Release}, nil
	}
	return target.Probe{Problem: asked + "the task " + howEnded(s)}, nil
}

// putAway removes what a task that has ended leaves. What it found is kept until the traffic is
// divided anew, and its log for as long as all logs are.
func (w *slotWork) putAway(ctx context.Context, k *oneTask) error {
	if k.Definition == "" {
		return nil
	}
	if err := w.deregister(ctx, k.unit().family()); err != nil {
		return err
	}
	return unnoted(w.changeTask(ctx, k, func(k *oneTask) { k.Definition = "" }))
}

// pastProbes notes that what has been asked until now was asked before the traffic was divided.
func (s *slotState) pastProbes() {
	for _, k := range s.Tasks {
		k.Past = k.Past || k.probes() && k.Ended != nil
	}
}

// howEnded is how a task ended, for people, with the last of its lines.
func howEnded(s target.TaskStatus) string {
	how := s.Problem
	if s.ExitCode != nil {
		how = fmt.Sprintf("exited with code %d", *s.ExitCode)
	}
	if len(s.LastLines) > 0 {
		how += fmt.Sprintf("; its last line is %q", s.LastLines[len(s.LastLines)-1])
	}
	return "ended: " + how
}

// endProbes stops and forgets the tasks that ask for stacks without traffic, and those that asked
// before the traffic was last divided. Their logs stay. One whose start was interrupted, and which ECS may
// not list yet, is not waited for: it goes when the traffic is divided again, or with its stack.
func (w *slotWork) endProbes(ctx context.Context, t target.Traffic) error {
	for _, key := range target.SortedKeys(w.state.Tasks) {
		k := w.state.Tasks[key]
		if !k.probes() || !k.Past && shareOf(t, k.Spec.Color) > 0 {
			continue
		}
		if k.ARN == "" && k.Ended == nil && w.target.now().Before(k.StartedAt.Add(probeStart+taskLag)) {
			if known, err := w.noteRun(ctx, k); err != nil {
				return err
			} else if !known {
				continue
			}
		}
		if err := w.removeTask(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
