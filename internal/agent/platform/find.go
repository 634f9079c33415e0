//go:build !windows

package platform

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/process"
)

// refind finds a process that a record names. One that can't be looked at may run, and must not
// be started a second time: it is looked for again until it is found, or gone with all of its
// session (process.ErrGone), or ctx ends. trouble is told why it takes so long.
func (p *Platform) refind(ctx context.Context, id process.Identity, trouble func(error)) (*process.Process, error) {
	backoff := process.NewBackoff(uint64(id.PID))
	for {
		proc, err := p.find(id)
		if errors.Is(err, process.ErrGone) {
			// It ended while nobody looked: what it left of its session goes too.
			sweeping, cancel := context.WithTimeout(ctx, killMargin)
			swept := process.Sweep(sweeping, id)
			cancel()
			if swept == nil {
				return nil, process.ErrGone
			}
			err = fmt.Errorf("end what it left behind: %w", swept)
		}
		if err == nil {
			return proc, nil
		}
		if ctx.Err() != nil {
			return nil, errors.Join(context.Cause(ctx), err)
		}
		trouble(err)
		timer := time.NewTimer(backoff.Next(0))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, errors.Join(context.Cause(ctx), err)
		}
	}
}
