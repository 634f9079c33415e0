// Command orders is the quickstart's application: a small order service for many accounts.
// It shows what a program has to do to run under Slipway, in files that are meant to be
// copied from:
//
//   - directory.go and databases.go: whose database to use, and how to open it
//   - health.go: a health check that says something
//   - serve.go: take a port, end gracefully
//   - migrate.go: one schema for two releases that run at the same time
//   - suite.go and smoketest.go: the test suite that a release has to pass before it gets traffic
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// release is set by the linker: go build -ldflags "-X main.release=2".
var release = "dev"

const usage = `usage: orders COMMAND

  api       serve the order API on 127.0.0.1:$PORT
  console   serve the page that shows an account's orders on 127.0.0.1:$PORT
  migrate   bring the database of every account to this release's schema
  test      try this release through the preview entrance before it goes live
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("expected one command\n%s", usage)
	}
	switch args[0] {
	case "api", "console":
		return serveCommand(ctx, args[0], getenv, out)
	case "migrate":
		return migrateCommand(ctx, getenv, out)
	case "test":
		return testCommand(ctx, getenv, out)
	}
	return fmt.Errorf("there is no command %q\n%s", args[0], usage)
}
