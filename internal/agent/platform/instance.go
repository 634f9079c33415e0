//go:build !windows

package platform

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	stopGrace    = 10 * time.Second // between SIGTERM and SIGKILL, of what has no limit of its own
	killMargin   = 10 * time.Second // for what was killed to be gone
	logLimit     = 10 << 20         // bytes, of one log file
	keptRotated  = 2
	shownLines   = 20
	shownBytes   = 8 << 10
	firstProbing = 250 * time.Millisecond // between checks until the first one passes
)

// errStop is why an instance's life ends where its process is to end with it.
var errStop = errors.New("the instance is stopped")

// instance is one process of a component, kept running.
type instance struct {
	st        *stack
	component string
	index     int

	// held is as long as we look after the process, life as long as it is to run.
	held  context.Context
	letGo context.CancelFunc
	life  context.Context
	end   context.CancelCauseFunc
	over  chan struct{} // closed when nothing of it is looked after any more
	gone  chan struct{} // closed when it was dismissed

	mu        sync.Mutex
	proc      *process.Process
	port      int
	running   bool
	healthy   bool
	leaving   bool // dismissed: it gets no more requests and is not started again
	passes    int
	failures  int
	since     *time.Time
	ill       *time.Time // since when it is not healthy
	usage     usage
	restarts  int
	lastEnd   string
	lastProbe string
	relapse   relapse
	problem   string
	permanent bool
	stopErr   error
}

// relapse is a check that failed after one that had passed.
type relapse struct {
	at   time.Time
	seen string
}

// relapseShown is for how long a relapse is shown.
const relapseShown = time.Minute

func newInstance(st *stack, component string, index int) *instance {
	held, letGo := context.WithCancel(st.s.e.life)
	life, end := context.WithCancelCause(held)
	return &instance{
		st: st, component: component, index: index, held: held, letGo: letGo, life: life, end: end,
		over: make(chan struct{}), gone: make(chan struct{}),
	}
}

func (i *instance) name() string           { return i.st.id() + "/" + i.component + "/" + strconv.Itoa(i.index) }
func (i *instance) key() string            { return i.component + "/" + strconv.Itoa(i.index) }
func (i *instance) spec() target.Component { return i.st.current().Definition.Components[i.component] }

// start begins to look after the instance and returns when it was started, or found and
// probed once.
func (i *instance) start(ctx context.Context, remembered *instanceFile) {
	first := make(chan struct{})
	go i.keep(remembered, sync.OnceFunc(func() { close(first) }))
	select {
	case <-first:
	case <-ctx.Done():
	}
}

// release leaves the process running, or ending if it was told to.
func (i *instance) release() {
	i.letGo()
	<-i.over
}

// keep runs the process, again when it ends, until its life is over. begun is called when
// the first process was started, or found and probed.
func (i *instance) keep(remembered *instanceFile, begun func()) {
	defer close(i.over)
	defer begun()
	backoff := process.NewBackoff(uint64(i.index))
	proc, adopted := i.adopt(remembered, begun)
	for proc != nil || i.life.Err() == nil {
		if proc == nil {
			proc = i.launch()
		}
		if proc == nil {
			begun()
			if !i.pause(backoff.Next(0)) {
				break
			}
			continue
		}
		started := time.Now()
		if !adopted {
			begun()
		}
		if !i.watch(proc, adopted, begun) {
			i.leave(proc)
			return
		}
		i.ended(proc)
		proc, adopted = nil, false
		if !i.pause(backoff.Next(time.Since(started))) {
			break
		}
	}
}

