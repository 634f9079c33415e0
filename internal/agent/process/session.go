//go:build linux || darwin

package process

import (
	"errors"
	"fmt"
	"syscall"
)

// members returns who is alive in the session that the process leads or led.
func (i Identity) members() ([]status, error) {
	everybody, err := all()
	if err != nil {
		return nil, err
	}
	return membersAmong(i, everybody), nil
}

func membersAmong(leader Identity, everybody []status) []status {
	var members []status
	for _, s := range everybody {
		// The kernel does not hand out a number again while a session is named by it. Somebody else
		// under the leader's number therefore means that the whole session is gone.
		if s.pid == leader.PID && s.startTime != leader.StartTime {
			return nil
		}
		if s.session == leader.PID && !s.zombie && s.startTime >= leader.StartTime {
			members = append(members, s)
		}
	}
	return members
}

// signalMembers sends to each member of the session for whom which is true.
func (i Identity) signalMembers(sig syscall.Signal, which func(status) bool) error {
	members, err := i.members()
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range members {
		if !which(s) {
			continue
		}
		if err := i.signalMember(s, sig); err != nil && !errors.Is(err, ErrGone) {
			errs = append(errs, fmt.Errorf("signal the session of %s: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

// signalMember goes through a watcher, which verifies that the number still means the same process.
func (i Identity) signalMember(s status, sig syscall.Signal) error {
	w, err := watch(Identity{PID: s.pid, StartTime: s.startTime, BootID: i.BootID})
	if err != nil {
		return err
	}
	defer w.close()
	return w.signal(sig)
}
