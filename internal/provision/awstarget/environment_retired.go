package awstarget

import (
	"context"
	"slices"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// maxZones is the most availability zones that an environment can span.
const maxZones = 3

// retiredPart removes what a changed definition has no use for any more, when nothing refers to
// it: certificates and names that others have replaced, ways outside, gateways and endpoints.
func (n *noun) retiredPart(e target.Environment, l layout) part {
	return part{
		name: partRetired, needs: []string{partEndpoints, partGroups, partListeners, partNames, partRoutes},
		put: func(ctx context.Context) error {
			if err := n.removeOldCertificates(ctx); err != nil {
				return err
			}
			if err := n.removeOldNames(ctx, e); err != nil {
				return err
			}
			if err := n.closeRoutes(ctx, l); err != nil {
				return err
			}
			return n.removeThings(ctx, n.leftover(l))
		},
		// What is left over is of a change that is not finished, which the record says.
		check:  func(context.Context) ([]string, error) { return nil, nil },
		delete: func(ctx context.Context) error { return n.removeThings(ctx, n.leftover(l)) },
	}
}

// leftover are the things of a network that were begun and that the layout does not have, in the
// order in which they need each other.
func (n *noun) leftover(l layout) []thing {
	if l.given != nil {
		return nil
	}
	var all []thing
	for zone := l.gateways; zone < maxZones; zone++ {
		all = append(all, n.address(zone), n.natGateway(zone))
	}
	if !l.endpoints {
		all = append(all, n.group(markEndpointGroup, nil))
	}
	for _, service := range slices.Concat(endpointServices, earlierServices) {
		if !slices.Contains(l.services(), service) {
			all = append(all, n.endpoint(l, service))
		}
	}
	var begun []thing
	for _, t := range all {
		if n.fact(t.mark) != "" || n.fact(t.mark+requestSuffix) != "" {
			begun = append(begun, t)
		}
	}
	return begun
}
