//go:build !windows

package platform

import (
	"context"
	"errors"
	"time"
)

// stuckAfter is how many attempts in a row make a problem one that waiting does not solve.
const stuckAfter = 3

// poke asks converge to look again.
func (e *environment) poke() {
	select {
	case e.kick <- struct{}{}:
	default:
	}
}

// converge makes what is asked true, again and again until it is, whenever it is poked.
func (e *environment) converge() {
	for {
		select {
		case <-e.life.Done():
			return
		case <-e.kick:
		}
		pause := time.Second
		for attempt := 1; ; attempt++ {
			err := e.build(e.life)
			if e.life.Err() != nil {
				return
			}
			if err == nil {
				e.settled()
				break
			}
			e.trouble(err, attempt >= stuckAfter || permanent(err))
			if !e.pauseOrPoke(pause) {
				return
			}
			pause = min(2*pause, 30*time.Second)
		}
	}
}

// pauseOrPoke waits; a poke ends the wait early, the end of the environment for good.
func (e *environment) pauseOrPoke(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-e.life.Done():
		return false
	case <-e.kick:
	case <-t.C:
	}
	return true
}

// build makes the front door and the database servers.
func (e *environment) build(ctx context.Context) error {
	err := errors.Join(e.openDoor(ctx), e.openServer(ctx, ""))
	e.openClusters(ctx)
	e.finishPasswords(ctx)
	return err
}

func (e *environment) settled() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.file.Meta.Ready && e.file.Meta.Problem == "" {
		return
	}
	e.file.Meta.Ready, e.file.Meta.Problem, e.file.Meta.Stuck = true, "", false
	e.saveOrComplain()
}

func (e *environment) trouble(err error, stuck bool) {
	e.p.log.Error("the environment is not as asked", "environment", e.id.String(), "error", err)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.file.Meta.Problem, e.file.Meta.Stuck = err.Error(), stuck
	e.saveOrComplain()
}

// progress says what takes long. It is seen by whoever waits.
func (e *environment) progress(text string) {
	e.p.log.Info(text, "environment", e.id.String())
	e.mu.Lock()
	defer e.mu.Unlock()
	e.file.Meta.Problem = text
}

// saveOrComplain writes the record where nobody waits for the outcome: what could not be
// written now is written with the next change. The caller holds e.mu.
func (e *environment) saveOrComplain() {
	if err := e.p.save(e.files.record(), e.file); err != nil {
		e.p.log.Error("the environment's record was not written", "environment", e.id.String(), "error", err)
	}
}
