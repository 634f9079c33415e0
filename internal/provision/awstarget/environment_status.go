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
	all, err := findListeners(ctx, n.clients, text(b.LoadBalancerArn))
	if err != nil {
		return target.EnvironmentStatus{}, err
	}
	s := n.statusWith(e, *b)
	s.AWS.HTTPSListenerARN, s.AWS.PreviewListenerARN = text(all[int32(e.Network.HTTPSPort)].ListenerArn), text(all[int32(e.Network.PreviewPort)].ListenerArn)
	return s, nil
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
		HostedZone: n.savedZone(e.DomainName), LogGroup: n.logGroup(), KeyARN: n.regionKeyARN(), AccountSecretsPrefix: n.accountsPrefix(),
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
	all := map[int32]types.Listener{}
	if err == nil {
		all, err = findListeners(ctx, n.clients, text(b.LoadBalancerArn))
	}
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
		n.lose(factNames)
	}
	rec.Status = n.statusWith(rec.Spec, *b)
	rec.Status.AWS.HTTPSListenerARN = n.entrance(all, rec.Spec.Network.HTTPSPort, was.HTTPSListenerARN, markHTTPS)
	rec.Status.AWS.PreviewListenerARN = n.entrance(all, rec.Spec.Network.PreviewPort, was.PreviewListenerARN, markPreview)
	rec.Status.AWS.Anew = n.anew(layoutOf(rec.Spec))
	return nil
}

// Marks of the entrances that have outputs.
const (
	markHTTPS   = "https listener"
	markPreview = "preview listener"
)

// entrance is the ARN of the listener on a port, or what it was where that is gone.
func (n *noun) entrance(all map[int32]types.Listener, port int, was, mark string) string {
	if l, ok := all[int32(port)]; ok {
		return text(l.ListenerArn)
	}
	n.lose(mark)
	return was
}

// savedZone is the hosted zone of a domain name that was begun with, "" for none.
func (n *noun) savedZone(domain string) string {
	for _, name := range n.factList(factNames) {
		if zone, ok := strings.CutPrefix(name, domain+"@"); ok {
			return zone
		}
	}
	return ""
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
		"https_listener_arn": {partBalancer, markHTTPS}, "preview_listener_arn": {partBalancer, markPreview}, "hosted_zone_id": {factNames},
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
