package awstarget

import (
	"context"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Parts of an environment.
const (
	partAddresses   = "addresses"
	partBalancer    = "balancer"
	partCertificate = "certificate"
	partListeners   = "listeners"
	partNames       = "names"
	partCluster     = "cluster"
	partGateway     = "gateway"
	partGroups      = "groups"
	partDatabase    = "database"
	partReader      = "reader"
	partRoles       = "roles"
	partLogging     = "logging"
	partNAT         = "nat"
	partEndpoints   = "endpoints"
	partRetired     = "retired"
	partDashboard   = "dashboard"
	partRoutes      = "routes"
	partSubnets     = "subnets"
	partVPC         = "vpc"
)

// environmentParts is all that an environment is made of beside its row, and what each part
// needs before it.
func (n *noun) environmentParts(e target.Environment) graph {
	l := layoutOf(e)
	return append(n.networkParts(l), graph{
		n.groupsPart(e, l),
		n.certificatePart(e),
		n.balancerPart(e, l),
		n.listenersPart(e),
		n.namesPart(e),
		n.databasePart(e, l),
		n.readerPart(),
		n.accountsPart(e),
		n.loggingPart(e),
		n.rolesPart(),
		n.clusterPart(),
		n.retiredPart(e, l),
		n.dashboardPart(),
	}...)
}

// networkParts are a network that is made, or the one that is given.
func (n *noun) networkParts(l layout) graph {
	if l.given != nil {
		return graph{n.givenPart(l)}
	}
	return graph{
		n.thingsPart(partVPC, nil, n.vpc(l)),
		n.thingsPart(partGateway, []string{partVPC}, n.gateway()),
		n.thingsPart(partSubnets, []string{partVPC}, n.subnets(l)...),
		n.thingsPart(partAddresses, nil, n.addresses(l)...),
		n.thingsPart(partNAT, []string{partAddresses, partSubnets, partGateway}, n.gateways(l)...),
		n.thingsPart(partRoutes, []string{partGateway, partSubnets, partNAT}, n.routes(l)...),
		n.thingsPart(partEndpoints, []string{partGroups, partRoutes}, n.endpoints(l)...),
	}
}

func (n *noun) certificatePart(e target.Environment) part {
	return part{
		name:   partCertificate,
		put:    func(ctx context.Context) error { return n.putCertificate(ctx, partCertificate, e) },
		check:  func(ctx context.Context) ([]string, error) { return n.checkCertificate(ctx, e) },
		delete: func(ctx context.Context) error { return n.deleteCertificate(ctx, partCertificate, e.DomainName) },
	}
}

func (n *noun) balancerPart(e target.Environment, l layout) part {
	return part{
		name: partBalancer, needs: []string{partGateway, partGroups, partRoutes, partSubnets},
		put:    func(ctx context.Context) error { return n.putBalancer(ctx, partBalancer, e, l) },
		check:  func(ctx context.Context) ([]string, error) { return n.checkBalancer(ctx, e, l) },
		delete: func(ctx context.Context) error { return n.deleteBalancer(ctx, partBalancer) },
	}
}

func (n *noun) listenersPart(e target.Environment) part {
	return part{
		name: partListeners, needs: []string{partBalancer, partCertificate},
		put:    func(ctx context.Context) error { return n.putListeners(ctx, partListeners, e) },
		check:  func(ctx context.Context) ([]string, error) { return n.checkListeners(ctx, e) },
		delete: n.deleteListeners,
	}
}

func (n *noun) namesPart(e target.Environment) part {
	return part{
		name: partNames, needs: []string{partBalancer},
		put:    func(ctx context.Context) error { return n.putNames(ctx, e) },
		check:  func(ctx context.Context) ([]string, error) { return n.checkNames(ctx, e) },
		delete: func(ctx context.Context) error { return n.removeNames(ctx, "") },
	}
}

// loggingPart is the log groups, also those that AWS would make by itself once there is a cluster, and
// without key or end: they are there before the clusters and go after them.
func (n *noun) loggingPart(e target.Environment) part {
	all := []logGroup{
		{part: partLogging, name: n.logGroup(), days: logRetention(e)},
		n.databaseOf(e).logs(),
		{part: markMeters, name: "/aws/ecs/containerinsights/" + n.clusterName() + "/performance", days: logRetention(e), byAWS: true},
	}
	each := func(do func(context.Context, logGroup) error) func(context.Context) error {
		return func(ctx context.Context) error {
			for _, g := range all {
				if err := do(ctx, g); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return part{
		name:   partLogging,
		put:    each(n.putLogGroup),
		check:  func(ctx context.Context) ([]string, error) { return n.checkLogGroups(ctx, all...) },
		delete: each(n.deleteLogGroup),
	}
}

// markMeters marks the log group that Container Insights writes to.
const markMeters = "meters"

func (n *noun) clusterPart() part {
	cluster := n.clusterName()
	return part{
		name: partCluster, needs: []string{partLogging},
		put:    func(ctx context.Context) error { return n.putCluster(ctx, partCluster, cluster) },
		check:  func(ctx context.Context) ([]string, error) { return n.checkCluster(ctx, cluster) },
		delete: func(ctx context.Context) error { return n.deleteCluster(ctx, partCluster, cluster) },
	}
}

func (n *noun) clusterName() string { return name(255, "slipway", n.region, n.environment) }

// logGroup holds the logs of everything in the environment; the region's key is allowed for
// names under "/slipway/REGION/".
func (n *noun) logGroup() string { return "/slipway/" + n.region + "/" + n.environment }

// logRetention is how many days logs are kept.
func logRetention(e target.Environment) int32 {
	if e.Kind == target.KindProduction {
		return 90
	}
	return 14
}
