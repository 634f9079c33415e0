package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/tools/terraform"
)

// workspace is the configuration and its state, and the Terraform that applies it.
type workspace struct {
	place
	narrator *narrator
	binary   terraform.Binary
}

// prepare copies the quickstart and tells Terraform to take the provider from the mirror.
func (w workspace) prepare(ctx context.Context, quickstart string) error {
	if err := os.MkdirAll(w.work(), 0o700); err != nil {
		return fmt.Errorf("make the working folder: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(quickstart, "*.tf"))
	if err != nil {
		return fmt.Errorf("find the configuration: %w", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read the configuration: %w", err)
		}
		if err := os.WriteFile(filepath.Join(w.work(), filepath.Base(file)), content, 0o644); err != nil {
			return fmt.Errorf("copy the configuration: %w", err)
		}
	}
	rc := fmt.Sprintf("disable_checkpoint = true\n\nprovider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", w.mirror())
	if err := os.WriteFile(w.rc(), []byte(rc), 0o644); err != nil {
		return fmt.Errorf("write Terraform's settings: %w", err)
	}
	return w.run(ctx, "init", "-input=false", "-no-color")
}

// release changes the one line that a new release changes.
func (w workspace) release(release string) error {
	vars := fmt.Sprintf("release  = %q\napp_dir  = %q\ndata_dir = %q\n", release, w.app(), w.data())
	if err := os.WriteFile(filepath.Join(w.work(), "terraform.tfvars"), []byte(vars), 0o644); err != nil {
		return fmt.Errorf("set the release: %w", err)
	}
	return nil
}

// apply applies the configuration with this release.
func (w workspace) apply(ctx context.Context, release string) error {
	if err := w.release(release); err != nil {
		return err
	}
	w.narrator.say("release = %q, terraform apply", release)
	return w.run(ctx, "apply", "-auto-approve", "-input=false", "-json")
}

func (w workspace) destroy(ctx context.Context) error {
	return w.run(ctx, "destroy", "-auto-approve", "-input=false", "-json")
}

// hasState says whether there may be something to destroy.
func (w workspace) hasState() bool {
	_, err := os.Stat(filepath.Join(w.work(), "terraform.tfstate"))
	return err == nil
}

// outputs reads the configuration's outputs.
func (w workspace) outputs(ctx context.Context) (map[string]json.RawMessage, error) {
	raw, err := w.command(ctx, "output", "-json").Output()
	if err != nil {
		return nil, fmt.Errorf("terraform output: %w", err)
	}
	var outputs map[string]struct {
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(raw, &outputs); err != nil {
		return nil, fmt.Errorf("read outputs: %w", err)
	}
	values := map[string]json.RawMessage{}
	for name, o := range outputs {
		values[name] = o.Value
	}
	return values, nil
}

// run runs Terraform, tells what it completes, and keeps all its output in the log. Where
// Terraform refuses, the error is a [refusal].
func (w workspace) run(ctx context.Context, args ...string) error {
	log, err := os.OpenFile(w.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer log.Close()
	fmt.Fprintf(log, "\n$ %s %s\n", w.binary.Path, strings.Join(args, " "))
	cmd := w.command(ctx, args...)
	cmd.Stderr = log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("terraform %s: %w", args[0], err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("terraform %s: %w", args[0], err)
	}
	problems := w.relay(io.TeeReader(stdout, log))
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("terraform %s: %w", args[0], ctx.Err())
	case err == nil:
		return nil
	case len(problems) > 0:
		return fmt.Errorf("terraform %s: %w", args[0], refusal(problems))
	}
	return fmt.Errorf("terraform %s: %w (see %s)", args[0], err, w.log())
}

// command makes Terraform deaf to what this user has set for other work, and leaves it one
// interrupt: the terminal's goes to the demo only, since a second one makes Terraform forget.
func (w workspace) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.binary.Path, args...)
	cmd.Dir = w.work()
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TF_") && !strings.HasPrefix(v, "SLIPWAY_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "TF_CLI_CONFIG_FILE="+w.rc(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		w.narrator.say("interrupted: letting Terraform finish what it does")
		return cmd.Process.Signal(os.Interrupt)
	}
	cmd.WaitDelay = 2 * time.Minute
	return cmd
}
