package awstest

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// packages are a Python program and all that it needs, pinned by version and hash. They are made by
//
//	pip-compile --generate-hashes --strip-extras --allow-unsafe
type packages struct{ name, requirements string }

//go:embed requirements.txt
var motoRequirements string

//go:embed requirements-ministack.txt
var miniStackRequirements string

var (
	// motoPackages are moto, flask, flask-cors and pyyaml: what moto needs beyond these is for
	// services that are not used here.
	motoPackages      = packages{"moto", motoRequirements}
	miniStackPackages = packages{"ministack", miniStackRequirements}
)

// whatToInstall ends the messages of a machine that lacks something.
const whatToInstall = "the tests of the aws target need Python 3.10 or newer with venv and pip (Debian, Ubuntu: apt-get install python3 python3-venv python3-pip; Fedora: dnf install python3; macOS: brew install python), and a package index that pip is configured for"

// python returns the interpreter of the virtual environment with these packages. It is made when
// it is not there yet, in the user's cache folder, under a name that changes with what is in it.
func (p packages) python(ctx context.Context) (string, error) {
	system, version, err := systemPython(ctx)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	sum := sha256.Sum256([]byte(version + "\n" + p.requirements))
	parent := filepath.Join(cache, "slipway")
	dir := filepath.Join(parent, p.name+"-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return interpreter(dir), nil
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("make the cache folder: %w", err)
	}
	// Several test binaries may make it at once: each makes its own, the first gives the name.
	building, err := os.MkdirTemp(parent, "building-")
	if err != nil {
		return "", fmt.Errorf("make a folder for the virtual environment: %w", err)
	}
	defer os.RemoveAll(building)
	fmt.Fprintln(os.Stderr, "installing", p.name, "into", dir)
	if err := p.install(ctx, system, building); err != nil {
		return "", err
	}
	if err := os.Rename(building, dir); err != nil {
		if _, there := os.Stat(dir); there != nil {
			return "", fmt.Errorf("move the virtual environment: %w", err)
		}
	}
	return interpreter(dir), nil
}

func (p packages) install(ctx context.Context, system, dir string) error {
	file := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(file, []byte(p.requirements), 0o644); err != nil {
		return fmt.Errorf("write the requirements: %w", err)
	}
	if out, err := exec.CommandContext(ctx, system, "-m", "venv", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("make a virtual environment: %w\n%s\n%s", err, out, whatToInstall)
	}
	pip := exec.CommandContext(ctx, interpreter(dir), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
		"--no-deps", "--require-hashes", "--requirement", file)
	if out, err := pip.CombinedOutput(); err != nil {
		return fmt.Errorf("install %s: %w\n%s\n%s", p.name, err, out, whatToInstall)
	}
	return nil
}

// systemPython finds a Python that can be used, with its full version.
func systemPython(ctx context.Context) (path, version string, err error) {
	for _, name := range []string{"python3", "python"} {
		path, err = exec.LookPath(name)
		if err != nil {
			continue
		}
		const ask = "import sys; print(sys.version_info >= (3, 10), sys.version.replace(chr(10), ' '), sys.prefix)"
		out, runErr := exec.CommandContext(ctx, path, "-c", ask).Output()
		if runErr != nil {
			return "", "", fmt.Errorf("run %s: %w; %s", path, runErr, whatToInstall)
		}
		if strings.HasPrefix(string(out), "True") {
			return path, string(out), nil
		}
	}
	return "", "", errors.New("there is no Python that is new enough: " + whatToInstall)
}

// interpreter is the Python of a virtual environment.
func interpreter(dir string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(dir, "Scripts", "python.exe")
	}
	return filepath.Join(dir, "bin", "python")
}
