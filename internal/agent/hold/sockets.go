//go:build linux || darwin

package hold

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// heldSocket is an open listening socket. Its descriptor stays a number: an os.File of it would have the
// runtime watch for connections that are not ours to accept.
type heldSocket struct {
	socketSpec
	Descriptor int `json:"descriptor"`
}

// socketTable is the sockets by key.
type socketTable map[string]heldSocket

// open returns the socket that was asked for, opening it unless it is open. Under one key there is one
// socket: another address closes the old one first.
func (t socketTable) open(want socketSpec) (heldSocket, error) {
	if held, found := t[want.Key]; found {
		if held.socketSpec == want {
			return held, nil
		}
		if err := t.close(want.Key); err != nil {
			return heldSocket{}, err
		}
	}
	descriptor, err := listen(want)
	if err != nil {
		return heldSocket{}, err
	}
	held := heldSocket{want, descriptor}
	t[want.Key] = held
	return held, nil
}

func listen(want socketSpec) (int, error) {
	switch want.Network {
	case "tcp":
		var config net.ListenConfig
		config.SetMultipathTCP(false) // it would cost each connection something and gains nothing here
		listener, err := config.Listen(context.Background(), "tcp", want.Address)
		if err != nil {
			return -1, err
		}
		return detached(listener.(*net.TCPListener))
	case "unix":
		listener, err := ListenUnix(want.Address, want.Mode)
		if err != nil {
			return -1, err
		}
		return detached(listener)
	default:
		return -1, fmt.Errorf("listen on %q: network %q is unknown", want.Address, want.Network)
	}
}

// listener is what the two kinds of sockets have in common.
type listener interface {
	syscall.Conn
	Close() error
}

// detached closes the listener and returns its socket, which goes on listening.
func detached(l listener) (int, error) {
	descriptor := -1
	conn, err := l.SyscallConn()
	if err == nil {
		var duplicated error
		err = conn.Control(func(fd uintptr) {
			descriptor, duplicated = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
		})
		err = errors.Join(err, duplicated)
	}
	if err := errors.Join(err, l.Close()); err != nil {
		return -1, fmt.Errorf("duplicate socket: %w", err)
	}
	return descriptor, nil
}

// close closes a socket for everybody who shares it and removes its file. An unknown key is closed already.
func (t socketTable) close(key string) error {
	held, found := t[key]
	if !found {
		return nil
	}
	err := t.shut(key)
	if held.Network == "unix" {
		err = errors.Join(err, remove(held.Address))
	}
	return err
}

// shut closes a socket for everybody who shares it and leaves its file.
func (t socketTable) shut(key string) error {
	held := t[key]
	delete(t, key)
	// Others hold the same socket. Shut down, it refuses connections at once; macOS cannot do that to a
	// listening socket and goes on until the last descriptor is closed.
	_ = unix.Shutdown(held.Descriptor, unix.SHUT_RDWR)
	if err := unix.Close(held.Descriptor); err != nil {
		return fmt.Errorf("close socket %q: %w", key, err)
	}
	return nil
}

// all returns the sockets in the order of their keys.
func (t socketTable) all() []heldSocket {
	var sockets []heldSocket
	for _, held := range t {
		sockets = append(sockets, held)
	}
	slices.SortFunc(sockets, func(a, b heldSocket) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	return sockets
}
