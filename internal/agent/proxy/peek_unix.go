//go:build unix

package proxy

import (
	"errors"
	"syscall"
)

// peekDead reports whether an idle connection's socket has anything to read: its end, an
// error, or bytes that nobody asked for. The socket does not block.
func peekDead(fd uintptr) bool {
	var one [1]byte
	_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
	return !errors.Is(err, syscall.EAGAIN)
}
