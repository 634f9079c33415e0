package awstarget

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

func TestAWorkersCheckAsksForItsPath(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for name, script := range map[string]string{
		"curl": "#!" + sh + "\nexit 22\n",
		"wget": "#!" + sh + "\nfor last; do :; done\nprintf %s \"$last\"\n",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/healthz", "/it's;$(exit)&'up'"} {
		h := containerCheck(target.HealthCheck{Path: path, IntervalSeconds: 2, UnhealthyThreshold: 3}, 8080)
		run := exec.CommandContext(t.Context(), sh, "-c", h.Command[1])
		run.Env = []string{"PATH=" + bin}
		out, err := run.CombinedOutput()
		if want := "http://127.0.0.1:8080" + path; err != nil || string(out) != want {
			t.Errorf("it asks for %q (%v), want %q", out, err, want)
		}
		if start := aws.ToInt32(h.StartPeriod); start != 300 {
			t.Errorf("a task is left alone for %d seconds, want 300, the longest that ECS allows", start)
		}
	}
}
