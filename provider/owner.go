package provider

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// defaultOwner names the Terraform state this process works for: the HCP Terraform
// workspace, else the working directory and the workspace. The machine's name is no part of
// it, since containers change theirs with every run.
func defaultOwner(getenv func(string) string) (string, error) {
	for _, name := range []string{"TFC_WORKSPACE_SLUG", "TFC_WORKSPACE_NAME"} {
		if w := getenv(name); w != "" {
			return "HCP Terraform workspace " + w, nil
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the working directory: %w", err)
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	workspace, err := currentWorkspace(dir, getenv)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, workspace %s", dir, workspace), nil
}

// currentWorkspace is Terraform's own rule: TF_WORKSPACE, else the file "environment" in the
// data directory, else "default".
func currentWorkspace(dir string, getenv func(string) string) (string, error) {
	if w := getenv("TF_WORKSPACE"); w != "" {
		return w, nil
	}
	data := getenv("TF_DATA_DIR")
	if data == "" {
		data = ".terraform"
	}
	if !filepath.IsAbs(data) {
		data = filepath.Join(dir, data)
	}
	b, err := os.ReadFile(filepath.Join(data, "environment"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the current workspace: %w", err)
	}
	if w := strings.TrimSpace(string(b)); w != "" {
		return w, nil
	}
	return "default", nil
}
