package awstarget

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// CheckEnvironment implements target.Sites: the hosted zone, the certificate and the network that
// an environment names must be there and fit.
func (t *Target) CheckEnvironment(ctx context.Context, e target.Environment, r target.Region) (target.Faults, error) {
	c, err := t.session.in(ctx, r.Location)
	if err != nil {
		return nil, err
	}
	s := site{target: t, clients: c, of: e, settings: settingsOf(e)}
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	var all target.Faults
	for _, check := range []func(context.Context) (target.Faults, error){s.zone, s.certificate, s.zones, s.network, s.access, s.engine} {
		faults, err := check(ctx)
		if err != nil {
			return all, err
		}
		all = append(all, faults...)
	}
	return all, nil
}

// site is what an environment needs and somebody else looks after.
type site struct {
	target   *Target
	clients  *clients
	of       target.Environment
	settings target.AWS
	// stands is the environment as it was last put, as was, nil where it is not there.
	stands *noun
	was    target.Environment
}

// look finds out whether the environment is there.
func (s *site) look(ctx context.Context) error {
	n, err := s.target.loadEnvironment(ctx, s.of.ID())
	if errors.Is(err, target.ErrNotFound) || errors.Is(err, target.ErrNoInstallation) {
		return nil
	}
	if err != nil {
		return err
	}
	rec, err := recordOf[target.EnvironmentRecord](n.document)
	s.stands, s.was = n, rec.Spec
	return err
}

func fault(path, format string, args ...any) target.Faults {
	return target.Faults{{Path: path, Message: fmt.Sprintf(format, args...)}}
}

func (s site) zone(ctx context.Context) (target.Faults, error) {
	const path = "aws.hosted_zone_id"
	id := s.settings.HostedZoneID
	if id == "" {
		id, err := findZone(ctx, s.clients, s.of.DomainName)
		if errors.Is(err, target.ErrInvalid) {
			return fault("domain_name", "%s. Where this configuration makes the zone, set aws.hosted_zone_id to its id", err), nil
		}
		if err != nil {
			return nil, err
		}
		return s.names(ctx, id)
	}
	out, err := s.clients.route53.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: &id})
	if err != nil {
		if isAbsent(absent(err, "NoSuchHostedZone")) {
			return fault(path, "there is no hosted zone %q in AWS account %s", id, s.clients.account), nil
		}
		return nil, failed(err, "find hosted zone %q", id)
	}
	name := strings.TrimSuffix(text(out.HostedZone.Name), ".")
	switch private := out.HostedZone.Config != nil && out.HostedZone.Config.PrivateZone; {
	case s.of.DomainName != name && !strings.HasSuffix(s.of.DomainName, "."+name):
		return fault("domain_name", "%q does not lie in hosted zone %s, which is that of %q", s.of.DomainName, id, name), nil
	case private && s.settings.CertificateARN == "":
		return fault(path, "hosted zone %s is private, and ACM looks for proofs of a name in public ones: set aws.certificate_arn", id), nil
	}
	return s.names(ctx, id)
}

// names doubts a domain name that somebody else leads elsewhere, as far as one call shows it. The same apply may
// remove the record.
func (s site) names(ctx context.Context, zone string) (target.Faults, error) {
	if s.stands != nil && slices.Contains(s.stands.factList(factNames), s.of.DomainName+"@"+zone) {
		return nil, nil
	}
	out, err := s.clients.route53.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, StartRecordName: &s.of.DomainName, MaxItems: aws.Int32(maxRecords)})
	if err != nil {
		return nil, failed(err, "find the records of %q", s.of.DomainName)
	}
	var all target.Faults
	for _, name := range namesOf(s.of.DomainName) {
		if kind := ledBy(out.ResourceRecordSets, name); kind != "" {
			f := fault("domain_name", "hosted zone %s has a record of type %s at %q, which Slipway did not make, and would refuse to replace: remove it before the apply, or choose another domain_name", zone, kind, name)
			f[0].Doubtful = true
			all = append(all, f...)
		}
	}
	return all, nil
}

func (s site) certificate(ctx context.Context) (target.Faults, error) {
	const path = "aws.certificate_arn"
	arn := s.settings.CertificateARN
	if arn == "" {
		return nil, nil
	}
	if p := strings.Split(arn, ":"); len(p) < 5 || p[3] != s.clients.region {
		return fault(path, "certificate %q is not one of %s, where the environment is", arn, s.clients.region), nil
	}
	d, err := findCertificate(ctx, s.clients, arn)
	switch {
	case isAbsent(err):
		return fault(path, "there is no certificate %q", arn), nil
	case err != nil:
		return nil, err
	case d.Status != acmtypes.CertificateStatusIssued:
		return fault(path, "certificate %q is %s: it can't be shown before it is issued", arn, d.Status), nil
	}
	has := append([]string{text(d.DomainName)}, d.SubjectAlternativeNames...)
	for _, name := range namesOf(s.of.DomainName) {
		if !slices.ContainsFunc(has, func(h string) bool { return covers(h, name) }) {
			return fault(path, "certificate %q does not cover %q: it needs the domain name and every label under it", arn, name), nil
		}
	}
	return nil, nil
}

// covers says whether a name of a certificate stands for another: itself, or a wildcard for one
// label.
func covers(certified, name string) bool {
	_, above, _ := strings.Cut(name, ".")
	return certified == name || !strings.HasPrefix(name, "*.") && certified == "*."+above
}

// pathPublic is where the subnets of the load balancer are named.
const pathPublic = "aws.vpc.public_subnet_ids"

// pathPrivate is where those of stacks are, and of an internal load balancer.
const pathPrivate = "aws.vpc.private_subnet_ids"

