// Package bench measures the proxy beside others: a direct connection, the 40 lines that anybody
// would write, and nginx, HAProxy and Caddy where they are installed.
//
// All of them are processes of their own on this machine, with the same certificate, in front of
// the same two instances, which live in the test's process with the clients. They take turns
// within each round, so that what else the machine does meets them all; only the ratios within a
// round mean something.
package bench

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"testing"
)

const (
	domain   = "eu.localhost"
	variable = "SLIPWAY_BENCH_CONTENDER" // which one this process is to be
)

// own are the contenders that this test binary can be.
var own = map[string]func(l net.Listener, certificate string, instances map[string]string) (swap func(to string) error, err error){
	"slipway": serveSlipway,
	"floor":   serveFloor,
}

// TestMain lets the test binary be a proxy: "NAME CERTIFICATE BLUE GREEN" as its arguments.
func TestMain(m *testing.M) {
	if os.Getenv(variable) == "" {
		os.Exit(m.Run())
	}
	if err := contend(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// contend serves until its standard input ends. It prints its address first, and then a line
// for every release that it was told, on a line, to swap to.
func contend(args []string) error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	swap, err := own[args[0]](l, args[1], map[string]string{"blue": args[2], "green": args[3]})
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if err := swap(lines.Text()); err != nil {
			return err
		}
		fmt.Println("done")
	}
	return nil
}
