//go:build !windows

package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// errChecksum says that a downloaded archive is not the pinned one.
var errChecksum = errors.New("not the pinned archive")

// downloadPrefix begins the names of unfinished downloads in the cache.
const downloadPrefix = ".download-"

// fetch returns the binaries of the pinned archive, downloading it first
// unless the cache holds it. Several processes may do so at once: each works
// in a folder of its own and the first to finish renames it into place.
func (o FindOptions) fetch(ctx context.Context, pinned archive) (Binaries, error) {
	switch {
	case pinned.platform == "":
		return Binaries{}, fmt.Errorf("no archive is offered for %s/%s with this C library", runtime.GOOS, runtime.GOARCH)
	case o.Major != 0 && o.Major != archiveMajor:
		return Binaries{}, fmt.Errorf("the pinned archive is PostgreSQL %d", archiveMajor)
	case o.CacheDir == "":
		return Binaries{}, errors.New("no cache folder is set")
	}
	target := filepath.Join(o.CacheDir, pinned.folder())
	bin := filepath.Join(target, "bin")
	if _, err := os.Stat(target); err == nil {
		found, err := probe(ctx, bin, o.RunAs)
		if err != nil {
			return Binaries{}, fmt.Errorf("use the downloaded PostgreSQL: %w (remove %s to download it again)", err, target)
		}
		return found, nil
	}
	if o.Repository == "" {
		return Binaries{}, errors.New("no repository to download from is set: SLIPWAY_POSTGRES_REPOSITORY takes the address of Maven Central or of a mirror of it")
	}
	if err := os.MkdirAll(o.CacheDir, 0o755); err != nil {
		return Binaries{}, fmt.Errorf("make cache folder: %w", err)
	}
	removeStale(o.CacheDir)
	work, err := os.MkdirTemp(o.CacheDir, downloadPrefix)
	if err != nil {
		return Binaries{}, fmt.Errorf("make download folder: %w", err)
	}
	defer os.RemoveAll(work)

	address := o.Repository + "/" + pinned.path()
	o.Log(fmt.Sprintf("PostgreSQL is not installed here; downloading %s (%.1f MB) from %s into %s, once.",
		archiveVersion, float64(pinned.size)/1e6, address, o.CacheDir))
	jar := filepath.Join(work, "archive.jar")
	start := time.Now()
	if err := download(ctx, address, jar, pinned, o.Log); err != nil {
		return Binaries{}, fmt.Errorf("download %s: %w", address, err)
	}
	o.Log(fmt.Sprintf("Downloaded in %s; its SHA-256 is the pinned one. Unpacking.", time.Since(start).Round(100*time.Millisecond)))
	unpacked := filepath.Join(work, "unpacked")
	if err := unpack(ctx, jar, unpacked); err != nil {
		return Binaries{}, fmt.Errorf("unpack %s: %w", address, err)
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return Binaries{}, err
	}
	if _, err := probe(ctx, filepath.Join(unpacked, "bin"), o.RunAs); err != nil {
		return Binaries{}, fmt.Errorf("try the PostgreSQL from %s: %w", address, err)
	}
	if err := os.Rename(unpacked, target); err != nil && !errors.Is(err, fs.ErrExist) {
		return Binaries{}, fmt.Errorf("put the archive into the cache: %w", err)
	}
	return probe(ctx, bin, o.RunAs)
}

// download gets address into the file path and compares it with what is pinned.
func download(ctx context.Context, address, path string, pinned archive, log func(string)) error {
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.RetryMax = 3
	request, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", response.Status)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	progress := &progress{total: pinned.size, log: log, last: time.Now()}
	// One byte more than pinned is enough to know that it is another file.
	body := io.LimitReader(response.Body, pinned.size+1)
	size, err := io.Copy(io.MultiWriter(file, sum, progress), body)
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); size != pinned.size || got != pinned.sha256 {
		return fmt.Errorf("%w: got %d bytes with SHA-256 %s, expected %d with %s", errChecksum, size, got, pinned.size, pinned.sha256)
	}
	return file.Close()
}

// progress tells every few seconds how far a download has come.
type progress struct {
	done, total int64
	log         func(string)
	last        time.Time
}

func (p *progress) Write(data []byte) (int, error) {
	p.done += int64(len(data))
	if now := time.Now(); now.Sub(p.last) >= 5*time.Second {
		p.last = now
		p.log(fmt.Sprintf("Downloaded %.1f of %.1f MB.", float64(p.done)/1e6, float64(p.total)/1e6))
	}
	return len(data), nil
}

// removeStale removes what downloads that were killed left behind.
func removeStale(cache string) {
	left, _ := filepath.Glob(filepath.Join(cache, downloadPrefix+"*"))
	for _, folder := range left {
		if info, err := os.Stat(folder); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			_ = os.RemoveAll(folder)
		}
	}
}
