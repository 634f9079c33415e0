//go:build linux

package acceptance

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// built is what the tests run: made once, by TestMain.
var built struct {
	dir       string
	terraform string
	provider  string // the provider's binary
	app       string // this test binary, as the application that is deployed
	cli       string // the CLI configuration that makes Terraform use the provider
	hasty     string // the same for this test binary, as a provider that waits for AWS shortly
}

// TestMain lets the test binary be the application that the tests deploy, and a provider.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "app" {
		os.Exit(application(os.Args[2], os.Args[3:]))
	}
	if os.Getenv("TF_PLUGIN_MAGIC_COOKIE") != "" { // Terraform starts it
		os.Exit(serveHasty())
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv("TF_ACC") == "" {
		return m.Run() // every test skips itself
	}
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(built.dir)
	return m.Run()
}

// build makes the programs where the unprivileged users that the agent runs things as can
// read them too.
func build() (err error) {
	if built.terraform = os.Getenv("TF_ACC_TERRAFORM_PATH"); built.terraform == "" {
		if built.terraform, err = exec.LookPath("terraform"); err != nil {
			return fmt.Errorf("find terraform: set TF_ACC_TERRAFORM_PATH: %w", err)
		}
	}
	if built.dir, err = os.MkdirTemp("/tmp", "slipway-acc-bin-"); err != nil {
		return err
	}
	if err := os.Chmod(built.dir, 0o755); err != nil {
		return err
	}
	built.provider = filepath.Join(built.dir, "terraform-provider-slipway")
	if err := buildProvider(built.provider, "dev"); err != nil {
		return err
	}
	built.app = filepath.Join(built.dir, "app")
	if err := copyExecutable(built.app); err != nil {
		return err
	}
	built.cli, built.hasty = filepath.Join(built.dir, "terraform.rc"), filepath.Join(built.dir, "hasty.rc")
	hasty := filepath.Join(built.dir, "hasty")
	return errors.Join(
		writeCLI(built.cli, built.dir), writeCLI(built.hasty, hasty),
		os.Mkdir(hasty, 0o755), os.Link(built.app, filepath.Join(hasty, "terraform-provider-slipway")),
	)
}

// buildProvider builds the provider as a release would be, under a version.
func buildProvider(path, version string) error {
	cmd := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-X main.version="+version, "-o", path, ".")
	if os.Getenv("SLIPWAY_ACC_RACE") != "" {
		cmd.Args = append(cmd.Args[:2], append([]string{"-race"}, cmd.Args[2:]...)...)
	}
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the provider: %w\n%s", err, out)
	}
	return os.Chmod(path, 0o755)
}

// writeCLI makes Terraform take the provider from a folder, without init.
func writeCLI(path, providers string) error {
	text := fmt.Sprintf("provider_installation {\n  dev_overrides { \"slipway-platform/slipway\" = %q }\n  direct {}\n}\ndisable_checkpoint = true\n", providers)
	return os.WriteFile(path, []byte(text), 0o644)
}

func copyExecutable(path string) (err error) {
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
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(0o755), out.Close())
}
