//go:build linux || darwin

package hold

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
)

// Listener returns the TCP socket of a key, listening on the address (host:port). It is the same one for
// every serve that asks, open from the first time until [Client.CloseListener]: closing the listener only
// stops accepting here. Another address closes the key's old socket first.
func (c *Client) Listener(ctx context.Context, key, address string) (net.Listener, error) {
	return c.listener(ctx, socketSpec{Key: key, Network: "tcp", Address: address})
}

// UnixListener returns the unix socket of a key, as Listener does. The path may be longer than the
// system allows where [ListenUnix] has a way around that.
func (c *Client) UnixListener(ctx context.Context, key, path string, mode fs.FileMode) (net.Listener, error) {
	return c.listener(ctx, socketSpec{Key: key, Network: "unix", Address: path, Mode: mode})
}

// CloseListener closes the socket of a key for everybody. A key that has none is no error.
func (c *Client) CloseListener(ctx context.Context, key string) error {
	_, err := c.do(ctx, message{Op: opUnlisten, Socket: &socketSpec{Key: key}})
	return err
}

func (c *Client) listener(ctx context.Context, socket socketSpec) (net.Listener, error) {
	descriptor, err := c.do(ctx, message{Op: opListen, Socket: &socket})
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(descriptor), socket.Key)
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("use socket %q: %w", socket.Key, err)
	}
	return listener, nil
}
