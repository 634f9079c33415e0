//go:build linux || darwin

package hold

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// holdProcess is a hold that we started.
type holdProcess struct{ command *exec.Cmd }

// bury ends a hold whose link has ended and takes it out of the kernel's table.
func (p *holdProcess) bury() {
	if p == nil {
		return
	}
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// firstExtra is the number that the first of a command's ExtraFiles gets.
const firstExtra = 3

// startHold starts a hold that finds us, the lock and all sockets.
func (c *Client) startHold() (*link, *holdProcess, error) {
	path, err := self()
	if err != nil {
		return nil, nil, err
	}
	sockets, files, err := c.copySockets()
	defer closeFiles(files)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs, err := newPair()
	if err != nil {
		return nil, nil, err
	}
	defer theirs.Close()
	variable, err := assignment(holdVariable, estate{
		Lock:      firstExtra,
		Serves:    []heir{{Link: firstExtra + 1, PID: os.Getpid(), Active: true}},
		Sockets:   sockets,
		StopAsked: c.stopAsked(),
	})
	if err != nil {
		ours.close()
		return nil, nil, err
	}
	command := exec.Command(path, c.options.Commands.Hold...)
	command.Args[0] = os.Args[0]
	command.Dir = "/"
	command.Env = append(os.Environ(), variable)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.ExtraFiles = append([]*os.File{c.lock, theirs}, files...)
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		ours.close()
		return nil, nil, fmt.Errorf("start hold: %w", err)
	}
	return ours, &holdProcess{command}, nil
}

// copySockets returns the sockets as a hold that starts with their copies, after lock and link, finds
// them.
func (c *Client) copySockets() ([]heldSocket, []*os.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sockets []heldSocket
	var files []*os.File
	for _, held := range c.sockets {
		copied, err := unix.FcntlInt(uintptr(held.Descriptor), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, files, fmt.Errorf("duplicate socket %q: %w", held.Key, err)
		}
		held.Descriptor = firstExtra + 2 + len(files)
		sockets = append(sockets, held)
		files = append(files, os.NewFile(uintptr(copied), held.Key))
	}
	return sockets, files, nil
}

func closeFiles(files []*os.File) {
	for _, file := range files {
		_ = file.Close()
	}
}

func (c *Client) stopAsked() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}
