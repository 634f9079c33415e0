package awstarget

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// record is one record of a hosted zone: a value, or an alias of a load balancer.
type record struct {
	name, kind, value string
	// zone and address are the load balancer's.
	zone, address string
}

func (r record) set() *types.ResourceRecordSet {
	s := &types.ResourceRecordSet{Name: &r.name, Type: types.RRType(r.kind)}
	if r.address != "" {
		// Whether targets are healthy must not decide: one group without any, such as that of a
		// retired fallback, would take the name away.
		s.AliasTarget = &types.AliasTarget{DNSName: &r.address, HostedZoneId: &r.zone, EvaluateTargetHealth: false}
		return s
	}
	s.TTL, s.ResourceRecords = aws.Int64(300), []types.ResourceRecord{{Value: &r.value}}
	return s
}

// findZone finds the public hosted zone that a domain name belongs to: the longest one.
func findZone(ctx context.Context, c *clients, domain string) (string, error) {
	for name := domain; strings.Contains(name, "."); _, name, _ = strings.Cut(name, ".") {
		out, err := c.route53.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: aws.String(name + "."), MaxItems: aws.Int32(10)})
		if err != nil {
			return "", failed(err, "find the hosted zone of %q", domain)
		}
		for _, z := range out.HostedZones {
			if text(z.Name) == name+"." && (z.Config == nil || !z.Config.PrivateZone) {
				return strings.TrimPrefix(text(z.Id), "/hostedzone/"), nil
			}
		}
	}
	return "", target.Errorf(target.ErrInvalid, "no public hosted zone of Route 53 in this AWS account holds %q: make one for it, or for a domain above it", domain)
}

// findRecord finds a record by its name and type.
func findRecord(ctx context.Context, c *clients, zone, name, kind string) (*types.ResourceRecordSet, error) {
	out, err := c.route53.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{
		HostedZoneId: &zone, StartRecordName: &name, StartRecordType: types.RRType(kind), MaxItems: aws.Int32(1),
	})
	if err != nil {
		return nil, failed(absent(err, "NoSuchHostedZone"), "find record %q", name)
	}
	return recordIn(out.ResourceRecordSets, name, kind)
}

// maxRecords is how many one call lists.
const maxRecords = 100

// findRecordUnder finds a record at a domain or under it among the first hundred from the domain on, which
// a look asks for once, and else alone.
func findRecordUnder(ctx context.Context, c *clients, zone, domain, name, kind string) (*types.ResourceRecordSet, error) {
	out, err := c.route53.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, StartRecordName: &domain, MaxItems: aws.Int32(maxRecords)})
	if err != nil {
		return nil, failed(absent(err, "NoSuchHostedZone"), "find the records of %q", domain)
	}
	s, err := recordIn(out.ResourceRecordSets, name, kind)
	if isAbsent(err) && out.IsTruncated {
		return findRecord(ctx, c, zone, name, kind)
	}
	return s, err
}

// recordIn is the record of a name and a type among some.
func recordIn(all []types.ResourceRecordSet, name, kind string) (*types.ResourceRecordSet, error) {
	for _, s := range all {
		if plain(text(s.Name)) == plain(name) && string(s.Type) == kind {
			return &s, nil
		}
	}
	return nil, errAbsent
}

// plain is a name as people write it: Route 53 escapes the asterisk and ends names in a dot.
func plain(name string) string {
	return strings.TrimSuffix(strings.ReplaceAll(strings.ToLower(name), `\052`, "*"), ".")
}

// upsert writes records and waits until every server of the zone has them.
func (n *noun) upsert(ctx context.Context, zone string, records []record) error {
	var changes []types.Change
	for _, r := range records {
		has, err := findRecord(ctx, n.clients, zone, r.name, r.kind)
		if err != nil && !isAbsent(err) {
			return err
		}
		if err != nil || !r.is(has) {
			changes = append(changes, types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: r.set()})
		}
	}
	return n.change(ctx, zone, changes)
}

// is says whether a record set says what r says.
func (r record) is(s *types.ResourceRecordSet) bool {
	if r.address != "" {
		return s.AliasTarget != nil && plain(text(s.AliasTarget.DNSName)) == plain(r.address) && !s.AliasTarget.EvaluateTargetHealth
	}
	return len(s.ResourceRecords) == 1 && plain(text(s.ResourceRecords[0].Value)) == plain(r.value)
}

func (n *noun) change(ctx context.Context, zone string, changes []types.Change) error {
	if len(changes) == 0 {
		return nil
	}
	out, err := n.clients.route53.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: &zone, ChangeBatch: &types.ChangeBatch{Changes: changes}})
	if err != nil {
		return failed(err, "change the records of hosted zone %q", zone)
	}
	id := strings.TrimPrefix(text(out.ChangeInfo.Id), "/change/")
	return n.target.until(ctx, fmt.Sprintf("change %q of hosted zone %q", id, zone), func(ctx context.Context) (status, bool, error) {
		out, err := n.clients.route53.GetChange(ctx, &route53.GetChangeInput{Id: &id})
		if err != nil {
			return "", false, failed(err, "read change %q", id)
		}
		return status(out.ChangeInfo.Status), out.ChangeInfo.Status == types.ChangeStatusInsync, nil
	})
}