func (s site) network(ctx context.Context) (target.Faults, error) {
	v := s.settings.VPC
	if v == nil {
		return s.crowded(1), nil
	}
	n := &noun{clients: s.clients}
	there, err := n.findVPC(ctx, v.ID)
	if isAbsent(err) {
		return fault("aws.vpc.id", "there is no VPC %q in %s", v.ID, s.clients.region), nil
	} else if err != nil {
		return nil, failed(err, "look at VPC %q", v.ID)
	}
	off, err := n.checkVPC(ctx, v.ID)
	if err != nil {
		return nil, failed(err, "look at VPC %q", v.ID)
	}
	all := s.crowded(len(strings.Split(blocksOf(there), ",")))
	for _, o := range off {
		all = append(all, fault("aws.vpc.id", "%s: the environment needs it on", o)...)
	}
	for _, kind := range []struct {
		path string
		ids  []string
	}{
		{pathPublic, v.PublicSubnets}, {pathPrivate, v.PrivateSubnets}, {"aws.vpc.database_subnet_ids", v.DatabaseSubnets},
	} {
		faults, err := s.subnets(ctx, kind.path, kind.ids)
		if err != nil {
			return all, err
		}
		all = append(all, faults...)
	}
	return all, nil
}

// withoutDataAPI are the AWS regions where Aurora PostgreSQL has no Data API (Supported Regions
// and Aurora DB engines for RDS Data API). AWS has no call that tells it.
var withoutDataAPI = []string{"ap-south-2", "ap-southeast-4", "ap-southeast-6"}

// access is the way to the database cluster, which must be there, and lead to it from the first
// apply on: it makes the login of plans.
func (s site) access(context.Context) (target.Faults, error) {
	const path = "aws.database.access"
	if s.settings.Database.Access == target.AccessDataAPI {
		if slices.Contains(withoutDataAPI, s.clients.region) {
			return fault(path, "location %q does not have the RDS Data API. Set it to %q, for which Terraform has to run where it reaches the database subnets; or choose another location for the region", s.clients.region, target.AccessDirect), nil
		}
		return nil, nil
	}
	var all target.Faults
	if s.target.session.settings.DatabaseCABundle == "" {
		all = fault(path, "%q needs the certificates of RDS's authorities, which systems do not have: download %s, and name the file in database_ca_bundle of the provider's aws block, or in SLIPWAY_DATABASE_CA_BUNDLE", target.AccessDirect, bundleURL)
	}
	if s.settings.VPC != nil || s.stands != nil {
		return all, nil
	}
	return append(all, fault(path, "nothing leads to a network that this apply makes: with %q name one that Terraform reaches in aws.vpc. Where the location has the Data API, the environment can be made with it, and changed when something leads to its network", target.AccessDirect)...), nil
}

// subnets must be there, in the VPC, and in at least two zones. Those that are for the load balancer only are
// each in another one (CreateLoadBalancer).
func (s site) subnets(ctx context.Context, path string, ids []string) (target.Faults, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	there, err := findSubnets(ctx, s.clients, ids)
	if err != nil {
		return nil, err
	}
	var all target.Faults
	zones := map[string][]string{}
	for _, id := range ids {
		i := slices.IndexFunc(there, func(n types.Subnet) bool { return text(n.SubnetId) == id })
		if i < 0 || text(there[i].VpcId) != s.settings.VPC.ID {
			all = append(all, fault(path, "there is no subnet %q in VPC %s", id, s.settings.VPC.ID)...)
			continue
		}
		zone := text(there[i].AvailabilityZoneId)
		zones[zone] = append(zones[zone], id)
	}
	if len(all) > 0 {
		return all, nil
	}
	if len(zones) < 2 {
		return fault(path, "all of them are in one availability zone: at least two are needed"), nil
	}
	switch {
	case path == pathPrivate && s.settings.Internal:
		return s.narrow(path, there), nil
	case path != pathPublic || s.settings.Internal:
		return nil, nil
	}
	all = s.narrow(path, there)
	for _, zone := range target.SortedKeys(zones) {
		if in := zones[zone]; len(in) > 1 {
			all = append(all, fault(path, "%q are all in availability zone %s, and a load balancer has one subnet in each: name one of them", in, zone)...)
		}
	}
	return all, nil
}

// What a load balancer is to have in each of its subnets ("Application Load Balancers", "Subnets for your load
// balancer"): a block of /27 or larger, which AWS does not hold anybody to, and so many free addresses.
const (
	narrowest = 27
	leastFree = 8
)

// narrow refuses subnets with too few addresses for the load balancer, and doubts those that are small. Those that it is in already have its own
// addresses.
func (s site) narrow(path string, there []types.Subnet) target.Faults {
	ids := onePerZone(there)
	var was []string
	if s.stands != nil && s.was.AWS != nil && s.was.AWS.VPC != nil {
		was = s.was.AWS.VPC.PublicSubnets
		if s.settings.Internal {
			was = s.was.AWS.VPC.PrivateSubnets
		}
	}
	var all target.Faults
	for _, n := range there {
		id := text(n.SubnetId)
		if !slices.Contains(ids, id) || slices.Contains(was, id) {
			continue
		}
		block, err := netip.ParsePrefix(text(n.CidrBlock))
		free := int(aws.ToInt32(n.AvailableIpAddressCount))
		if n.AvailableIpAddressCount == nil {
			free = leastFree // not told
		}
		if err == nil && block.Bits() > narrowest || free < leastFree {
			f := blame(path, "Subnets for your load balancer", "subnet %q is %s and has %d free addresses, and a load balancer needs /%d or larger and %d free addresses in each of its subnets: name another, or free addresses", id, text(n.CidrBlock), free, narrowest, leastFree)
			f.Doubtful = free >= leastFree
			all = append(all, f)
		}
	}
	return all
}
