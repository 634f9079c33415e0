package target

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
)

// Lengths of the prefix of the block of a VPC that is made. AWS gives none with more addresses than
// the first; with fewer than the last a load balancer's subnets would be smaller than /27, which it
// needs (Subnets for your load balancer).
const (
	LargestVPC  = 16
	SmallestVPC = 24
)

var (
	// privateBlocks are those of RFC 1918 and RFC 6598.
	privateBlocks = []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
	}
	// dockerBlock is used inside of some services of AWS, as in Docker (VPC CIDR blocks).
	dockerBlock = netip.MustParsePrefix("172.17.0.0/16")
)

// DefaultVPCBlock is the block of a VPC that is made where none was chosen. Those of different
// environments differ as a rule, so that they can be peered.
func (id EnvironmentID) DefaultVPCBlock() string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id.String()))
	return fmt.Sprintf("10.%d.0.0/16", byte(h.Sum32()))
}

// vpcBlock adds the faults of a block that was chosen for a VPC that is made.
func (f *Faults) vpcBlock(path, block string) {
	p, ok := ipv4Block(block)
	switch {
	case !ok:
		f.addf(path, "%q is not an IPv4 block: expected such as \"10.20.0.0/20\", with no address bits beyond the prefix", block)
	case p.Bits() < LargestVPC || p.Bits() > SmallestVPC:
		f.addf(path, "%q is a /%d: a VPC has at most a /%d, and the subnets of an environment need at least a /%d", block, p.Bits(), LargestVPC, SmallestVPC)
	case !slices.ContainsFunc(privateBlocks, func(of netip.Prefix) bool { return of.Contains(p.Addr()) }):
		f.addf(path, "%q is not private: expected a part of one of %q", block, privateBlocks)
	case dockerBlock.Overlaps(p):
		f.addf(path, "%q lies in %s, which some services of AWS use themselves, so that AWS advises against it: choose another one", block, dockerBlock)
	}
}

// ipv4Block reads a block of IPv4 addresses that has no bits beyond its prefix.
func ipv4Block(block string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(block)
	return p, err == nil && p.Addr().Is4() && p.Masked() == p
}
