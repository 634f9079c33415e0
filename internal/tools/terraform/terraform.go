// Package terraform finds a Terraform for the demo and the acceptance tests, or installs one.
package terraform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hashicorp/go-version"
	install "github.com/hashicorp/hc-install"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
	"github.com/hashicorp/hc-install/src"
)

const (
	// oldest is the first version that has all that the provider needs.
	oldest = "1.11.0"
	// installed is the version that is installed where there is none: the one CI tests with.
	installed = "1.11.4"
)

// Binary is an executable of Terraform or OpenTofu.
type Binary struct {
	Path    string
	Product string // "Terraform" or "OpenTofu"
	Version string
}

func (b Binary) String() string { return b.Product + " " + b.Version + " at " + b.Path }

// Find returns what $TF_ACC_TERRAFORM_PATH names, else terraform or tofu on PATH, else a
// Terraform that it installs into the user's cache. It tells say what takes time.
func Find(ctx context.Context, say func(format string, args ...any)) (Binary, error) {
	if path := os.Getenv("TF_ACC_TERRAFORM_PATH"); path != "" {
		return inspect(ctx, path)
	}
	var unfit []error
	for _, name := range []string{"terraform", "tofu"} {
		path, err := exec.LookPath(name)
		if err != nil {
			unfit = append(unfit, err)
			continue
		}
		b, err := inspect(ctx, path)
		if err == nil {
			return b, nil
		}
		unfit = append(unfit, err)
	}
	path, err := ensure(ctx, say)
	if err != nil {
		return Binary{}, fmt.Errorf("find Terraform %s or newer: %w\n"+
			"Install Terraform or OpenTofu by hand, put it on PATH, and run this again",
			oldest, errors.Join(append(unfit, err)...))
	}
	return inspect(ctx, path)
}

// inspect asks the executable what it is, and refuses one that is too old.
func inspect(ctx context.Context, path string) (Binary, error) {
	cmd := exec.CommandContext(ctx, path, "version", "-json")
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE="+os.DevNull)
	out, err := cmd.Output()
	if err != nil {
		return Binary{}, fmt.Errorf("run %s: %w", path, err)
	}
	var says struct {
		Version string `json:"terraform_version"`
	}
	if err := json.Unmarshal(out, &says); err != nil {
		return Binary{}, fmt.Errorf("read the version of %s: %w", path, err)
	}
	v, err := version.NewVersion(says.Version)
	if err != nil {
		return Binary{}, fmt.Errorf("read the version of %s: %w", path, err)
	}
	if v.LessThan(version.Must(version.NewVersion(oldest))) {
		return Binary{}, fmt.Errorf("%s is version %s, which is too old", path, v)
	}
	return Binary{Path: path, Product: productOf(path), Version: v.String()}, nil
}

// productOf tells the two apart by the name of the executable: they say the same of themselves.
func productOf(path string) string {
	if filepath.Base(path) == "tofu" {
		return "OpenTofu"
	}
	return "Terraform"
}

// ensure installs Terraform into the user's cache, unless it is there already. It arrives
// whole or not at all: it is unpacked elsewhere first.
func ensure(ctx context.Context, say func(string, ...any)) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	dir := filepath.Join(cache, "slipway")
	path := filepath.Join(dir, "terraform-"+installed, "terraform")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make cache folder: %w", err)
	}
	unpacked, err := os.MkdirTemp(dir, "unpack-")
	if err != nil {
		return "", fmt.Errorf("make cache folder: %w", err)
	}
	defer os.RemoveAll(unpacked)
	say("there is no Terraform on PATH: installing Terraform %s into %s", installed, dir)
	if _, err := install.NewInstaller().Ensure(ctx, []src.Source{&releases.ExactVersion{
		Product:    product.Terraform,
		Version:    version.Must(version.NewVersion(installed)),
		InstallDir: unpacked,
	}}); err != nil {
		return "", fmt.Errorf("install Terraform %s into %s: %w", installed, dir, err)
	}
	if err := os.Rename(unpacked, filepath.Dir(path)); err != nil {
		return "", fmt.Errorf("keep Terraform %s: %w", installed, err)
	}
	return path, nil
}
