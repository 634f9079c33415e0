//go:build !windows

package platform

import (
	"context"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Bounds of what is read of one log.
const (
	maxReadLines = 10_000
	maxReadBytes = 1 << 20
)

// ReadLogs implements target.Logs.
func (p *Platform) ReadLogs(_ context.Context, id target.SlotID, component string, lines int) ([]target.InstanceLog, error) {
	s, err := p.slot(id, false)
	if err != nil {
		return nil, err
	}
	if lines < 1 || lines > maxReadLines {
		return nil, target.Errorf(target.ErrInvalid, "%d lines can't be shown: ask for 1 to %d", lines, maxReadLines)
	}
	var out []target.InstanceLog
	for _, st := range s.allStacks() {
		spec := st.current()
		for _, i := range st.all() {
			if i.component != component {
				continue
			}
			path := s.files.instanceLog(s.id.Name, spec.SwapID, component, i.index)
			out = append(out, target.InstanceLog{
				Color: spec.Color, Release: spec.Definition.Release, Index: i.index,
				Lines: s.tail(path, spec.Definition.Components[component].Secrets, lines, maxReadBytes),
			})
		}
	}
	return out, nil
}

// lastLines are the last lines of a log as they are shown beside what went wrong.
func (s *slot) lastLines(path string, secrets map[string]string) []string {
	return s.tail(path, secrets, shownLines, shownBytes)
}

// tail is the end of a log, known passwords replaced.
func (s *slot) tail(path string, secrets map[string]string, lines int, limit int64) []string {
	text, err := process.Tail(path, lines, limit)
	if err != nil || text == "" {
		return nil
	}
	return strings.Split(strings.TrimRight(target.Redact(text, s.e.knownSecrets(secrets)), "\n"), "\n")
}