// removeRecord removes a record as it is. Where the answer to that is lost, what the SDK sends again is
// refused, as the record is not there.
func (n *noun) removeRecord(ctx context.Context, zone, name, kind string) error {
	has, err := findRecord(ctx, n.clients, zone, name, kind)
	if err != nil {
		return gone(err)
	}
	err = n.change(ctx, zone, []types.Change{{Action: types.ChangeActionDelete, ResourceRecordSet: has}})
	if coded(err, "InvalidChangeBatch") {
		if _, again := findRecord(ctx, n.clients, zone, name, kind); isAbsent(again) {
			return nil
		}
	}
	return err
}

// factNames are the names that lead here, each as the name and its zone. A record can't be
// tagged: one that is there before the environment has begun with it is somebody else's.
const factNames = "names"

// zoneOf is the hosted zone for an environment's names.
func (n *noun) zoneOf(ctx context.Context, e target.Environment) (string, error) {
	if given := settingsOf(e).HostedZoneID; given != "" {
		return given, nil
	}
	return findZone(ctx, n.clients, e.DomainName)
}

// names are the aliases by which an environment is reached.
func (n *noun) names(ctx context.Context, domain string) ([]record, error) {
	b, err := findBalancer(ctx, n.clients, n.balancerName())
	if err != nil {
		return nil, err
	}
	var all []record
	for _, name := range namesOf(domain) {
		all = append(all, record{name: name, kind: "A", zone: text(b.CanonicalHostedZoneId), address: text(b.DNSName)})
	}
	return all, nil
}

// namesOf are a domain name and every label under it.
func namesOf(domain string) []string { return []string{domain, "*." + domain} }

// unclaimed refuses a name that somebody else leads somewhere: beside a CNAME there can be no other record,
// and an AAAA would go on to lead elsewhere who comes by IPv6.
func unclaimed(ctx context.Context, c *clients, zone, name string) error {
	out, err := c.route53.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{
		HostedZoneId: &zone, StartRecordName: &name, StartRecordType: types.RRTypeA, MaxItems: aws.Int32(maxRecords),
	})
	if err != nil {
		return failed(absent(err, "NoSuchHostedZone"), "find the records of %q", name)
	}
	if kind := ledBy(out.ResourceRecordSets, name); kind != "" {
		return fmt.Errorf("%w: remove it, or choose another domain_name", foreign(fmt.Sprintf("Route 53 record of type %s", kind), name))
	}
	return nil
}

// ledBy is the type of a record that leads a name somewhere, "" where none does.
func ledBy(all []types.ResourceRecordSet, name string) types.RRType {
	for _, kind := range []types.RRType{types.RRTypeA, types.RRTypeAaaa, types.RRTypeCname} {
		if _, err := recordIn(all, name, string(kind)); err == nil {
			return kind
		}
	}
	return ""
}

// putNames leads the domain name, and every label under it, to the load balancer.
func (n *noun) putNames(ctx context.Context, e target.Environment) error {
	zone, err := n.zoneOf(ctx, e)
	if err != nil {
		return err
	}
	names, err := n.names(ctx, e.DomainName)
	if err != nil {
		return err
	}
	begun := n.factList(factNames)
	if is := e.DomainName + "@" + zone; !slices.Contains(begun, is) {
		for _, r := range names {
			if err := unclaimed(ctx, n.clients, zone, r.name); err != nil {
				return err
			}
		}
		if err := n.saveList(ctx, factNames, append(begun, is)); err != nil {
			return err
		}
	}
	return n.upsert(ctx, zone, names)
}

func (n *noun) checkNames(ctx context.Context, e target.Environment) ([]string, error) {
	zone, err := n.zoneOf(ctx, e)
	if err != nil {
		return nil, err
	}
	names, err := n.names(ctx, e.DomainName)
	if err != nil {
		return nil, gone(err) // the load balancer's own check says so
	}
	var drift []string
	for _, r := range names {
		has, err := findRecordUnder(ctx, n.clients, zone, e.DomainName, r.name, r.kind)
		if isAbsent(err) || err == nil && !r.is(has) {
			drift = append(drift, fmt.Sprintf("the name %q does not lead to the load balancer", r.name))
		} else if err != nil {
			return nil, err
		}
	}
	return drift, nil
}

// removeNames removes the names that lead here, except one; "" is none. What a zone held that is
// gone is gone with it.
func (n *noun) removeNames(ctx context.Context, except string) error {
	var stay []string
	for _, name := range n.factList(factNames) {
		domain, zone, _ := strings.Cut(name, "@")
		if name == except {
			stay = append(stay, name)
			continue
		}
		for _, r := range namesOf(domain) {
			if err := n.removeRecord(ctx, zone, r, "A"); err != nil {
				return err
			}
		}
	}
	return n.saveList(ctx, factNames, stay)
}

// removeOldNames removes the names that the environment had before.
func (n *noun) removeOldNames(ctx context.Context, e target.Environment) error {
	if len(n.factList(factNames)) < 2 {
		return nil
	}
	zone, err := n.zoneOf(ctx, e)
	if err != nil {
		return err
	}
	return n.removeNames(ctx, e.DomainName+"@"+zone)
}
