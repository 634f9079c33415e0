package awstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// refuses says why AWS would refuse what moto does: CreateLoadBalancer (names,
// InvalidConfigurationRequest), SetSubnets, CreateListener (DuplicateListener), the
// weights of TargetGroupTuple, DeleteLoadBalancer (OperationNotPermitted), and "Quotas for your
// Application Load Balancers".
func (b *balancing) refuses(c Call) error {
	for name, values := range c.Form {
		if n, err := strconv.Atoi(values[0]); strings.HasSuffix(name, ".Weight") && (err != nil || n < 0 || n > 999) {
			return refuse("ValidationError", "Weight %q is not within 0 to 999", values[0])
		}
		if strings.Contains(name, ".TargetGroups.member.6.") {
			return refuse("ValidationError", "An action forwards to 5 target groups at most")
		}
	}
	switch c.Operation {
	case "CreateLoadBalancer":
		if name := c.Form.Get("Name"); strings.HasPrefix(name, "internal-") {
			return refuse("ValidationError", "The load balancer name '%s' cannot begin with 'internal-'", name)
		}
		return b.refusesSubnets(c)
	case "SetSubnets":
		return b.refusesSubnets(c)
	case "CreateListener":
		return b.refusesListener(c)
	case "CreateRule":
		return b.refusesRule(c)
	case "DeleteLoadBalancer":
		return b.refusesEnd(c)
	}
	return nil
}

// refusesSubnets of which two are in one availability zone.
func (b *balancing) refusesSubnets(c Call) error {
	out, err := ec2.NewFromConfig(b.config(c.Region)).DescribeSubnets(b.running, &ec2.DescribeSubnetsInput{SubnetIds: members(c.Form, "Subnets.")})
	if err != nil {
		return nil //nolint:nilerr // moto says itself that they are not there
	}
	seen := map[string]bool{}
	for _, s := range out.Subnets {
		if seen[aws.ToString(s.AvailabilityZone)] {
			return refuse("InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		seen[aws.ToString(s.AvailabilityZone)] = true
	}
	return nil
}

func (b *balancing) refusesListener(c Call) error {
	routes, err := b.routing(c.Region)
	if err != nil {
		return err
	}
	for _, e := range routes.entrances {
		if aws.ToString(e.LoadBalancerArn) == c.Form.Get("LoadBalancerArn") && strconv.Itoa(int(aws.ToInt32(e.Port))) == c.Form.Get("Port") {
			return refuse("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", c.Form.Get("LoadBalancerArn"))
		}
	}
	return nil
}

// refusesRule counts values and wildcards of the rule, and the rules of the load balancer.
func (b *balancing) refusesRule(c Call) error {
	values, wildcards := 0, 0
	for name, v := range c.Form {
		if strings.HasPrefix(name, "Conditions.") && strings.Contains(name, ".Values.") {
			values++
			wildcards += strings.Count(v[0], "*") + strings.Count(v[0], "?")
		}
	}
	if values > 5 || wildcards > 5 {
		return refuse("ValidationError", "A rule has 5 values and 5 wildcards at most, not %d and %d", values, wildcards)
	}
	routes, err := b.routing(c.Region)
	if err != nil {
		return err
	}
	rules, balancer := map[string]int{}, ""
	for _, e := range routes.entrances {
		rules[aws.ToString(e.LoadBalancerArn)] += len(e.rules) - 1
		if aws.ToString(e.ListenerArn) == c.Form.Get("ListenerArn") {
			balancer = aws.ToString(e.LoadBalancerArn)
		}
	}
	if rules[balancer] >= 100 {
		return refuse("TooManyRules", "The load balancer has 100 rules already")
	}
	return nil
}

func (b *balancing) refusesEnd(c Call) error {
	arn := c.Form.Get("LoadBalancerArn")
	out, err := elb.NewFromConfig(b.config(c.Region)).DescribeLoadBalancerAttributes(b.running, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &arn})
	if err != nil {
		return nil //nolint:nilerr // moto says itself that it is not there
	}
	for _, a := range out.Attributes {
		if aws.ToString(a.Key) == "deletion_protection.enabled" && aws.ToString(a.Value) == "true" {
			return refuse("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", arn)
		}
	}
	return nil
}

// refusal answers a call that is refused, nil for one that is not.
func (b *balancing) refusal(c Call, refuses func(Call) error) http.Handler {
	err := refuses(c)
	if err == nil {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.send(w, nil, err) })
}

// refusesCertificate keeps a certificate that a listener shows (DeleteCertificate).
func (b *balancing) refusesCertificate(c Call) error {
	var in struct{ CertificateArn string }
	if err := json.Unmarshal(c.Body, &in); err != nil {
		return fmt.Errorf("read a request: %w", err)
	}
	routes, err := b.routing(c.Region)
	if err != nil {
		return err
	}
	for _, e := range routes.entrances {
		for _, shown := range e.Certificates {
			if aws.ToString(shown.CertificateArn) == in.CertificateArn {
				return refuse("ResourceInUseException", "Certificate %s is in use by %s", in.CertificateArn, aws.ToString(e.LoadBalancerArn))
			}
		}
	}
	return nil
}
