package proxy_test

import (
	"fmt"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
)

// startStuck is an instance that accepts no connection, and whose queue of them is full.
func startStuck(t *testing.T) proxy.Instance {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	must(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	must(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(t, syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	must(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for {
		c, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return proxy.Instance{ID: "stuck", Addr: address}
		}
		t.Cleanup(func() { _ = c.Close() })
	}
}

func TestAnInstanceThatCannotBeConnectedToInTimeIsAGatewayTimeout(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.put(t, "blue", "1", startStuck(t))
	d.serve(t, "blue")
	got := post(t, httpClient(t, d.production, "http/1.1"), "https://"+domain+"/", "order")
	if got.status != http.StatusGatewayTimeout || got.header.Get("Slipway-Error") != "instance-timeout" {
		t.Errorf("%d %v %q", got.status, got.header, got.body)
	}
}
