//go:build !windows

package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
)

// Ports are chosen below what systems hand out to outgoing connections, so
// that nobody sits on a server's port when it is started again.
const (
	firstPort = 20000
	lastPort  = 29999
)

// choosePort returns the server's port: the one that was asked for, else the
// one it had before, else a free one, which is recorded. As long as there is
// no data, nobody knows the port, and one that was taken meanwhile is replaced.
func (s *Server) choosePort(made bool) (int, error) {
	if s.options.Port != 0 {
		return s.options.Port, s.recordPort(s.options.Port)
	}
	text, err := os.ReadFile(s.files.port())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("read port: %w", err)
	}
	if err == nil {
		port, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			return 0, fmt.Errorf("read port from %s: %w", s.files.port(), err)
		}
		if made || portFree(port) == nil {
			return port, nil
		}
	} else if made {
		return 0, fmt.Errorf("read port: %s is missing while the data is there; put the number back that the server had", s.files.port())
	}
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if portFree(port) != nil {
			continue
		}
		return port, s.recordPort(port)
	}
	return 0, fmt.Errorf("choose port: found none free between %d and %d", firstPort, lastPort)
}

func (s *Server) recordPort(port int) error {
	_, err := writeFile(s.files.port(), []byte(strconv.Itoa(port)+"\n"), nil)
	return err
}

// portFree returns why port cannot be listened on, nil if it can.
func portFree(port int) error {
	listener, err := net.Listen("tcp4", net.JoinHostPort(Host, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return listener.Close()
}
