package awstarget

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// layout is how an environment's network is cut.
type layout struct {
	// block is that of the VPC.
	block netip.Prefix
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

// share is where subnets of a kind are in a VPC's block, in sixteenths of it: that in the first zone,
// and how many each has.
type share struct{ first, each int }

// In the largest block a sixteenth is 4,091 addresses, and each kind has room for four zones. In a
// smaller one the kinds of subnets that need addresses get all that three zones can have.
var (
	largestShares = map[string]share{subnetPublic: {0, 1}, subnetPrivate: {4, 1}, subnetDatabase: {8, 1}}
	smallerShares = map[string]share{subnetPublic: {0, 2}, subnetPrivate: {6, 2}, subnetDatabase: {12, 1}}
)

// settingsOf are what an environment says for this target, or the defaults of its kind.
func settingsOf(e target.Environment) target.AWS {
	if e.AWS == nil {
		return target.DefaultAWS(e.Kind)
	}
	return *e.AWS
}

// layoutOf follows the environment's settings, which are valid.
func layoutOf(e target.Environment) layout {
	a := settingsOf(e)
	if a.VPC != nil {
		return layout{given: a.VPC}
	}
	block := a.VPCBlock
	if block == "" {
		block = e.ID().DefaultVPCBlock()
	}
	l := layout{block: netip.MustParsePrefix(block), zones: a.Zones, endpoints: a.NAT == target.NATNone}
	switch a.NAT {
	case target.NATPerZone:
		l.gateways = a.Zones
	case target.NATSingle:
		l.gateways = 1
	}
	return l
}

// subnet is the block of a subnet.
func (l layout) subnet(kind string, zone int) string {
	shares := largestShares
	if l.block.Bits() > target.LargestVPC {
		shares = smallerShares
	}
	p, sixteenth := shares[kind], l.block.Bits()+4
	first := l.block.Addr().As4()
	at := binary.BigEndian.Uint32(first[:]) + uint32(p.first+zone*p.each)<<(32-sixteenth)
	var address [4]byte
	binary.BigEndian.PutUint32(address[:], at)
	return netip.PrefixFrom(netip.AddrFrom4(address), sixteenth+1-p.each).String()
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
