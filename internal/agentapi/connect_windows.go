package agentapi

import (
	"context"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Connect says that there is no agent on Windows.
func (p Place) Connect(context.Context, bool) (*Client, error) {
	return nil, target.Errorf(target.ErrInvalid, "the local target is not available on Windows: use Linux, macOS or WSL")
}

// AwaitEnd has nothing to wait for.
func (p Place) AwaitEnd(context.Context) error { return nil }
