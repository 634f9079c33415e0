//go:build !windows

package agent

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/hold"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
)

// Roles of the binary that only the agent itself starts.
const (
	roleServe     = "serve"
	roleRun       = "run"
	roleHandshake = "handshake"
)

const usage = `Usage: terraform-provider-slipway agent [COMMAND] [OPTIONS]

The agent looks after what the local target of Slipway runs on this machine. Terraform
starts it by itself; run it in the foreground for systemd and the like.

Commands:
  (none)      run in the foreground until SIGTERM, which leaves applications and
              databases running; the next agent finds them again
  status      say what runs                           [--json]
  stop        stop the agent and everything it runs; all data is kept
  forget ID   give up an account database that is gone from its server

Options:
  --data-dir DIR   the data directory (default: $SLIPWAY_DATA_DIR, else %s)
`

// Main runs the "agent" command and returns the exit code.
func Main(ctx context.Context, args []string, version string, stdout, stderr io.Writer) int {
	role := ""
	if len(args) > 0 && len(args[0]) > 0 && args[0][0] != '-' {
		role, args = args[0], args[1:]
	}
	if role == roleRun {
		return process.ShimMain()
	}
	flags := flag.NewFlagSet("agent", flag.ContinueOnError)
	flags.SetOutput(stderr)
	if slices.ContainsFunc(args, func(a string) bool { return a == "-h" || a == "-help" || a == "--help" }) {
		flags.SetOutput(stdout)
	}
	defaultDir, dirErr := agentapi.DefaultDataDir()
	flags.Usage = func() { fmt.Fprintf(flags.Output(), usage, defaultDir) }
	dir := flags.String("data-dir", defaultDir, "")
	asJSON := flags.Bool("json", false, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	var words []string
	for rest := flags.Args(); len(rest) > 0; rest = flags.Args() {
		words = append(words, rest[0])
		if err := flags.Parse(rest[1:]); err != nil { // options may follow words
			return 2
		}
	}
	if *dir == "" {
		if dirErr == nil {
			dirErr = errors.New("--data-dir is empty")
		}
		fmt.Fprintln(stderr, "Error:", dirErr)
		return 2
	}
	path, err := filepath.Abs(*dir)
	if err == nil {
		err = command(ctx, role, words, path, *asJSON, version, stdout)
	}
	var unknown *usageError
	switch {
	case errors.As(err, &unknown):
		fmt.Fprintln(stderr, "Error:", err)
		flags.Usage()
		return 2
	case err != nil:
		fmt.Fprintln(stderr, "Error:", err)
		return 1
	}
	return 0
}

type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func command(ctx context.Context, role string, args []string, dir string, asJSON bool, version string, stdout io.Writer) error {
	if len(args) > 0 && role != "forget" {
		return &usageError{fmt.Sprintf("there is one word too many: %q", args[0])}
	}
	switch role {
	case "":
		return holdMain(dir, version)
	case roleServe:
		return serve(ctx, dir, version, newLog())
	case roleHandshake:
		return hold.WriteHandshake(stdout, version)
	case "status":
		return status(ctx, dir, asJSON, version, stdout)
	case "stop":
		return stop(ctx, dir, version, stdout)
	case "forget":
		if len(args) != 1 {
			return &usageError{"forget takes the id of one account database, such as eu/production/acme"}
		}
		return forget(ctx, dir, args[0], version, stdout)
	}
	return &usageError{fmt.Sprintf("there is no command %q", role)}
}

// holdMain is the half that holds the sockets.
func holdMain(dir, version string) error {
	if err := agentapi.MakeDataDir(dir); err != nil {
		return err
	}
	return hold.Main(hold.Options{DataDir: dir, Version: version, Commands: commands(dir), Log: newLog()})
}

// commands start this binary in its roles.
func commands(dir string) hold.Commands {
	return hold.Commands{
		Hold:      []string{"agent", "--data-dir", dir},
		Serve:     []string{"agent", roleServe, "--data-dir", dir},
		Handshake: []string{"agent", roleHandshake},
	}
}

// shim starts this very binary, even when its file was replaced meanwhile.
func shim() ([]string, error) {
	if runtime.GOOS == "linux" {
		return []string{"/proc/self/exe", "agent", roleRun}, nil
	}
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own executable: %w", err)
	}
	return []string{path, "agent", roleRun}, nil
}

func newLog() *slog.Logger { return slog.New(slog.NewTextHandler(os.Stderr, nil)) }
