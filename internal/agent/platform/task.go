//go:build !windows

package platform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// task is a migration or a test suite, running or ended.
type task struct {
	s   *slot
	key string

	mu   sync.Mutex
	end  context.CancelFunc
	over chan struct{} // closed when nothing of it is looked after any more
}

// taskFile is a task as it is remembered.
type taskFile struct {
	Spec      target.TaskSpec   `json:"spec"`
	StartedAt time.Time         `json:"started_at"`
	Identity  *process.Identity `json:"identity,omitempty"`
	EndedAt   *time.Time        `json:"ended_at,omitempty"`
	ExitCode  *int              `json:"exit_code,omitempty"`
	Problem   string            `json:"problem,omitempty"`
	// NotStarted says that the program never ran.
	NotStarted bool `json:"not_started,omitempty"`
}

// PutTask implements target.Tasks.
func (p *Platform) PutTask(ctx context.Context, spec target.TaskSpec, l target.Lease) error {
	s, err := p.slot(spec.Slot, true)
	if err != nil {
		return err
	}
	s.effects.Lock()
	defer s.effects.Unlock()
	s.mu.Lock()
	err = s.leased(l)
	known := s.file.Tasks[spec.Key] != nil
	if err == nil && !known {
		err = s.changeLocked(func(f *slotFile) error {
			f.Tasks[spec.Key] = &taskFile{Spec: spec, StartedAt: p.clock.Now()}
			return nil
		})
	}
	s.mu.Unlock()
	if err != nil || known {
		return err
	}
	t := s.newTask(spec.Key)
	proc, err := t.launch(ctx, spec)
	switch {
	case err == nil:
		t.watch(proc)
		return nil
	case ctx.Err() != nil:
		close(t.over)
		return errors.Join(context.Cause(ctx), s.deleteTask(context.WithoutCancel(ctx), spec.Key))
	}
	close(t.over)
	return t.record(func(f *taskFile) { f.NotStarted, f.Problem = true, rootCause(err) })
}

func (s *slot) newTask(key string) *task {
	t := &task{s: s, key: key, end: func() {}, over: make(chan struct{})}
	s.mu.Lock()
	s.tasks[key] = t
	s.mu.Unlock()
	return t
}

func (t *task) dir() string         { return t.s.files.task(t.s.id.Name, t.key) }
func (t *task) accountsDir() string { return filepath.Join(t.dir(), "accounts") }
func (t *task) resultFile() string  { return filepath.Join(t.dir(), "result.json") }

// launch starts the program; its identity is remembered before it runs.
func (t *task) launch(ctx context.Context, spec target.TaskSpec) (*process.Process, error) {
	e := t.s.e
	if err := e.p.passage(filepath.Dir(t.dir()), t.dir(), t.s.files.slotLogs(t.s.id.Name)); err != nil {
		return nil, err
	}
	// A run before may have had the same key: what it wrote is not this one's.
	if err := os.Remove(t.s.files.taskLog(t.s.id.Name, t.key)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the log of a run before: %w", err)
	}
	user, err := t.user(spec)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{"home", "tmp"} {
		if err := privateDir(filepath.Join(t.dir(), dir), user); err != nil {
			return nil, fmt.Errorf("make task folder: %w", err)
		}
	}
	if err := e.p.writeFile(filepath.Join(t.dir(), caFile), e.p.authority.PEM(), 0o644, nil); err != nil {
		return nil, err
	}
	accounts, err := t.accounts(spec, user)
	if err != nil {
		return nil, err
	}
	env, err := e.taskEnvironment(spec, t.dir(), accounts)
	if err != nil {
		return nil, err
	}
	return process.Start(ctx, process.Spec{
		ID: t.s.id.String() + "/" + t.key, Kind: process.Task, Command: spec.Task.Command, Env: env,
		Dir: filepath.Join(t.dir(), "home"), LogFile: t.s.files.taskLog(t.s.id.Name, t.key), ResultFile: t.resultFile(),
		RunAs: user, ShimCommand: e.p.shim,
		Record: func(id process.Identity) error {
			return t.record(func(f *taskFile) { f.Identity = &id })
		},
	})
}

// user is who the task runs as: a migration is part of the application, a test suite is not.
func (t *task) user(spec target.TaskSpec) (*process.User, error) {
	if spec.Kind == target.TaskTest {
		return t.s.e.suite(t.s.id.Name)
	}
	return t.s.e.application(), nil
}

// accounts is the account directory of the task: a migration's is the environment's, a test
// suite's has the one account that it names.
func (t *task) accounts(spec target.TaskSpec, user *process.User) (string, error) {
	e := t.s.e
	switch {
	case spec.Kind == target.TaskMigrate:
		return e.files.accounts(), nil
	case spec.Task.Account == "":
		return "", nil
	}
	dir := t.accountsDir()
	if err := privateDir(dir, user); err != nil {
		return "", fmt.Errorf("make account directory: %w", err)
	}
	return dir, e.copyAccount(spec.Task.Account, dir, user)
}

// tests says whether the task is a running test suite that has an account.
func (t *task) tests(account string) bool {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	f := t.s.file.Tasks[t.key]
	return f != nil && f.EndedAt == nil && f.Spec.Kind == target.TaskTest && f.Spec.Task.Account == account
}

