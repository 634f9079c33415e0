package agent

import (
	"context"
	"fmt"
	"io"
)

// Main says that there is no agent on Windows.
func Main(_ context.Context, _ []string, _ string, _, stderr io.Writer) int {
	fmt.Fprintln(stderr, "Error: the local target and its agent are not available on Windows; use Linux, macOS or WSL")
	return 1
}
