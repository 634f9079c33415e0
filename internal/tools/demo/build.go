package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// releases of the application and how each is built. All are made of the same source: what
// a release adds depends on its number, and the last one has a bug that its tests find.
var releases = []struct{ name, flags string }{
	{"1", "-X main.release=1"},
	{"2", "-X main.release=2"},
	{"3", "-X main.release=3 -X main.bug=quantity"},
}

// build makes the provider and the releases.
func build(ctx context.Context, n *narrator, p place, repository string) error {
	n.say("the provider")
	if err := goBuild(ctx, repository, p.provider(), "-X main.version="+providerVersion); err != nil {
		return fmt.Errorf("build the provider: %w", err)
	}
	// OpenTofu looks for the same provider under its own registry's name.
	forTofu := filepath.Join(p.mirror(), "registry.opentofu.org")
	if err := os.Symlink("registry.terraform.io", forTofu); err != nil {
		return fmt.Errorf("offer the provider to OpenTofu: %w", err)
	}
	for _, r := range releases {
		n.say("release %s of the application", r.name)
		source := filepath.Join(repository, "examples", "quickstart", "app")
		if err := goBuild(ctx, source, filepath.Join(p.app(), "app-"+r.name), r.flags); err != nil {
			return fmt.Errorf("build release %s: %w", r.name, err)
		}
	}
	return nil
}

// downloading is what Go says of modules that it fetches.
var downloading = regexp.MustCompile(`(?m)^go: downloading .*\n`)

func goBuild(ctx context.Context, source, to, flags string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags", flags, "-o", to, ".")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build in %s: %w\n%s", source, err, downloading.ReplaceAll(out, nil))
	}
	return nil
}
