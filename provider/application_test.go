package provider_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// application is what the tests on this machine deploy: "serve" answers with its release,
// "exit" ends with a code.
func application(args []string) int {
	if args[0] == "exit" {
		code := 0
		if len(args) > 1 {
			fmt.Println("this task ends with exit code " + args[1])
			code, _ = strconv.Atoi(args[1])
		}
		return code
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, os.Getenv("SLIPWAY_RELEASE")) })
	server := &http.Server{Addr: net.JoinHostPort("127.0.0.1", os.Getenv("PORT")), Handler: mux}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case <-stop.Done():
		return exitCode(server.Shutdown(context.Background()))
	case err := <-ended:
		if errors.Is(err, http.ErrServerClosed) {
			return 0
		}
		return exitCode(err)
	}
}

func exitCode(err error) int {
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}
