package process

import (
	"net"
	"strconv"
	"sync"
	"testing"
)

func TestPortsFree(t *testing.T) {
	t.Parallel()
	var ports Ports
	var mu sync.Mutex
	seen := map[int]bool{}
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			port, err := ports.Free()
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if seen[port] {
				t.Errorf("port %d was handed out twice", port)
			}
			seen[port] = true
			listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err != nil {
				t.Errorf("port %d is not free: %v", port, err)
				return
			}
			_ = listener.Close()
		})
	}
	group.Wait()
}

func TestPortsKnowAPortThatIsTaken(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if unused(listener.Addr().(*net.TCPAddr).Port) {
		t.Error("a port with a listener counts as free")
	}
}
