package awstarget

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// taskContainer is the name of the only container of a task.
const taskContainer = "task"

// taskLag is how long ECS may not know yet of a task that it began (RunTask, "eventual consistency
// model").
const taskLag = time.Minute

// remembered is how long a run may be asked for again by its token without its being begun twice: ECS
// forgets the token within a day, and lists the run for an hour after its end.
const remembered = time.Hour

// provisioning is how long a task may take to start before its own time begins to count.
const provisioning = 10 * time.Minute

func (k *oneTask) unit() taskUnit { return taskUnit{k.Spec.Slot, k.Spec.Key, k.Nonce} }

// stream is where its log is.
func (k *oneTask) stream() string { return stream(k.unit().streams(), taskContainer, taskID(k.ARN)) }

// PutTask implements target.Tasks. The key is noted with a token of the run before it is asked
// for: whoever finds it asks for the same run, which AWS starts once.
func (t *Target) PutTask(ctx context.Context, spec target.TaskSpec, l target.Lease) error {
	w, err := t.openedSlot(ctx, spec.Slot, l)
	if err != nil {
		return err
	}
	if k := w.state.Tasks[spec.Key]; k == nil {
		err = w.beginTask(ctx, spec)
	} else if k.ARN == "" {
		_, err = w.startTask(ctx, spec.Key)
	}
	if err != nil {
		return fmt.Errorf("start %s task of slot %q: %w", spec.Kind, spec.Slot, err)
	}
	return nil
}

// beginTask notes a task and runs it. One that surely does not run is forgotten, so that it may be begun anew.
func (w *slotWork) beginTask(ctx context.Context, spec target.TaskSpec) error {
	nonce := rand.Text()
	if err := w.noteTask(ctx, spec, nonce); err != nil {
		return err
	}
	unsure, err := w.startTask(ctx, spec.Key)
	if k := w.state.Tasks[spec.Key]; err != nil && !unsure && k != nil && k.Nonce == nonce && k.ARN == "" {
		_ = w.forgetTask(ctx, k) // else it is looked for, and not found
	}
	return err
}

// noteTask notes that a task is to run, unless somebody has.
func (w *slotWork) noteTask(ctx context.Context, spec target.TaskSpec, nonce string) error {
	return w.change(ctx, func(s *slotState) error {
		if s.Tasks[spec.Key] == nil {
			s.Tasks[spec.Key] = &oneTask{Spec: spec, Nonce: nonce, StartedAt: w.target.now()}
		}
		return nil
	})
}

// startTask runs the task of a key, or finds the run that was begun. Where it fails it says whether the task
// may run all the same.
func (w *slotWork) startTask(ctx context.Context, key string) (unsure bool, err error) {
	k := w.state.Tasks[key]
	if k.Ended != nil {
		return false, nil
	}
	if w.target.now().After(k.StartedAt.Add(remembered)) {
		return true, w.recoverTask(ctx, key)
	}
	definition, err := w.register(ctx, k.unit().family(), func() (*ecs.RegisterTaskDefinitionInput, error) { return w.taskDefinition(ctx, k) })
	if err != nil {
		return false, err
	}
	in := &ecs.RunTaskInput{
		Cluster: aws.String(w.clusterName()), TaskDefinition: &definition, ClientToken: aws.String(k.unit().token()), Count: aws.Int32(1),
		LaunchType: types.LaunchTypeFargate, PlatformVersion: aws.String("1.4.0"), NetworkConfiguration: w.taskNetwork(),
		EnableECSManagedTags: true, Tags: ecsTags(w.placeTags(k.unit().mark(), nil, "")),
	}
	var out *ecs.RunTaskOutput
	err = w.target.patiently(ctx, fmt.Sprintf("task %q", key), func(ctx context.Context) (err error) {
		if err := w.fence(ctx); err != nil {
			return err
		}
		out, err = w.clients.ecs.RunTask(ctx, in, func(o *ecs.Options) { o.Retryer = witnessed(o.Retryer, &unsure) })
		return failed(err, "run task %q", key)
	}, lagOfECSRole)
	if coded(err, "ConflictException") { // it was begun, with tags or subnets that were others
		if err = w.findRun(ctx, key); err == nil && w.state.Tasks[key].ARN == "" {
			err = target.Errorf(target.ErrUnavailable, "task %q was begun, and ECS does not list it yet", key)
		}
		return true, err
	}
	if err != nil {
		return unsure || !turnedDown(err), err
	}
	for _, f := range out.Failures {
		return false, target.Errorf(target.ErrUnavailable, "ECS could not start the task: %s", strings.TrimSpace(text(f.Reason)+" "+text(f.Detail)))
	}
	if len(out.Tasks) == 0 {
		return false, target.Errorf(target.ErrUnavailable, "ECS started no task and said no reason")
	}
	return true, w.changeTask(ctx, k, func(k *oneTask) {
		k.ARN, k.Definition, k.NotedAt = text(out.Tasks[0].TaskArn), definition, w.target.now()
	})
}

