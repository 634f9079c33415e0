//go:build !windows

package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/platform"
	"github.com/slipway-platform/terraform-provider-slipway/internal/agentapi"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// errNotRunning is what the commands say where no agent answers.
var errNotRunning = errors.New("no agent runs")

// running connects to an agent that runs already.
func running(dir, version string) *agentapi.Client {
	return agentapi.NewClient(agentapi.Dialer(dir), version)
}

// answers tells an agent that does not run from one that we may not talk to.
func answers(ctx context.Context, dir string) error {
	conn, err := agentapi.Dialer(dir)(ctx)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("reach the agent: %w", err)
	case err != nil:
		return fmt.Errorf("%w in %s", errNotRunning, dir)
	}
	return conn.Close()
}

func status(ctx context.Context, dir string, asJSON bool, version string, stdout io.Writer) error {
	c := running(dir, version)
	defer c.Close()
	hello, err := agentapi.Call[agentapi.Hello](ctx, c, "Hello", agentapi.None{})
	if errors.Is(err, target.ErrUnavailable) {
		if err := answers(ctx, dir); err != nil {
			return err
		}
		return fmt.Errorf("%w in %s", errNotRunning, dir)
	}
	if err != nil {
		return err
	}
	s, err := agentapi.Call[agentapi.Survey](ctx, c, "Survey", agentapi.None{})
	if err != nil {
		return err
	}
	if asJSON {
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Agent   agentapi.Hello `json:"agent"`
			DataDir string         `json:"data_dir"`
			agentapi.Survey
		}{hello, dir, s})
	}
	return show(stdout, dir, hello, s)
}

func show(stdout io.Writer, dir string, hello agentapi.Hello, s agentapi.Survey) error {
	fmt.Fprintf(stdout, "agent %s, process %d, data in %s\n", hello.Software, hello.PID, dir)
	w := tabwriter.NewWriter(stdout, 0, 4, 2, ' ', 0)
	if len(s.Environments) > 0 {
		fmt.Fprintln(w, "\nENVIRONMENT\tURL\tPREVIEW\tSTATE")
	}
	for _, e := range s.Environments {
		state := "ready"
		switch bad := badIn(s.BadRecords, e.ID); {
		case e.Problem != "":
			state = e.Problem
		case bad > 0:
			state = fmt.Sprintf("ready, but for %d records below", bad)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.ID, e.Status.URL, e.Status.PreviewURL, state)
	}
	if len(s.Slots) > 0 {
		fmt.Fprintln(w, "\nSLOT\tCOLOR\tRELEASE\tROLE\tHEALTHY\tRETIRES\tPHASE")
	}
	for _, slot := range s.Slots {
		phase := ""
		if slot.Swap != nil {
			phase = string(slot.Swap.Phase)
		}
		for _, st := range slot.Stacks {
			retires := ""
			if st.RetireAt != nil {
				retires = st.RetireAt.UTC().Format(time.RFC3339)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d/%d\t%s\t%s\n", slot.ID, st.Color, st.Release, st.Role, st.Healthy, st.Instances, retires, phase)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(s.BadRecords) > 0 {
		fmt.Fprintln(stdout, "\nRECORDS THAT CAN'T BE USED")
	}
	for _, b := range s.BadRecords {
		fmt.Fprintf(stdout, "%s %s: %s.\n", b.What, b.ID, b.Problem)
	}
	return nil
}

// badIn counts the bad records in an environment.
func badIn(records []agentapi.BadRecordSurvey, id target.EnvironmentID) int {
	n := 0
	for _, b := range records {
		if strings.HasPrefix(b.ID, id.String()+"/") {
			n++
		}
	}
	return n
}

func stop(ctx context.Context, dir, version string, stdout io.Writer) error {
	c := running(dir, version)
	defer c.Close()
	switch err := answers(ctx, dir); {
	case errors.Is(err, errNotRunning):
		return stopNobody(dir, stdout)
	case err != nil:
		return err
	}
	if _, err := agentapi.Call[agentapi.None](ctx, c, "Stop", agentapi.None{}); err != nil {
		return fmt.Errorf("stop the agent: %w", err)
	}
	if err := agentapi.AwaitStop(ctx, dir); err != nil {
		return fmt.Errorf("wait for the end of the agent: %w", err)
	}
	fmt.Fprintf(stdout, "The agent of %s and everything it ran are stopped. The next plan or apply starts them again.\n", dir)
	return nil
}

// stopNobody says what is true where no agent answers: something may run all the same.
func stopNobody(dir string, stdout io.Writer) error {
	_, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(stdout, "There is no data directory %s. An agent that served it ends by itself, with everything it ran, as soon as its databases have stopped.\n", dir)
		return nil
	case err != nil:
		return fmt.Errorf("look at the data directory: %w", err)
	}
	installed, err := platform.Installed(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "No agent runs in %s.\n", dir)
	if installed {
		fmt.Fprintln(stdout, "What one left running, if it was killed, runs on: the next plan or apply starts an agent that finds it, and \"agent stop\" then stops it.")
	}
	return nil
}

func forget(ctx context.Context, dir, id, version string, stdout io.Writer) error {
	c := running(dir, version)
	defer c.Close()
	if _, err := agentapi.Call[agentapi.None](ctx, c, "ForgetAccountDatabase", agentapi.ID{ID: id}); err != nil {
		return fmt.Errorf("forget account database %q: %w", id, err)
	}
	fmt.Fprintf(stdout, "Account database %s is given up; the next apply makes it anew, empty.\n", id)
	return nil
}
