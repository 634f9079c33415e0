package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// limits are the default time limits of a resource's verbs.
type limits struct{ create, read, update, delete time.Duration }

// start gives ctx the time limit of a verb.
func (l limits) start(ctx context.Context, verb string, configured timeouts.Value, diags *diag.Diagnostics) (context.Context, context.CancelFunc) {
	return timeLimit(ctx, verb, l.of(ctx, verb, configured, diags))
}

// of is the time limit of a verb: what the configuration says, else the default.
func (l limits) of(ctx context.Context, verb string, configured timeouts.Value, diags *diag.Diagnostics) time.Duration {
	var limit time.Duration
	var d diag.Diagnostics
	switch verb {
	case "create":
		limit, d = configured.Create(ctx, l.create)
	case "read":
		limit, d = configured.Read(ctx, l.read)
	case "update":
		limit, d = configured.Update(ctx, l.update)
	default:
		limit, d = configured.Delete(ctx, l.delete)
	}
	diags.Append(d...)
	return limit
}
