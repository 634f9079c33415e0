package awstarget

import (
	"fmt"
	"hash/fnv"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// layout is how an environment's network is cut.
type layout struct {
	// second is the second number of its 10.x.0.0/16.
	second byte
	// zones is how many availability zones it spans, gateways how many NAT gateways it has.
	zones, gateways int
	// endpoints says that private subnets reach AWS's services through endpoints.
	endpoints bool
	// given is the network that somebody else looks after, nil where one is made.
	given *target.AWSVPC
}

// Kinds of subnets. Public ones hold load balancers and NAT gateways, private ones what runs,
// database ones database servers, which reach nothing outside.
const (
	subnetPublic   = "public"
	subnetPrivate  = "private"
	subnetDatabase = "database"
)

var subnetKinds = []string{subnetPublic, subnetPrivate, subnetDatabase}

// settingsOf are what an environment says for this target, or the defaults of its kind.
func settingsOf(e target.Environment) target.AWS {
	if e.AWS == nil {
		return target.DefaultAWS(e.Kind)
	}
	return *e.AWS
}

// layoutOf follows the environment's settings. Networks of different environments get different
// addresses as a rule, so that they can be peered.
func layoutOf(e target.Environment) layout {
	a := settingsOf(e)
	if a.VPC != nil {
		return layout{given: a.VPC}
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(e.ID().String()))
	l := layout{second: byte(h.Sum32()), zones: a.Zones, endpoints: a.NAT == target.NATNone}
	switch a.NAT {
	case target.NATPerZone:
		l.gateways = a.Zones
	case target.NATSingle:
		l.gateways = 1
	}
	return l
}

func (l layout) network() string { return fmt.Sprintf("10.%d.0.0/16", l.second) }

// subnet is the block of a subnet: four times sixteen kinds and zones of 4,096 addresses.
func (l layout) subnet(kind string, zone int) string {
	at := map[string]int{subnetPublic: 0, subnetPrivate: 4, subnetDatabase: 8}[kind] + zone
	return fmt.Sprintf("10.%d.%d.0/20", l.second, at*16)
}

// Marks of the things in a network.
func markSubnet(kind string, zone int) string { return fmt.Sprintf("subnet-%s-%d", kind, zone+1) }
func markAddress(zone int) string             { return fmt.Sprintf("address-%d", zone+1) }
func markNAT(zone int) string                 { return fmt.Sprintf("nat-%d", zone+1) }
func markRoutes(kind string, zone int) string { return fmt.Sprintf("routes-%s-%d", kind, zone+1) }

const (
	markVPC     = "vpc"
	markGateway = "gateway"
)
