//go:build !windows

package localtarget_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent"
)

// binary is this test binary where unprivileged users can run it too.
var binary string

// TestMain lets the test binary be the agent, and the application that it runs.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "agent":
			os.Exit(agent.Main(context.Background(), os.Args[2:], "dev", os.Stdout, os.Stderr))
		case "app":
			os.Exit(application(os.Args[2:]))
		}
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "localtarget-")
	if err == nil {
		defer os.RemoveAll(dir)
		if err = os.Chmod(dir, 0o755); err == nil {
			binary = filepath.Join(dir, "slipway-test")
			err = copyExecutable(binary)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func copyExecutable(path string) error {
	own, err := os.Executable()
	if err != nil {
		return err
	}
	in, err := os.Open(own)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

// application is what the tests deploy: the first word says how it behaves.
func application(args []string) int {
	switch args[0] {
	case "crash":
		fmt.Println("this application can't start")
		return 1
	case "exit":
		fmt.Println("this task ends with code " + args[1])
		code, err := strconv.Atoi(args[1])
		if err != nil {
			return 2
		}
		return code
	case "walled":
		if err := walled(args[1:]); err != nil {
			fmt.Println(err)
			return 1
		}
		return 0
	case "hang", "worker":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
		return 0
	}
	health := http.StatusOK
	if args[0] == "sick" {
		health = http.StatusServiceUnavailable
	}
	if args[0] == "walled-well" {
		if err := walled(args[1:]); err != nil {
			fmt.Println(err)
			health = http.StatusServiceUnavailable
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(health) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, os.Getenv("SLIPWAY_RELEASE")) })
	server := &http.Server{Addr: net.JoinHostPort("127.0.0.1", os.Getenv("PORT")), Handler: mux}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	go func() {
		<-stop.Done()
		_ = server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		fmt.Println(err)
		return 1
	}
	return 0
}
