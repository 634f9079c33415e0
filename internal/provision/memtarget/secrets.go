package memtarget

import (
	"context"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var _ target.Secrets = (*Target)(nil)

// ReadSecret implements target.Secrets.
func (t *Target) ReadSecret(ctx context.Context, secretID string) (target.Login, error) {
	return call(ctx, t, reads, "ReadSecret", func(s *store) (target.Login, error) {
		for _, d := range s.databases {
			if d.record.Status.SecretID == secretID {
				return target.Login{Password: d.password}, nil
			}
		}
		return target.Login{}, missing("secret", secretID)
	})
}
