package awstarget

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// environmentStatus is where an environment can be reached, and what it is made of.
func (n *noun) environmentStatus(ctx context.Context, e target.Environment) (target.EnvironmentStatus, error) {
	b, err := findBalancer(ctx, n.clients, n.balancerName())
	if err != nil {
		return target.EnvironmentStatus{}, err
	}
	return n.statusWith(e, *b), nil
}

// statusWith is the status of an environment with a load balancer.
func (n *noun) statusWith(e target.Environment, b types.LoadBalancer) target.EnvironmentStatus {
	if e.AWS == nil {
		a := settingsOf(e)
		e.AWS = &a // it decides how the URL is written
	}
	s := target.EnvironmentStatus{
		URL: e.URL(), PreviewURL: e.PreviewURL(),
		DatabaseHost: n.fact(factDatabaseHost), DatabasePort: postgresPort,
	}
	l, c := layoutOf(e), n.clients
	block, _, _ := strings.Cut(n.fact(factBlocks), ",")
	var addresses []string
	for zone := range l.gateways {
		for _, block := range n.factList(factAddress(zone)) {
			addresses = append(addresses, block[:len(block)-len("/32")])
		}
	}
	s.AWS = &target.AWSResources{
		VPC: n.fact(markVPC), VPCBlock: block, NATAddresses: addresses,
		PublicSubnets: n.subnetIDs(l, subnetPublic), PrivateSubnets: n.subnetIDs(l, subnetPrivate), DatabaseSubnets: n.subnetIDs(l, subnetDatabase),
		PublicRoutes: n.tableIDs(l, subnetPublic), PrivateRoutes: n.tableIDs(l, subnetPrivate), DatabaseRoutes: n.tableIDs(l, subnetDatabase),
		BalancerGroup: n.fact(markBalancerGroup), StackGroup: n.fact(markStackGroup), DatabaseGroup: n.fact(markDatabaseGroup),
		BalancerARN: text(b.LoadBalancerArn), BalancerDNSName: text(b.DNSName), BalancerZone: text(b.CanonicalHostedZoneId),
		CertificateARN: n.fact(factCertificate), ClusterARN: c.arn("ecs", "cluster/"+n.clusterName()),
		DatabaseClusterARN: c.arn("rds", "cluster:"+n.databaseName()),
		ExecutionRoleARN:   n.roleARN(roleExecution), TaskRoleARN: n.roleARN(roleTask),
		LogGroup: n.logGroup(), KeyARN: n.regionKeyARN(), AccountSecretsPrefix: n.accountsPrefix(),
	}
	return s
}

// observeEnvironment brings the status of an environment that stands to what is saved of its parts,
// also by a put that did not come to its end, and says what the next put makes anew. Changing says
// that a change is not finished, which may have asked for another certificate or other addresses.
func (n *noun) observeEnvironment(ctx context.Context, rec *target.EnvironmentRecord, changing bool) error {
	if rec.Status.AWS == nil {
		return nil
	}
	was := *rec.Status.AWS
	b, err := findBalancer(ctx, n.clients, n.balancerName())
	if isAbsent(err) {
		n.lose(partBalancer)
		b, err = &types.LoadBalancer{LoadBalancerArn: &was.BalancerARN, DNSName: &was.BalancerDNSName, CanonicalHostedZoneId: &was.BalancerZone}, nil
	}
	if err != nil {
		return err
	}
	if changing {
		n.lose(factCertificate)
		n.lose(markAddress(0))
	}
	rec.Status = n.statusWith(rec.Spec, *b)
	rec.Status.AWS.Anew = n.anew(layoutOf(rec.Spec))
	return nil
}

// lose notes that something is gone.
func (n *noun) lose(mark string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lost == nil {
		n.lost = map[string]bool{}
	}
	n.lost[mark] = true
}

// anew names the outputs of an environment that are of what was lost. What is not here has a name
// that was chosen, and keeps it.
func (n *noun) anew(l layout) []string {
	of := map[string][]string{
		"database_host": {factDatabaseHost}, "vpc_id": {markVPC}, "nat_addresses": {markAddress(0)}, "certificate_arn": {factCertificate},
		"load_balancer_arn": {partBalancer}, "load_balancer_dns_name": {partBalancer}, "load_balancer_zone_id": {partBalancer},
		"load_balancer_security_group_id": {markBalancerGroup}, "stack_security_group_id": {markStackGroup}, "database_security_group_id": {markDatabaseGroup},
	}
	for zone := range l.gateways {
		of["nat_addresses"] = append(of["nat_addresses"], markAddress(zone))
	}
	for _, kind := range subnetKinds {
		of[kind+"_route_table_ids"] = l.tables(kind)
		for zone := range l.zones {
			of[kind+"_subnet_ids"] = append(of[kind+"_subnet_ids"], markSubnet(kind, zone))
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var names []string
	for name, marks := range of {
		if slices.ContainsFunc(marks, func(mark string) bool { return n.lost[mark] }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
