package awstarget

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestTheScriptAsksEachNodeForTheRelease(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, release, server, nodes, path string
		status, wantExit                   int
		wantLine                           string // the last but what ends it
	}{
		{"the release answers", "2", "shop", "127.0.0.1", "", 200, 0, "asking for release 2 at 127.0.0.1"},
		{"the application is sick, and answers", "2", "shop", "127.0.0.1", "", 503, 0, "asking for release 2 at 127.0.0.1"},
		{"another release answers", "1", "shop", "127.0.0.1", "", 200, 1, `node 127.0.0.1 at URL answered "1" with status 200, not with release 2`},
		{"a page answers", strings.Repeat("page\n", 20), "shop", "127.0.0.1", "", 200, 1, `node 127.0.0.1 at URL answered "a page" with status 200, not with release 2`},
		{"no application answers", "2", "awselb/2.0", "127.0.0.1", "", 503, 1, "node 127.0.0.1 at URL answered with status 503: the application did not"},
		{"one node does not answer", "2", "shop", "127.0.0.1 127.0.0.1:1", "", 200, 1, "with status 000, not with release 2"},
		{"an image without curl", "2", "shop", "127.0.0.1", "/nowhere", 200, 2, "there is no curl in this image"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			door := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Server", c.server)
				if r.Header.Get(headerProbe) == "oms" {
					w.Header().Set("Server", "awselb/2.0")
					_, _ = w.Write([]byte(c.release))
					return
				}
				w.WriteHeader(c.status)
			}))
			t.Cleanup(door.Close)
			sh, err := exec.LookPath("sh")
			if err != nil {
				t.Fatal(err)
			}
			run := exec.CommandContext(t.Context(), sh, "-c", probeScript)
			path := c.path
			if path == "" {
				path = os.Getenv("PATH")
			}
			run.Env = []string{"PATH=" + path, "SLIPWAY_PROBE_MARK=oms", "SLIPWAY_RELEASE=2", "SLIPWAY_PROBE_NODES=" + c.nodes, "SLIPWAY_PROBE_URLS=" + door.URL, "SLIPWAY_PROBE_ROUNDS=3"}
			out, _ := run.CombinedOutput()
			lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(out), door.URL, "URL")), "\n")
			line := lines[max(0, len(lines)-2)]
			if got := run.ProcessState.ExitCode(); got != c.wantExit || !strings.HasSuffix(line, c.wantLine) {
				t.Errorf("exit code %d, want %d; the line is %q, want %q", got, c.wantExit, line, c.wantLine)
			}
		})
	}
}
