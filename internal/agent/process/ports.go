package process

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"
)

// Ports are taken from below what Linux (32768 up) and macOS (49152 up) give to outgoing connections:
// one of those could take a port between our look at it and the instance's bind.
const (
	portMin   = 20000
	portMax   = 32767
	portTries = 1000
	portRests = time.Minute
)

// errNoPort says that none of the ports tried was free.
var errNoPort = errors.New("no free port")

// Ports hands out loopback ports for instances. The zero value is ready; it is safe for concurrent use.
type Ports struct {
	mu     sync.Mutex
	handed map[int]time.Time
}

// Free returns a TCP port on which nobody listens right now and which it has not handed out within the
// last minute: an instance takes a moment to bind its port.
func (p *Ports) Free() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for port, at := range p.handed {
		if now.Sub(at) >= portRests {
			delete(p.handed, port)
		}
	}
	for range portTries {
		port := portMin + rand.IntN(portMax-portMin+1)
		if _, resting := p.handed[port]; resting || !unused(port) {
			continue
		}
		if p.handed == nil {
			p.handed = map[int]time.Time{}
		}
		p.handed[port] = now
		return port, nil
	}
	return 0, fmt.Errorf("find a port from %d to %d: %w", portMin, portMax, errNoPort)
}

func unused(port int) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
