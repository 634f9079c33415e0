package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// drain is how long running requests may take to end after SIGTERM. Slipway waits for
// swap.drain_seconds, 30 unless said otherwise, before it kills.
const drain = 25 * time.Second

// serveCommand serves one component until ctx ends.
func serveCommand(ctx context.Context, component string, getenv func(string) string, out io.Writer) error {
	port := getenv("PORT")
	if port == "" {
		return errors.New("PORT is not set: Slipway sets it for each instance")
	}
	dbs := newDatabases(directory(getenv("SLIPWAY_ACCOUNTS_DIR")), schemaOf(release))
	defer dbs.close()

	mux := http.NewServeMux()
	mux.Handle("GET /healthz", health{dbs})
	switch component {
	case "api":
		api{books: dbs.book, stopping: ctx.Done()}.routes(mux)
	case "console":
		console{books: dbs.book}.routes(mux)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Fprintf(out, "%s of release %s listens on %s\n", component, release, listener.Addr())
	return serve(ctx, listener, mux)
}

// serve answers requests until ctx ends, and then lets the running ones end.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	// No IdleTimeout: the proxy ends idle connections, so none ends just as it is used.
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1) // Serve ends as soon as Shutdown begins
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		return fmt.Errorf("end requests: %w", errors.Join(err, server.Close()))
	}
	return nil
}
