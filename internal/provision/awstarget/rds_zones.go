package awstarget

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
)

// zoneFor chooses the zone of a new instance beside these members of the cluster: of the zones of its subnet
// group in which its storage is that which has the fewest of its instances, the first by name of several. It is
// nil, which leaves the choice to AWS, for the first instance and where these zones or those of the others are
// not told.
func (c dbCluster) zoneFor(ctx context.Context, members []types.DBClusterMember) (*string, error) {
	if len(members) == 0 {
		return nil, nil
	}
	used, told, err := c.awaitZones(ctx, members)
	if err != nil || !told {
		return nil, err
	}
	zones, err := c.zones(ctx)
	if err != nil || len(zones) == 0 {
		return nil, gone(err)
	}
	return aws.String(slices.MinFunc(zones, func(a, b string) int {
		return cmp.Or(cmp.Compare(used[a], used[b]), cmp.Compare(a, b))
	})), nil
}

// zones are those of the subnet group in which the cluster can have instances: its storage is in three of a
// region's zones, and a network that is given may have subnets in more (CreateDBInstance, AvailabilityZone).
func (c dbCluster) zones(ctx context.Context) ([]string, error) {
	d, err := findDatabase(ctx, c.clients, c.name)
	if err != nil {
		return nil, err
	}
	g, err := findSubnetGroup(ctx, c.clients, c.groups)
	if err != nil {
		return nil, err
	}
	var zones []string
	for _, s := range g.Subnets {
		if s.SubnetAvailabilityZone != nil && slices.Contains(d.AvailabilityZones, text(s.SubnetAvailabilityZone.Name)) {
			zones = append(zones, text(s.SubnetAvailabilityZone.Name))
		}
	}
	return zones, nil
}

// awaitZones counts the cluster's instances in each zone, and says whether the zone of each is told. One that is
// being made may not have its zone yet, nor be shown: it is waited for until it has been made, or for rdsLag.
func (c dbCluster) awaitZones(ctx context.Context, members []types.DBClusterMember) (used map[string]int, told bool, err error) {
	last := c.target.now().Add(rdsLag)
	err = c.target.until(ctx, fmt.Sprintf("the zones of the instances of database cluster %q", c.name), func(ctx context.Context) (status, bool, error) {
		all, err := c.findInstances(ctx)
		if err != nil {
			return "", false, err
		}
		var making, shown int
		used, told = map[string]int{}, true
		for _, d := range all {
			if slices.ContainsFunc(members, func(m types.DBClusterMember) bool {
				return text(m.DBInstanceIdentifier) == text(d.DBInstanceIdentifier)
			}) {
				shown++
			}
			switch zone, state := text(d.AvailabilityZone), text(d.DBInstanceStatus); {
			case state == deleting:
			case zone != "":
				used[zone]++
			default:
				told = false
				if state == "creating" {
					making++
				}
			}
		}
		told = told && shown == len(members)
		if making > 0 {
			last = c.target.now().Add(rdsLag)
		}
		return status(fmt.Sprintf("%d of %d are shown, %d without a zone are being made", shown, len(members), making)),
			told || making == 0 && (shown == len(members) || !c.target.now().Before(last)), nil
	})
	return used, told, err
}