// adopt finds the process that was remembered. begun is called where that takes long.
func (i *instance) adopt(remembered *instanceFile, begun func()) (*process.Process, bool) {
	if remembered == nil {
		return nil, false
	}
	p := i.st.s.e.p
	trouble := func(err error) {
		p.log.Error("an instance of before can't be looked at and may still run: it is not started again", "instance", i.name(), "error", err)
		i.mu.Lock()
		i.problem = fmt.Sprintf("its %s of before can't be looked at, and is not started again while it may run: %v", remembered.Identity, err)
		i.mu.Unlock()
		begun()
	}
	proc, err := p.refind(i.life, remembered.Identity, trouble)
	if err != nil && i.life.Err() != nil {
		// It is to end, which takes that it is found.
		last, cancel := context.WithTimeout(i.held, killMargin)
		proc, err = p.refind(last, remembered.Identity, trouble)
		cancel()
	}
	if errors.Is(err, process.ErrGone) {
		p.log.Warn("an instance of before does not run any more", "instance", i.name())
		return nil, false
	}
	if err != nil {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.stopErr = err
		return nil, false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.proc, i.port, i.running, i.problem = proc, remembered.Port, true, ""
	i.fallIll()
	return proc, true
}

// launch starts the process on a fresh port; nil if that did not work.
func (i *instance) launch() *process.Process {
	port, err := i.st.s.e.p.ports.Free()
	var proc *process.Process
	if err == nil {
		proc, err = i.execute(port)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fallIll()
	if err != nil {
		var start *process.StartError
		var secret *secretError
		i.permanent = errors.As(err, &start) || errors.As(err, &secret)
		i.problem = rootCause(err)
		i.running = false
		return nil
	}
	i.proc, i.port, i.running, i.problem, i.permanent = proc, port, true, "", false
	return proc
}

// execute starts the program; its identity is remembered before it runs.
func (i *instance) execute(port int) (*process.Process, error) {
	st := i.st
	spec := st.current()
	if err := st.folders(); err != nil {
		return nil, err
	}
	c := spec.Definition.Expand().Components[i.component]
	env, err := st.s.e.instanceEnvironment(spec, i.component, c, i.index, port)
	if err != nil {
		return nil, err
	}
	return process.Start(i.life, process.Spec{
		ID: i.name(), Kind: process.Instance, Command: c.Command, Env: env,
		Dir:         st.s.files.stack(st.s.id.Name, spec.SwapID) + "/home",
		LogFile:     st.s.files.instanceLog(st.s.id.Name, spec.SwapID, i.component, i.index),
		RunAs:       st.s.e.application(),
		ShimCommand: st.s.e.p.shim,
		Record: func(id process.Identity) error {
			return st.s.change(func(f *slotFile) error {
				seat := f.Seats[spec.Color]
				if seat == nil || seat.Spec.SwapID != spec.SwapID {
					return target.Errorf(target.ErrConflict, "the seat was emptied meanwhile")
				}
				if seat.Instances == nil {
					seat.Instances = map[string]*instanceFile{}
				}
				seat.Instances[i.key()] = &instanceFile{Identity: id, Port: port}
				return nil
			})
		},
	})
}

// watch probes the process until it ends (true) or nobody is to look after it (false).
func (i *instance) watch(proc *process.Process, adopted bool, begun func()) bool {
	probing, endProbing := context.WithCancel(i.life)
	var wg sync.WaitGroup
	wg.Go(func() { i.probe(probing, adopted, begun) })
	defer func() {
		endProbing()
		wg.Wait()
	}()
	select {
	case <-proc.Done():
		return true
	case <-i.life.Done():
		return false
	}
}

// ended notes the end of the process, and removes what it left of its session.
func (i *instance) ended(proc *process.Process) {
	exit := proc.Exit()
	i.mu.Lock()
	i.running, i.healthy, i.passes, i.failures, i.since, i.proc, i.usage = false, false, 0, 0, nil, nil, usage{}
	i.fallIll()
	i.restarts++
	switch {
	case exit.Signal != "":
		i.problem = "killed by " + exit.Signal
	case exit.Known:
		i.problem = fmt.Sprintf("exited with code %d", exit.Code)
	default:
		i.problem = "ended"
	}
	problem := i.problem
	i.lastEnd = problem
	i.mu.Unlock()
	i.st.publish(i.component)
	i.st.s.e.p.log.Warn("an instance ended", "instance", i.name(), "how", problem)
	if err := proc.Stop(i.life, 0); err != nil && i.life.Err() == nil {
		i.st.s.e.p.log.Error("what an instance left behind was not removed", "instance", i.name(), "error", err)
	}
}

// leave ends an instance whose life is over: it is stopped, or left to the next agent.
func (i *instance) leave(proc *process.Process) {
	if !errors.Is(context.Cause(i.life), errStop) {
		proc.Release()
		return
	}
	i.mu.Lock()
	i.healthy = false
	i.fallIll()
	i.mu.Unlock()
	i.st.publish(i.component)
	grace := i.spec().StopTimeout()
	stopping, cancel := context.WithTimeout(i.held, grace+killMargin)
	defer cancel()
	err := proc.Stop(stopping, grace)
	if err != nil {
		proc.Release()
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.running, i.stopErr = err != nil, err
}

// fallIll notes since when the instance is not healthy. The caller holds i.mu.
func (i *instance) fallIll() {
	if i.ill == nil && !i.healthy {
		now := i.st.s.e.p.clock.Now()
		i.ill = &now
	}
}

// pause waits before the next start; false when there is to be none.
func (i *instance) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-i.life.Done():
		return false
	}
}

// address is where the instance takes requests, if it is healthy.
func (i *instance) address() (string, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(i.port)), i.running && i.healthy && !i.leaving
}

// status is the instance as it is seen now. Its last lines are shown while it is not well,
// or was not a moment ago.
func (i *instance) status() target.InstanceStatus {
	i.mu.Lock()
	s := target.InstanceStatus{
		Component: i.component, Index: i.index, Running: i.running, Healthy: i.running && i.healthy,
		Passes: i.passes, HealthySince: i.since, UnhealthySince: i.ill, Restarts: i.restarts, LastEnd: i.lastEnd,
		CPUPercent: i.usage.percent,
		LastProbe:  i.lastProbe, Problem: i.problem, Permanent: i.permanent,
	}
	ago := i.st.s.e.p.clock.Now().Sub(i.relapse.at)
	relapsed := ago < relapseShown
	if relapsed && i.passes > 0 {
		s.LastProbe = fmt.Sprintf("%s; %s before: %s", i.lastProbe, ago.Round(time.Second), i.relapse.seen)
	}
	i.mu.Unlock()
	if !s.Healthy || relapsed {
		spec := i.st.current()
		s.LastLines = i.st.s.lastLines(
			i.st.s.files.instanceLog(i.st.s.id.Name, spec.SwapID, i.component, i.index),
			spec.Definition.Components[i.component].Secrets)
	}
	return s
}

// rootCause is the innermost message that still says what happened.
func rootCause(err error) string {
	var start *process.StartError
	if errors.As(err, &start) {
		return start.Error()
	}
	return err.Error()
}
