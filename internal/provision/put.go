package provision

import (
	"errors"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// put is how this owner changes an object that was seen at m; the zero Meta creates it.
func (p *Provisioner) put(m target.Meta) target.PutOptions {
	return target.PutOptions{Owner: p.owner, IfGeneration: m.Generation}
}

// gone makes an object that was not there a success.
func gone(err error) error {
	if errors.Is(err, target.ErrNotFound) {
		return nil
	}
	return err
}

// list names at most five of ids.
func list(ids []string) string {
	if len(ids) > 5 {
		return strings.Join(ids[:5], ", ") + ", …"
	}
	return strings.Join(ids, ", ")
}