// recoverTask notes the task of a run whose ARN was not noted. Where there is none any more nobody knows
// whether it has run: it is told as ended so.
func (w *slotWork) recoverTask(ctx context.Context, key string) error {
	if err := w.findRun(ctx, key); err != nil {
		return err
	}
	k := w.state.Tasks[key]
	if k.ARN != "" {
		return nil
	}
	now := w.target.now()
	return w.changeTask(ctx, k, func(k *oneTask) {
		k.Ended = &target.TaskStatus{
			Key: k.Spec.Key, Kind: k.Spec.Kind, StartedAt: k.StartedAt, EndedAt: &now,
			Problem: "the run that was to start it died, and ECS does not know of it (any more): whether it has run is not known",
		}
	})
}

// changeTask changes what is remembered of a run that is not forgotten.
func (w *slotWork) changeTask(ctx context.Context, k *oneTask, change func(*oneTask)) error {
	return w.change(ctx, func(s *slotState) error {
		now := s.Tasks[k.Spec.Key]
		if now == nil || now.Nonce != k.Nonce {
			return target.Errorf(target.ErrConflict, "task %q was forgotten meanwhile", k.Spec.Key)
		}
		change(now)
		return nil
	})
}

// taskDefinition is that of a run. A migration is part of the application and has its role; a test
// suite is not, and has none.
func (w *slotWork) taskDefinition(ctx context.Context, k *oneTask) (*ecs.RegisterTaskDefinitionInput, error) {
	t, own := k.Spec.Task, w.base(k.Spec.Release, k.Spec.Color)
	p := program{t.Image, t.Command, t.Environment, t.Secrets}
	switch k.Spec.Kind {
	case target.TaskMigrate:
		own[accountsVariable] = w.accountsPrefix()
	case target.TaskTest:
		own["SLIPWAY_PREVIEW_URL"] = w.spec.PreviewURL()
		own["SLIPWAY_PREVIEW_ADDRESS"] = w.spec.DomainName + ":" + strconv.Itoa(w.spec.Network.PreviewPort)
		if t.Account != "" {
			var err error
			if p.secrets, err = w.lend(ctx, t.Account, own, t.Secrets); err != nil {
				return nil, err
			}
		}
	}
	c := w.container(taskContainer, p, own, k.unit().streams())
	if k.probes() {
		c.EntryPoint, c.Command = []string{"sh", "-c"}, []string{probeScript}
	}
	in := w.fargate(k.unit().family(), c, 0, 0, w.placeTags(k.unit().mark(), nil, ""))
	if k.Spec.Kind == target.TaskMigrate {
		in.TaskRoleArn = aws.String(w.roleARN(roleTask))
	}
	return in, nil
}

// DeleteTask implements target.Tasks.
func (t *Target) DeleteTask(ctx context.Context, id target.SlotID, key string, l target.Lease) error {
	w, err := t.leasedSlot(ctx, id, l)
	if err != nil || w.state.Tasks[key] == nil {
		return err
	}
	if err := w.removeTask(ctx, key); err != nil {
		return fmt.Errorf("remove task %q of slot %q: %w", key, id, err)
	}
	return nil
}

// removeTask stops and forgets a run. One whose start was interrupted is looked for, and not started for that:
// a migration that has not begun is not to begin because its candidate goes.
func (w *slotWork) removeTask(ctx context.Context, key string) error {
	if k := w.state.Tasks[key]; k.ARN == "" && k.Ended == nil {
		if err := w.findRun(ctx, key); err != nil {
			return err
		}
	}
	k := w.state.Tasks[key]
	if k.Ended == nil && k.ARN != "" {
		if err := w.stopTask(ctx, k.ARN, "not wanted any more"); err != nil {
			return err
		}
	}
	return w.forgetTask(ctx, k)
}

// forgetTask forgets a run that does not go on.
func (w *slotWork) forgetTask(ctx context.Context, k *oneTask) error {
	if err := w.deregister(ctx, k.unit().family()); err != nil {
		return err
	}
	return w.change(ctx, func(s *slotState) error {
		if now := s.Tasks[k.Spec.Key]; now != nil && now.Nonce == k.Nonce {
			delete(s.Tasks, k.Spec.Key)
		}
		return nil
	})
}

// findRun notes the run of a key if one was begun whose answer was lost. ECS may not list it yet; nobody else
// starts it meanwhile, for we have the lease.
func (w *slotWork) findRun(ctx context.Context, key string) error {
	k, listed := w.state.Tasks[key], w.target.now().Add(taskLag)
	if last := k.StartedAt.Add(probeStart + taskLag); k.probes() && last.Before(listed) { // nobody starts it after that time
		listed = last
	}
	return w.target.until(ctx, fmt.Sprintf("task %q, which may have been started", key), func(ctx context.Context) (status, bool, error) {
		known, err := w.noteRun(ctx, w.state.Tasks[key])
		return "not there", known || w.target.now().After(listed), err
	})
}

