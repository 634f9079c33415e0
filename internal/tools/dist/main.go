// Command dist builds the provider for other machines, as a registry and a filesystem mirror want
// it: in dist/ an archive for each platform, and the checksums of them all, which are to be signed.
//
//	dist repository version platform …
package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

const name = "terraform-provider-slipway"

var versionRegexp = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 3 {
		return errors.New("expected the repository, a version and platforms")
	}
	r := release{args[0], filepath.Join(args[0], "dist"), args[1]}
	if !versionRegexp.MatchString(r.version) {
		return fmt.Errorf("%q is not a version: expected such as VERSION=0.1.0", r.version)
	}
	if err := os.MkdirAll(r.dist, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	var sums strings.Builder
	platforms := slices.Clone(args[2:])
	slices.Sort(platforms)
	for _, platform := range slices.Compact(platforms) {
		sum, err := r.pack(ctx, platform)
		if err != nil {
			return fmt.Errorf("build for %s: %w", platform, err)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sum, r.file(platform+".zip"))
	}
	file := filepath.Join(r.dist, r.file("SHA256SUMS"))
	if err := os.WriteFile(file, []byte(sums.String()), 0o644); err != nil {
		return fmt.Errorf("write the checksums: %w", err)
	}
	fmt.Printf("%s names the archives beside it:\n%s", file, sums.String())
	return nil
}

// release is a version of the provider in the making.
type release struct{ repository, dist, version string }

// file is the name of a file of the release.
func (r release) file(rest string) string { return name + "_" + r.version + "_" + rest }

// pack builds the provider for a platform and puts it into an archive, whose checksum it returns. The
// same source gives the same archive.
func (r release) pack(ctx context.Context, platform string) ([]byte, error) {
	system, arch, ok := strings.Cut(platform, "_")
	if !ok {
		return nil, errors.New("expected a platform such as linux_amd64")
	}
	inside := name + "_v" + r.version
	if system == "windows" {
		inside += ".exe"
	}
	binary := filepath.Join(r.dist, inside)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+r.version, "-o", binary, ".")
	cmd.Dir, cmd.Env = r.repository, append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(binary) }()
	return archive(binary, inside, filepath.Join(r.dist, r.file(platform+".zip")))
}

// archive puts a program into an archive under a name, and returns the archive's checksum.
func archive(binary, inside, to string) (sum []byte, err error) {
	from, err := os.Open(binary)
	if err != nil {
		return nil, err
	}
	defer func() { _ = from.Close() }()
	out, err := os.Create(to)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	hash := sha256.New()
	z := zip.NewWriter(io.MultiWriter(out, hash))
	header := &zip.FileHeader{Name: inside, Method: zip.Deflate, Modified: time.Unix(0, 0).UTC()}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err == nil {
		_, err = io.Copy(w, from)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, err
	}
	return hash.Sum(nil), nil
}
