package awstarget

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// A public subnet has at least a /27, which a load balancer needs, and no subnet less than the /28
// that AWS demands.
func TestABlockIsCutForEachSize(t *testing.T) {
	t.Parallel()
	for block, want := range map[string][]string{
		"":                {"10.43.0.0/20", "10.43.32.0/20", "10.43.64.0/20", "10.43.96.0/20", "10.43.128.0/20", "10.43.160.0/20"},
		"172.20.0.0/16":   {"172.20.0.0/20", "172.20.32.0/20", "172.20.64.0/20", "172.20.96.0/20", "172.20.128.0/20", "172.20.160.0/20"},
		"100.64.16.0/20":  {"100.64.16.0/23", "100.64.20.0/23", "100.64.22.0/23", "100.64.26.0/23", "100.64.28.0/24", "100.64.30.0/24"},
		"192.168.70.0/24": {"192.168.70.0/27", "192.168.70.64/27", "192.168.70.96/27", "192.168.70.160/27", "192.168.70.192/28", "192.168.70.224/28"},
	} {
		e := target.Environment{Region: "eu", Name: "production", AWS: &target.AWS{Zones: maxZones, VPCBlock: block}}
		l := layoutOf(e)
		if block != "" && l.block.String() != block {
			t.Errorf("%s became %s", block, l.block)
		}
		var got []string
		var all []netip.Prefix
		for _, kind := range subnetKinds {
			got = append(got, l.subnet(kind, 0), l.subnet(kind, maxZones-1))
			for zone := range maxZones {
				p := netip.MustParsePrefix(l.subnet(kind, zone))
				for _, other := range all {
					if p.Overlaps(other) {
						t.Errorf("in %s, %s and %s overlap", l.block, p, other)
					}
				}
				if p.Masked() != p || !l.block.Contains(p.Addr()) {
					t.Errorf("%s is no block of %s", p, l.block)
				}
				all = append(all, p)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q in the first and the last zone (-want +got):\n%s", block, diff)
		}
	}
}

func TestZonesAreThoseInWhichFargateRuns(t *testing.T) {
	t.Parallel()
	for region, want := range map[string][]string{"us-west-1": {"usw1-az1", "usw1-az3"}, "eu-central-1": {"usw1-az1", "usw1-az2", "usw1-az3"}} {
		if diff := cmp.Diff(want, runnable(region, []string{"usw1-az3", "usw1-az2", "usw1-az1"})); diff != "" {
			t.Errorf("in %s (-want +got):\n%s", region, diff)
		}
	}
}