// watch waits for the end of the program, and ends it when its time is up.
func (t *task) watch(proc *process.Process) {
	life, end := context.WithCancel(t.s.e.life)
	t.mu.Lock()
	t.end = end
	t.mu.Unlock()
	go func() {
		defer close(t.over)
		defer end()
		t.s.mu.Lock()
		file := *t.s.file.Tasks[t.key]
		t.s.mu.Unlock()
		limit := time.Duration(file.Spec.Task.TimeoutSeconds) * time.Second
		timer := time.NewTimer(time.Until(file.StartedAt.Add(limit)))
		defer timer.Stop()
		problem := ""
		select {
		case <-proc.Done():
		case <-timer.C:
			problem = fmt.Sprintf("it did not end within %s and was ended", limit)
		case <-life.Done():
			proc.Release()
			return
		}
		// What it left of its session goes too.
		stopping, cancel := context.WithTimeout(context.Background(), 2*stopGrace)
		defer cancel()
		if err := proc.Stop(stopping, stopGrace); err != nil {
			t.s.e.p.log.Error("a task did not stop", "task", t.key, "error", err)
		}
		t.finish(problem)
	}()
}

// finish remembers how the program ended. problem says that we ended it.
func (t *task) finish(problem string) {
	result, err := process.ReadResult(t.resultFile())
	err = t.record(func(f *taskFile) {
		switch {
		case problem != "":
			f.Problem = problem
		case err != nil:
			f.Problem = "it was killed together with whoever waited for it"
		case result.StartError != "":
			f.Problem, f.NotStarted = result.StartError, true
		case result.Signal != "":
			f.Problem = "it was killed by " + result.Signal
		default:
			f.ExitCode = &result.ExitCode
		}
	})
	if err != nil {
		t.s.e.p.log.Error("a task's end was not recorded", "task", t.key, "error", err)
	}
}

// record changes what is remembered; a task without an identity still to come has ended.
func (t *task) record(do func(*taskFile)) error {
	return t.s.change(func(f *slotFile) error {
		file := f.Tasks[t.key]
		if file == nil {
			return target.Errorf(target.ErrConflict, "the task was ended meanwhile")
		}
		before := file.Identity
		do(file)
		if file.Identity == before {
			now := t.s.e.p.clock.Now()
			file.EndedAt = &now
		}
		return nil
	})
}

// resumeTask finds a task of before: it runs on, or left its result, or was killed.
func (s *slot) resumeTask(key string) {
	t := s.newTask(key)
	s.mu.Lock()
	file := *s.file.Tasks[key]
	s.mu.Unlock()
	if file.EndedAt != nil {
		close(t.over)
		return
	}
	if file.Identity == nil {
		close(t.over)
		t.finish("")
		return
	}
	life, end := context.WithCancel(s.e.life)
	t.mu.Lock()
	t.end = end
	t.mu.Unlock()
	first := make(chan struct{})
	seen := sync.OnceFunc(func() { close(first) })
	go func() {
		defer seen()
		defer end()
		proc, err := s.e.p.refind(life, *file.Identity, func(err error) {
			s.e.p.log.Error("a task of before can't be looked at and may still run", "task", key, "error", err)
			seen()
		})
		switch {
		case err == nil:
			t.watch(proc)
		case errors.Is(err, process.ErrGone):
			close(t.over)
			t.finish("")
		default: // nobody looks after it any more
			close(t.over)
		}
	}()
	<-first
}

// status is the task as it is seen now.
func (t *task) status() target.TaskStatus {
	t.s.mu.Lock()
	file, ok := t.s.file.Tasks[t.key]
	if !ok {
		t.s.mu.Unlock()
		return target.TaskStatus{Key: t.key, Problem: "it was ended"}
	}
	out := target.TaskStatus{
		Key: t.key, Kind: file.Spec.Kind, Running: file.EndedAt == nil, StartedAt: file.StartedAt,
		EndedAt: file.EndedAt, ExitCode: file.ExitCode, Problem: file.Problem, NotStarted: file.NotStarted,
	}
	secrets := file.Spec.Task.Secrets
	t.s.mu.Unlock()
	out.LastLines = t.s.lastLines(t.s.files.taskLog(t.s.id.Name, t.key), secrets)
	return out
}

// DeleteTask implements target.Tasks.
func (p *Platform) DeleteTask(ctx context.Context, id target.SlotID, key string, l target.Lease) error {
	s, err := p.slot(id, false)
	if errors.Is(err, target.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	s.effects.Lock()
	defer s.effects.Unlock()
	if err := s.checkLease(l); err != nil {
		return err
	}
	return s.deleteTask(ctx, key)
}

// deleteTask ends a task and forgets it. The caller holds s.effects.
func (s *slot) deleteTask(ctx context.Context, key string) error {
	s.mu.Lock()
	t := s.tasks[key]
	s.mu.Unlock()
	if t == nil {
		return nil
	}
	if err := t.stop(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(t.dir()); err != nil {
		return fmt.Errorf("remove the folder of task %q: %w", key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.changeLocked(func(f *slotFile) error { delete(f.Tasks, key); return nil }); err != nil {
		return err
	}
	delete(s.tasks, key)
	return nil
}

// stop ends the program, without a note of how.
func (t *task) stop(ctx context.Context) error {
	t.release()
	t.s.mu.Lock()
	var id *process.Identity
	if file := t.s.file.Tasks[t.key]; file != nil {
		id = file.Identity
	}
	t.s.mu.Unlock()
	if id == nil {
		return nil
	}
	// Its end was not watched any more: find it again.
	if err := t.s.e.p.endProcess(ctx, *id); err != nil {
		return fmt.Errorf("end task %q: %w", t.key, err)
	}
	return nil
}

// release stops looking after the task and leaves it running.
func (t *task) release() {
	t.mu.Lock()
	end := t.end
	t.mu.Unlock()
	end()
	<-t.over
}

// knownSecrets are the texts that must not be shown.
func (e *environment) knownSecrets(files map[string]string) []string {
	known := e.passwords()
	for _, path := range files {
		if text, err := readSecret(path); err == nil && strings.TrimSpace(text) != "" {
			known = append(known, text)
		}
	}
	return known
}
