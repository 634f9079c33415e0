package terraform

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// fake puts an executable into dir that says it is of this version.
func fake(t *testing.T, dir, name, version string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	script := fmt.Sprintf("#!/bin/sh\necho '{\"terraform_version\": %q}'\n", version)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFind(t *testing.T) {
	quiet := func(string, ...any) {}
	for name, test := range map[string]struct {
		have map[string]string // version by name
		want Binary
	}{
		"terraform is taken first": {
			have: map[string]string{"terraform": "1.15.2", "tofu": "1.12.0"},
			want: Binary{"terraform", "Terraform", "1.15.2"},
		},
		"a terraform that is too old makes way for tofu": {
			have: map[string]string{"terraform": "1.5.7", "tofu": "1.12.0"},
			want: Binary{"tofu", "OpenTofu", "1.12.0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for product, version := range test.have {
				fake(t, dir, product, version)
			}
			t.Setenv("PATH", dir+":/usr/bin:/bin")
			t.Setenv("TF_ACC_TERRAFORM_PATH", "")
			test.want.Path = filepath.Join(dir, test.want.Path)
			got, err := Find(t.Context(), quiet)
			if err != nil || got != test.want {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
	t.Run("the one that was named is taken, and must be new enough", func(t *testing.T) {
		t.Setenv("TF_ACC_TERRAFORM_PATH", fake(t, t.TempDir(), "terraform", "1.5.7"))
		if got, err := Find(t.Context(), quiet); err == nil {
			t.Errorf("got %v", got)
		}
	})
}
