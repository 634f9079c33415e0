//go:build linux || darwin

package process

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lookEvery is how often a dying session is looked at for members that remain.
const lookEvery = 20 * time.Millisecond

// Stop ends the process and everything in its session. The process group hears SIGTERM, a task's shim
// passes it on; what is left when grace is over hears SIGKILL. Stop returns when nobody is left. It may
// be called again, at the same time, and after Done for what a dead process left behind. When ctx ends
// first, Stop returns its error and whatever still runs keeps running.
func (p *Process) Stop(ctx context.Context, grace time.Duration) error {
	asked := p.terminate()
	limit := time.NewTimer(grace)
	defer limit.Stop()
	if asked {
		select {
		case <-p.done:
		case <-limit.C:
			limit.Reset(0)
		case <-ctx.Done():
			return p.interrupted(ctx)
		}
	}
	// The process has ended or did not listen. Whoever sits in another group was not told yet.
	untold := func(s status) bool { return !asked || s.group != p.id.PID }
	if err := p.id.signalMembers(syscall.SIGTERM, untold); err != nil {
		return err
	}
	return p.clear(ctx, limit.C)
}

// clear waits until the session is empty, by force once limit fires.
func (p *Process) clear(ctx context.Context, limit <-chan time.Time) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for forced := false; ; {
		members, err := p.id.members()
		if err != nil {
			return err
		}
		if len(members) == 0 {
			break
		}
		if forced {
			if err := p.kill(); err != nil {
				return err
			}
		}
		select {
		case <-limit:
			forced = true
			continue
		case <-ticker.C:
		case <-ctx.Done():
			return p.interrupted(ctx)
		}
	}
	select {
	case <-p.unwatched: // our child has been waited for
		return nil
	case <-ctx.Done():
		return p.interrupted(ctx)
	}
}

// terminate asks the process group to end and says whether there was anybody to ask.
func (p *Process) terminate() bool {
	// While the leader lives, the group's number cannot belong to another one.
	if p.watcher.signal(0) != nil {
		return false
	}
	return unix.Kill(-p.id.PID, syscall.SIGTERM) == nil
}

// kill kills the group at one stroke, so that it cannot fork its way out, then the rest of the session.
func (p *Process) kill() error {
	if p.watcher.signal(0) == nil {
		_ = unix.Kill(-p.id.PID, syscall.SIGKILL)
	}
	return p.id.signalMembers(syscall.SIGKILL, func(status) bool { return true })
}

func (p *Process) interrupted(ctx context.Context) error {
	return fmt.Errorf("stop %s: %w", p.id, context.Cause(ctx))
}

// Sweep kills what remains in the session of a process that Find reports as gone: children that a dead
// component left behind, and that may still hold its port. It waits until they are gone.
func Sweep(ctx context.Context, id Identity) error {
	boot, err := bootID()
	if err != nil {
		return err
	}
	if boot != id.BootID || id.PID <= 1 {
		return nil
	}
	switch err := id.verify(); {
	case err == nil:
		return fmt.Errorf("sweep %s: it still runs", id)
	case !errors.Is(err, ErrGone):
		return err
	}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		members, err := id.members()
		if err != nil || len(members) == 0 {
			return err
		}
		if err := id.signalMembers(syscall.SIGKILL, func(status) bool { return true }); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("sweep %s: %w", id, context.Cause(ctx))
		}
	}
}
