//go:build linux || darwin

package process

import "fmt"

// identify returns the identity of a process that runs right now.
func identify(pid int) (Identity, error) {
	boot, err := bootID()
	if err != nil {
		return Identity{}, err
	}
	s, err := look(pid)
	if err != nil {
		return Identity{}, fmt.Errorf("identify process %d: %w", pid, err)
	}
	return Identity{PID: pid, StartTime: s.startTime, BootID: boot}, nil
}

// verify returns nil while the process of the identity runs, ErrGone when it does not.
func (i Identity) verify() error {
	boot, err := bootID()
	if err != nil {
		return err
	}
	if boot != i.BootID || i.PID <= 1 {
		return ErrGone
	}
	s, err := look(i.PID)
	if err != nil {
		return err
	}
	if s.zombie || s.startTime != i.StartTime {
		return ErrGone
	}
	return nil
}
