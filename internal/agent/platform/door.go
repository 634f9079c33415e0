//go:build !windows

package platform

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// door is an environment's front door as it was opened.
type door struct {
	domain  string
	network target.Network
	keys    []string // of its listeners
	serving sync.WaitGroup
}

// listenerKey names a socket by its address too, so that a door on other ports is opened
// while the old one still answers.
func (e *environment) listenerKey(address string) string { return e.id.String() + "@" + address }

// openDoor makes the front door what is asked. One that is so already is left alone; another
// domain name or port is another door, into which all stacks are put again.
func (e *environment) openDoor(ctx context.Context) error {
	e.mu.Lock()
	domain, network := target.LocalDomainName(e.file.Spec.DomainName), e.file.Spec.Network
	current := e.door
	e.mu.Unlock()
	if current != nil && current.domain == domain && current.network == network {
		return nil
	}
	config, err := e.p.authority.ServerConfig([]string{domain, "*." + domain})
	if err != nil {
		return fmt.Errorf("issue the front door's certificate: %w", err)
	}
	fresh := &door{domain: domain, network: network}
	listeners := map[proxy.Entrance]net.Listener{}
	for entrance, at := range map[proxy.Entrance]struct {
		name string
		port int
	}{proxy.Production: {"https", network.HTTPSPort}, proxy.Preview: {"preview", network.PreviewPort}} {
		address := net.JoinHostPort(network.ListenAddress, strconv.Itoa(at.port))
		l, err := e.p.listeners.Listener(ctx, e.listenerKey(address), address)
		if err != nil {
			for _, open := range listeners {
				_ = open.Close() // only our descriptor of it
			}
			e.unlisten(ctx, fresh.keys, current)
			return refusedPort(at.name, address, err)
		}
		listeners[entrance] = l
		fresh.keys = append(fresh.keys, e.listenerKey(address))
	}
	e.closeDoor()
	if current != nil {
		e.unlisten(ctx, current.keys, fresh)
	}
	front := proxy.New(domain, e.p.log)
	e.mu.Lock()
	front.LackRoutes(len(e.bad.slots) > 0)
	e.door, e.proxy = fresh, front
	e.mu.Unlock()
	for _, s := range e.allSlots() {
		s.enter(front)
	}
	for entrance, l := range listeners {
		fresh.serving.Go(func() {
			if err := front.Serve(entrance, l, config); err != nil {
				e.p.log.Error("an entrance closed", "environment", e.id.String(), "error", err)
			}
		})
	}
	return nil
}

// refusedPort says why an entrance can't listen, and what to change.
func refusedPort(entrance, address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("another program listens on %s: set network.%s_port to a free port (%w)", address, entrance, syscall.EADDRINUSE)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return target.Errorf(target.ErrInvalid, "%s is no address of this machine: correct network.listen_address", address)
	}
	return fmt.Errorf("listen on %s (network.%s_port): %w", address, entrance, err)
}

// unlisten closes sockets for good, but for those that a door uses.
func (e *environment) unlisten(ctx context.Context, keys []string, used *door) {
	for _, key := range keys {
		if used != nil && slices.Contains(used.keys, key) {
			continue
		}
		if err := e.p.listeners.Unlisten(ctx, key); err != nil {
			e.p.log.Error("a socket was not closed", "environment", e.id.String(), "socket", key, "error", err)
		}
	}
}

// closeDoor ends the front door at once.
func (e *environment) closeDoor() {
	e.mu.Lock()
	old, front := e.door, e.proxy
	e.door, e.proxy = nil, nil
	e.mu.Unlock()
	if front == nil {
		return
	}
	if err := front.Close(); err != nil {
		e.p.log.Warn("the front door did not close cleanly", "environment", e.id.String(), "error", err)
	}
	old.serving.Wait()
}

// front is the environment's proxy; nil while its door is not open.
func (e *environment) front() *proxy.Proxy {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.proxy
}
