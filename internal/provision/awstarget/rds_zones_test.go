package awstarget

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
)

// A new instance is in the zone that has the fewest of the others, also where those are just being made. The
// first one, and one beside an instance whose zone is not told, is where AWS puts it. A cluster has instances where
// its storage is.
func TestANewDatabaseInstanceIsInTheLeastUsedZone(t *testing.T) {
	t.Parallel()
	const told, never = time.Minute, 1000 * time.Hour
	in := func(zone string) types.DBInstance {
		return types.DBInstance{AvailabilityZone: aws.String(zone), DBInstanceStatus: aws.String(available)}
	}
	leaving := in("b")
	leaving.DBInstanceStatus = aws.String(deleting)
	for _, c := range []struct {
		name   string
		zones  []string // of the subnet group
		there  []types.DBInstance
		shown  time.Duration // when an instance has its zone, after it was asked for
		full   string        // the zone that takes no instance
		want   []string      // the zones that are asked for
		waited time.Duration
	}{
		{"a new cluster", []string{"c", "a", "b"}, nil, 0, "", []string{"", "a", "b"}, 0},
		{"a new cluster whose zones are told late", []string{"c", "a", "b"}, nil, told, "", []string{"", "a", "b"}, 2 * told},
		{"a new cluster whose zones are not told", []string{"a", "b"}, nil, never, "", []string{"", "", ""}, 10 * time.Minute},
		{"a reader more", []string{"a", "b", "c"}, []types.DBInstance{in("a"), in("b")}, 0, "", []string{"c"}, 0},
		{"as many in each", []string{"b", "a"}, []types.DBInstance{in("a"), in("b")}, 0, "", []string{"a"}, 0},
		{"one is on its way out", []string{"b", "a"}, []types.DBInstance{in("a"), leaving}, 0, "", []string{"b"}, 0},
		{"others are in one zone", []string{"a", "b"}, []types.DBInstance{in("a")}, 0, "", []string{"b", "a"}, 0},
		{"a zone without room", []string{"a", "b"}, []types.DBInstance{in("a"), in("a")}, 0, "b", []string{"b", ""}, 0},
		{"no subnets", nil, []types.DBInstance{in("a"), in("b")}, 0, "", []string{""}, 0},
		{"a zone without storage", []string{"0", "a", "b"}, []types.DBInstance{in("a"), in("b")}, 0, "", []string{"a"}, 0},
		{"no zone with storage", []string{"0", "1"}, []types.DBInstance{in("a"), in("b")}, 0, "", []string{""}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &zonedRDS{zones: c.zones, shown: c.shown, full: c.full}
			r.noun = scripted(t, r.answer)
			cluster, d := dbCluster{noun: r.noun, name: "it"}, new(types.DBCluster)
			for i, there := range c.there {
				there.DBInstanceIdentifier = aws.String(cluster.instanceName(i + 1))
				r.made, r.at = append(r.made, there), append(r.at, time.Time{})
				d.DBClusterMembers = append(d.DBClusterMembers, types.DBClusterMember{DBInstanceIdentifier: there.DBInstanceIdentifier})
			}
			began := r.noun.target.now()
			for i := len(c.there); i < 3; i++ {
				name := cluster.instanceName(i + 1)
				if err := cluster.putInstance(t.Context(), name, d.DBClusterMembers); err != nil {
					t.Fatal(err)
				}
				d.DBClusterMembers = append(d.DBClusterMembers, types.DBClusterMember{DBInstanceIdentifier: &name})
			}
			if fmt.Sprintf("%q", r.asked) != fmt.Sprintf("%q", c.want) {
				t.Errorf("asked for the zones %q, want %q", r.asked, c.want)
			}
			if waited := r.noun.target.now().Sub(began); waited < c.waited || waited > c.waited+time.Minute {
				t.Errorf("waited for %s, want %s", waited, c.waited)
			}
		})
	}
}

// zonedRDS makes instances in the zones that it is asked for, and in "c" else.
type zonedRDS struct {
	noun  *noun
	zones []string
	shown time.Duration
	full  string
	made  []types.DBInstance
	at    []time.Time
	asked []string
}

func (r *zonedRDS) answer(in any) (any, error) {
	switch in := in.(type) {
	case *rds.CreateDBInstanceInput:
		zone := aws.ToString(in.AvailabilityZone)
		r.asked = append(r.asked, zone)
		if zone != "" && zone == r.full {
			return nil, refused("InsufficientDBInstanceCapacity")
		}
		if zone == "" {
			zone = "c"
		}
		r.made = append(r.made, types.DBInstance{DBInstanceIdentifier: in.DBInstanceIdentifier, AvailabilityZone: &zone})
		r.at = append(r.at, r.noun.target.now())
		return new(rds.CreateDBInstanceOutput), nil
	case *rds.DescribeDBInstancesInput:
		if in.DBInstanceIdentifier != nil {
			return nil, refused(errNoInstance)
		}
		return &rds.DescribeDBInstancesOutput{DBInstances: r.instances()}, nil
	case *rds.DescribeDBClustersInput:
		return &rds.DescribeDBClustersOutput{DBClusters: []types.DBCluster{{AvailabilityZones: []string{"a", "b", "c"}}}}, nil
	case *rds.DescribeDBSubnetGroupsInput:
		var g types.DBSubnetGroup
		for _, zone := range r.zones {
			g.Subnets = append(g.Subnets, types.Subnet{SubnetAvailabilityZone: &types.AvailabilityZone{Name: &zone}})
		}
		return &rds.DescribeDBSubnetGroupsOutput{DBSubnetGroups: []types.DBSubnetGroup{g}}, nil
	}
	return nil, fmt.Errorf("%T is not expected", in)
}

// instances are being made for five minutes.
func (r *zonedRDS) instances() []types.DBInstance {
	var all []types.DBInstance
	for i, d := range r.made {
		since := r.noun.target.now().Sub(r.at[i])
		if d.DBInstanceStatus == nil {
			d.DBInstanceStatus = aws.String(available)
			if since < 5*time.Minute {
				d.DBInstanceStatus = aws.String("creating")
			}
		}
		if since < r.shown {
			d.AvailabilityZone = nil
		}
		all = append(all, d)
	}
	return all
}
