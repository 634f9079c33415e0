//go:build linux || darwin

package hold

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

const (
	// protocol is raised when halves of different versions cannot work together any more.
	protocol = 1
	// handshakeLimit is how long an executable may take to say who it is.
	handshakeLimit = 10 * time.Second
)

// handshake is what an executable says about itself before it is trusted with an upgrade.
type handshake struct {
	Protocol int    `json:"protocol"`
	Version  string `json:"version"`
}

// WriteHandshake answers an agent that asks an executable whether it can take over.
func WriteHandshake(w io.Writer, version string) error {
	if err := json.NewEncoder(w).Encode(handshake{protocol, version}); err != nil {
		return fmt.Errorf("write handshake: %w", err)
	}
	return nil
}

// examine runs an executable and returns its version if it can take over from us.
func examine(ctx context.Context, executable string, arguments []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	var complaint strings.Builder
	command := exec.CommandContext(ctx, executable, arguments...)
	command.Stderr = &complaint
	command.WaitDelay = time.Second
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("examine executable %s: %w: %s", executable, err, strings.TrimSpace(complaint.String()))
	}
	var answer handshake
	if err := json.Unmarshal(output, &answer); err != nil {
		return "", fmt.Errorf("examine executable %s: it is no agent: %w", executable, err)
	}
	if answer.Protocol != protocol {
		return "", fmt.Errorf("examine executable %s: version %s speaks protocol %d, this agent speaks %d: "+
			"stop the agent and start the new one", executable, answer.Version, answer.Protocol, protocol)
	}
	return answer.Version, nil
}
