package awstarget

import (
	"context"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// environmentStatus is where an environment can be reached, and what it is made of.
func (n *noun) environmentStatus(ctx context.Context, e target.Environment) (target.EnvironmentStatus, error) {
	if e.AWS == nil {
		a := settingsOf(e)
		e.AWS = &a // it decides how the URL is written
	}
	s := target.EnvironmentStatus{
		URL: e.URL(), PreviewURL: e.PreviewURL(),
		DatabaseHost: n.fact(factDatabaseHost), DatabasePort: postgresPort,
	}
	b, err := findBalancer(ctx, n.clients, n.balancerName())
	if err != nil {
		return s, err
	}
	l, c := layoutOf(e), n.clients
	var addresses []string
	for zone := range l.gateways {
		for _, block := range n.factList(factAddress(zone)) {
			addresses = append(addresses, block[:len(block)-len("/32")])
		}
	}
	s.AWS = &target.AWSResources{
		VPC: n.fact(markVPC), NATAddresses: addresses,
		PublicSubnets: n.subnetIDs(l, subnetPublic), PrivateSubnets: n.subnetIDs(l, subnetPrivate), DatabaseSubnets: n.subnetIDs(l, subnetDatabase),
		BalancerGroup: n.fact(markBalancerGroup), StackGroup: n.fact(markStackGroup), DatabaseGroup: n.fact(markDatabaseGroup),
		BalancerARN: text(b.LoadBalancerArn), BalancerDNSName: text(b.DNSName), BalancerZone: text(b.CanonicalHostedZoneId),
		CertificateARN: n.fact(factCertificate), ClusterARN: c.arn("ecs", "cluster/"+n.clusterName()),
		DatabaseClusterARN: c.arn("rds", "cluster:"+n.databaseName()),
		ExecutionRoleARN:   n.roleARN(roleExecution), TaskRoleARN: n.roleARN(roleTask),
		LogGroup: n.logGroup(), KeyARN: n.regionKeyARN(), AccountSecretsPrefix: n.accountsPrefix(),
	}
	return s, nil
}
