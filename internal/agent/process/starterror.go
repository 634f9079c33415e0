package process

import (
	"fmt"
	"syscall"
)

// StartError says why a command cannot be started. It is permanent: the same specification will fail the
// same way until somebody changes it or the machine.
type StartError struct {
	// Op is what could not be done: "open log", "become user", "enter directory", "find command" or
	// "execute".
	Op string
	// Path is the file or directory concerned.
	Path string
	// Err explains it to people and wraps the syscall.Errno.
	Err error
}

func (e *StartError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("%s %q: %v", e.Op, e.Path, e.Err)
}

// Unwrap returns the cause: errors.Is(err, fs.ErrNotExist) works.
func (e *StartError) Unwrap() error { return e.Err }

// cause is an errno with words of ours. Unlike other errors it survives the way through a pipe.
type cause struct {
	Text  string        `json:"text"`
	Errno syscall.Errno `json:"errno"`
}

func (c *cause) Error() string { return c.Text }

func (c *cause) Unwrap() error {
	if c.Errno == 0 {
		return nil
	}
	return c.Errno
}
