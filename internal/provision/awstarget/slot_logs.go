package awstarget

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Bounds of what is read of one log, and of what is shown beside what went wrong.
const (
	maxReadLines = 10_000
	shownLines   = 20
	// maxReadPages bounds the calls for one log.
	maxReadPages = 10
	// shownInstances is how many instances of a component that are not well have their lines read.
	shownInstances = 3
)

// readStream reads the last lines of a stream of the environment's log; one that is not there has
// none. A page may have fewer lines than there are, or none; where the token of the one before is that of this
// one, there is no more (GetLogEvents).
func (w *slotWork) readStream(ctx context.Context, stream string, lines int) ([]string, error) {
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String(w.logGroup()), LogStreamName: &stream, StartFromHead: aws.Bool(false)}
	var all []string
	for range maxReadPages {
		in.Limit = aws.Int32(int32(lines - len(all)))
		out, err := w.clients.logs.GetLogEvents(ctx, in)
		if err != nil {
			return nil, failed(gone(err, errNoLogGroup), "read log stream %q", stream)
		}
		var page []string
		for _, e := range out.Events {
			page = append(page, strings.TrimRight(text(e.Message), "\n"))
		}
		all = append(page, all...)
		if len(all) >= lines || text(out.NextBackwardToken) == text(in.NextToken) {
			break
		}
		in.NextToken = out.NextBackwardToken
	}
	return all[max(0, len(all)-lines):], nil
}

// stream is where the log of a container is ("Using the awslogs driver").
func stream(prefix, container, task string) string { return prefix + "/" + container + "/" + task }

// addLines adds the last lines of the instances that are not well, for a run: a plan needs none.
func (w *slotWork) addLines(ctx context.Context, p unit, s seen, all []target.InstanceStatus) error {
	if w.lease.Token == "" {
		return nil
	}
	shown := 0
	for n, i := range s.instances() {
		if all[n].Healthy || all[n].Problem == "" && all[n].LastProbe == "" || shown == shownInstances {
			continue
		}
		shown++
		of := i.last()
		if bad := i.lastFailed(); bad != nil && !all[n].Running {
			of = *bad
		}
		lines, err := w.readStream(ctx, stream(p.streams(), p.component, taskID(text(of.TaskArn))), shownLines)
		if err != nil {
			return err
		}
		all[n].LastLines = w.redacted(ctx, lines, s.Secrets)
	}
	return nil
}

// ReadLogs implements target.Logs.
func (t *Target) ReadLogs(ctx context.Context, id target.SlotID, component string, lines int) ([]target.InstanceLog, error) {
	if lines < 1 || lines > maxReadLines {
		return nil, target.Errorf(target.ErrInvalid, "%d lines can't be shown: ask for 1 to %d", lines, maxReadLines)
	}
	w, err := t.openSlot(ctx, id)
	if err != nil {
		return nil, err
	}
	services, err := findServices(ctx, w.clients, w.clusterName(), w.state.services())
	if err != nil {
		return nil, err
	}
	var all []target.InstanceLog
	for _, c := range target.SortedKeys(w.state.Seats) {
		of := w.state.Seats[c]
		if _, ok := of.Spec.Definition.Components[component]; !ok {
			continue
		}
		p := of.unit(component)
		s, err := w.look(ctx, of, component, services[p.service()])
		if err != nil {
			return nil, err
		}
		for n, i := range s.instances() {
			log := target.InstanceLog{Color: c, Release: of.Spec.Definition.Release, Index: n + 1}
			if log.Lines, err = w.instanceLines(ctx, p, i, lines); err != nil {
				return nil, err
			}
			log.Lines = w.redacted(ctx, log.Lines, s.Secrets)
			all = append(all, log)
		}
	}
	return all, nil
}

// instanceLines are the last lines of an instance over all tasks that it was.
func (w *slotWork) instanceLines(ctx context.Context, p unit, i instance, lines int) ([]string, error) {
	var all []string
	for n := len(i.tasks) - 1; n >= 0 && len(all) < lines; n-- {
		before, err := w.readStream(ctx, stream(p.streams(), p.component, taskID(text(i.tasks[n].TaskArn))), lines-len(all))
		if err != nil {
			return nil, err
		}
		all = append(before, all...)
	}
	return all, nil
}
