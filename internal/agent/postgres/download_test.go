//go:build !windows

package postgres

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ulikunitz/xz"
)

// entry is one entry of a test's archive.
type entry struct {
	name, content, link string
	mode                int64
}

// pack makes a jar like the pinned ones.
func pack(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var jar, packed bytes.Buffer
	encoder, err := xz.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	files := tar.NewWriter(encoder)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.content)), Typeflag: tar.TypeReg}
		if e.link != "" {
			header.Typeflag, header.Linkname = tar.TypeSymlink, e.link
		}
		if err := files.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(files.Close(), encoder.Close()); err != nil {
		t.Fatal(err)
	}
	outer := zip.NewWriter(&jar)
	for _, name := range []string{"META-INF/MANIFEST.MF", "postgres-linux.txz"} {
		file, err := outer.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".txz") {
			if _, err := file.Write(packed.Bytes()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := outer.Close(); err != nil {
		t.Fatal(err)
	}
	return jar.Bytes()
}

func goodEntries() []entry {
	program := "#!/bin/sh\necho 'postgres (PostgreSQL) 18.6'\n"
	return []entry{
		{name: "bin/postgres", content: program, mode: 0o700},
		{name: "bin/initdb", content: program, mode: 0o755},
		{name: "lib/libpq.so", link: "libpq.so.5", mode: 0o777},
		{name: "lib/libpq.so.5", content: "library", mode: 0o600},
	}
}

// repository serves one jar and counts how often.
func repository(t *testing.T, jar []byte) (address string, pinned archive, served *atomic.Int64) {
	t.Helper()
	sum := sha256.Sum256(jar)
	pinned = archive{platform: "linux-amd64", size: int64(len(jar)), sha256: hex.EncodeToString(sum[:])}
	served = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/maven2/"+pinned.path() {
			http.NotFound(w, r)
			return
		}
		served.Add(1)
		_, _ = w.Write(jar)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/maven2", pinned, served
}

func fetchOptions(t *testing.T, address string) FindOptions {
	t.Helper()
	cache := filepath.Join(t.TempDir(), "cache")
	letPass(t, filepath.Dir(cache))
	return FindOptions{CacheDir: cache, Repository: address, RunAs: testUser(t), Log: func(line string) { t.Log(line) }}
}

func TestArchiveIsDownloadedOnce(t *testing.T) {
	t.Parallel()
	address, pinned, served := repository(t, pack(t, goodEntries()...))
	options := fetchOptions(t, address)
	for range 2 {
		found, err := options.search(t.Context(), nil, pinned)
		if err != nil || found.Version != "18.6" || found.Major != 18 {
			t.Fatalf("got %+v, %v", found, err)
		}
	}
	if got := served.Load(); got != 1 {
		t.Errorf("downloads: got %d, want 1", got)
	}
	wantOnly(t, options.CacheDir, pinned.folder())
	if text, err := os.ReadFile(filepath.Join(options.CacheDir, pinned.folder(), "lib", "libpq.so")); err != nil || string(text) != "library" {
		t.Errorf("link: got %q, %v", text, err)
	}
	if info, err := os.Stat(filepath.Join(options.CacheDir, pinned.folder(), "bin", "postgres")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("program: got %v, %v, want mode 755", info, err)
	}
}

func TestArchiveIsDownloadedByManyAtOnce(t *testing.T) {
	t.Parallel()
	address, pinned, _ := repository(t, pack(t, goodEntries()...))
	options := fetchOptions(t, address)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if found, err := options.fetch(t.Context(), pinned); err != nil || found.Major != 18 {
				t.Errorf("got %+v, %v", found, err)
			}
		})
	}
	group.Wait()
	wantOnly(t, options.CacheDir, pinned.folder())
}

func TestArchiveIsRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		entries []entry
		spoil   func(*archive)
		want    error
	}{
		"with another checksum":      {goodEntries(), func(a *archive) { a.sha256 = strings.Repeat("0", 64) }, errChecksum},
		"when it is longer":          {goodEntries(), func(a *archive) { a.size-- }, errChecksum},
		"when it is shorter":         {goodEntries(), func(a *archive) { a.size++ }, errChecksum},
		"with a file outside":        {append(goodEntries(), entry{name: "../evil", content: "x", mode: 0o644}), nil, nil},
		"with an absolute path":      {append(goodEntries(), entry{name: "/tmp/evil", content: "x", mode: 0o644}), nil, nil},
		"with a link that leads out": {append(goodEntries(), entry{name: "bin/evil", link: "../../evil"}), nil, nil},
		"with a link to the root":    {append(goodEntries(), entry{name: "bin/evil", link: "/etc/passwd"}), nil, nil},
		"without a server in it":     {goodEntries()[2:], nil, os.ErrNotExist},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, pinned, _ := repository(t, pack(t, test.entries...))
			if test.spoil != nil {
				test.spoil(&pinned)
			}
			options := fetchOptions(t, address)
			found, err := options.fetch(t.Context(), pinned)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("got %+v, %v, want %v", found, err, test.want)
			}
			wantOnly(t, options.CacheDir)
		})
	}
}

func TestArchiveThatIsNotThereSaysWhereItWasLookedFor(t *testing.T) {
	t.Parallel()
	address, pinned, _ := repository(t, nil)
	options := fetchOptions(t, address+"/elsewhere")
	_, err := options.search(t.Context(), nil, pinned)
	if err == nil || !strings.Contains(err.Error(), address+"/elsewhere/"+pinned.path()) || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v, want it to name the address and the answer", err)
	}
}

func TestArchivesArePinnedForEveryPlatform(t *testing.T) {
	t.Parallel()
	for platform, want := range map[[2]string]string{
		{"linux", "amd64"}: "linux-amd64", {"linux", "arm64"}: "linux-arm64v8",
		{"darwin", "amd64"}: "darwin-amd64", {"darwin", "arm64"}: "darwin-arm64v8",
		{"linux", "riscv64"}: "",
	} {
		got := archiveFor(platform[0], platform[1], false)
		if got.platform != want || want != "" && (len(got.sha256) != 64 || got.size == 0) {
			t.Errorf("%v: got %+v, want %q", platform, got, want)
		}
	}
}

// wantOnly checks what is in a folder.
func wantOnly(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s: got %q, want %q", dir, got, want)
	}
}