// noteRun notes a run if ECS lists it, and says whether it is known what became of it: without a task
// definition, which is no other's, it was not begun.
func (w *slotWork) noteRun(ctx context.Context, k *oneTask) (known bool, err error) {
	if err := w.fence(ctx); err != nil {
		return false, err
	}
	has, err := findDefinitions(ctx, w.clients, k.unit().family(), types.TaskDefinitionStatusActive)
	if err != nil || len(has) == 0 {
		return true, err
	}
	arns, err := listTasks(ctx, w.clients, w.clusterName(), tasksOf{family: k.unit().family()})
	switch {
	case coded(err, errNoCluster):
		return true, nil
	case err != nil || len(arns) == 0:
		return false, err
	}
	return true, w.changeTask(ctx, k, func(k *oneTask) { k.ARN, k.Definition, k.NotedAt = arns[0], has[0], w.target.now() })
}

// observeTasks looks at all runs that are not known to have ended by one call.
func (w *slotWork) observeTasks(ctx context.Context, obs *target.Observation) error {
	if len(w.state.Tasks) == 0 {
		return nil
	}
	var arns []string
	for _, key := range target.SortedKeys(w.state.Tasks) {
		// The run that began to start it died. A look starts nothing: the task may not be wanted any more.
		// Those that ask a front door are gone on with by whoever asks.
		if k := w.state.Tasks[key]; k.Ended == nil && k.ARN == "" && !k.probes() && w.lease.Token != "" {
			if err := w.recoverTask(ctx, key); err != nil {
				return unnoted(err)
			}
		}
		if k := w.state.Tasks[key]; k.Ended == nil && k.ARN != "" {
			arns = append(arns, k.ARN)
		}
	}
	all, err := findTasks(ctx, w.clients, w.clusterName(), arns)
	if err != nil {
		return err
	}
	by := map[string]*types.Task{}
	for _, t := range all {
		by[text(t.TaskArn)] = &t
	}
	obs.Tasks = map[string]target.TaskStatus{}
	for _, key := range target.SortedKeys(w.state.Tasks) {
		k := w.state.Tasks[key]
		s, err := w.observeTask(ctx, k, by[k.ARN])
		if err != nil {
			return err
		}
		if !k.probes() { // which is the router's
			obs.Tasks[key] = s
		}
	}
	return nil
}

// observeTask says what became of a run. A run of ours that sees one over its time ends it, and
// notes how each ended: ECS forgets it within an hour.
func (w *slotWork) observeTask(ctx context.Context, k *oneTask, t *types.Task) (target.TaskStatus, error) {
	if k.Ended != nil {
		return *k.Ended, nil
	}
	s := target.TaskStatus{Key: k.Spec.Key, Kind: k.Spec.Kind, Running: true, StartedAt: k.StartedAt}
	now := w.target.now()
	limit := time.Duration(k.Spec.Task.TimeoutSeconds) * time.Second
	switch {
	case k.ARN == "", t == nil && (now.Before(k.StartedAt.Add(taskLag)) || now.Before(k.NotedAt.Add(taskLag))):
		return s, nil
	case t == nil:
		s.Running, s.EndedAt, s.Problem = false, &now, "ECS does not know the task any more: how it ended is not known"
	case text(t.LastStatus) == taskStopped:
		s = ended(s, *t)
	case limit > 0 && now.After(lastMoment(k, *t, limit)):
		s.Running, s.EndedAt, s.Problem = false, &now, fmt.Sprintf("did not end within %s and was stopped", limit)
	}
	if s.Running || w.lease.Token == "" {
		return s, nil
	}
	if t != nil && alive(*t) {
		if err := w.stopTask(ctx, k.ARN, s.Problem); err != nil {
			return s, unnoted(err)
		}
	}
	var err error
	if s.LastLines, err = w.readStream(ctx, k.stream(), shownLines); err != nil {
		return s, err
	}
	s.LastLines = w.redacted(ctx, s.LastLines, k.Spec.Task.Secrets)
	return s, unnoted(w.changeTask(ctx, k, func(k *oneTask) { k.Ended = &s }))
}

// lastMoment is when a run's time is over: it begins when the program does.
func lastMoment(k *oneTask, t types.Task, limit time.Duration) time.Time {
	if t.StartedAt != nil {
		return t.StartedAt.Add(limit)
	}
	return k.StartedAt.Add(provisioning + limit)
}

// ended is how a task stopped.
func ended(s target.TaskStatus, t types.Task) target.TaskStatus {
	at, why := stoppedAt(t), troubleOf(t)
	if at.Before(s.StartedAt) {
		at = s.StartedAt
	}
	s.Running, s.EndedAt = false, &at
	if s.ExitCode = why.exit; why.exit == nil {
		s.Problem = why.text
		s.NotStarted = t.StopCode == types.TaskStopCodeTaskFailedToStart
	}
	return s
}
