package awstarget

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// ACM does not know a certificate for some seconds after it was requested, and lists one for some after it was
// deleted.
func TestACertificateThatWasJustRequestedIsWaitedFor(t *testing.T) {
	t.Parallel()
	const domain = "example.com"
	for _, c := range []struct {
		name      string
		listed    []string
		unknown   int // how often ACM does not know the one of the name "ours"
		requested int
		fails     bool
	}{
		{"known soon", nil, 3, 1, false},
		{"never known", nil, 1 << 30, 1, true},
		{"made before", []string{"deleted", "ours"}, 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			requested := 0
			var n *noun
			known := func(arn *string) error {
				if text(arn) == "ours" {
					if c.unknown--; c.unknown < 0 {
						return nil
					}
				}
				return refused(errNoCertificate)
			}
			n = scripted(t, func(in any) (any, error) {
				switch in := in.(type) {
				case *acm.ListCertificatesInput:
					out := new(acm.ListCertificatesOutput)
					for _, arn := range c.listed {
						out.CertificateSummaryList = append(out.CertificateSummaryList, types.CertificateSummary{CertificateArn: &arn, DomainName: aws.String(domain)})
					}
					return out, nil
				case *acm.RequestCertificateInput:
					requested++
					return &acm.RequestCertificateOutput{CertificateArn: aws.String("ours")}, nil
				case *acm.ListTagsForCertificateInput:
					return &acm.ListTagsForCertificateOutput{Tags: tagList(n.tags(partCertificate), func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })}, known(in.CertificateArn)
				case *acm.DescribeCertificateInput:
					proof := types.DomainValidation{ResourceRecord: &types.ResourceRecord{Name: aws.String("_1." + domain), Type: types.RecordTypeCname, Value: aws.String("_2")}}
					return &acm.DescribeCertificateOutput{Certificate: &types.CertificateDetail{Status: types.CertificateStatusIssued, DomainValidationOptions: []types.DomainValidation{proof}}}, known(in.CertificateArn)
				case *route53.ListResourceRecordSetsInput:
					return new(route53.ListResourceRecordSetsOutput), nil
				case *route53.ChangeResourceRecordSetsInput:
					return &route53.ChangeResourceRecordSetsOutput{ChangeInfo: &route53types.ChangeInfo{Id: aws.String("1")}}, nil
				case *route53.GetChangeInput:
					return &route53.GetChangeOutput{ChangeInfo: &route53types.ChangeInfo{Status: route53types.ChangeStatusInsync}}, nil
				}
				return nil, fmt.Errorf("%T is not expected", in)
			})
			began := n.target.now()
			e := target.Environment{DomainName: domain, AWS: &target.AWS{HostedZoneID: "zone"}}
			err := n.putCertificate(t.Context(), partCertificate, e)
			if (err != nil) != c.fails || isAbsent(err) != c.fails || requested != c.requested || !c.fails && n.fact(factCertificate) != "ours" {
				t.Errorf("got error %v and certificate %q, which was requested %d times", err, n.fact(factCertificate), requested)
			}
			if waited := n.target.now().Sub(began).Minutes(); waited > 3 {
				t.Errorf("waited for %.1f minutes", waited)
			}
		})
	}
}

// A certificate that something else shows keeps no apply waiting: it goes when nothing shows it any more.
func TestACertificateThatIsShownElsewhereStays(t *testing.T) {
	t.Parallel()
	const elsewhere = "arn:aws:cloudfront::123456789012:distribution/E1"
	var n *noun
	shows := map[string]string{"theirs": elsewhere}
	n = scripted(t, func(in any) (any, error) {
		switch in := in.(type) {
		case *elb.DescribeLoadBalancersInput:
			return nil, refused(errNoBalancer)
		case *acm.DescribeCertificateInput:
			d := types.CertificateDetail{DomainValidationOptions: []types.DomainValidation{{ResourceRecord: &types.ResourceRecord{Name: aws.String("_1.example.com")}}}}
			if by := shows[text(in.CertificateArn)]; by != "" {
				d.InUseBy = []string{by}
			}
			return &acm.DescribeCertificateOutput{Certificate: &d}, nil
		case *acm.DeleteCertificateInput:
			if shows[text(in.CertificateArn)] == elsewhere {
				return nil, refused("ResourceInUseException")
			}
			delete(shows, text(in.CertificateArn))
			return new(acm.DeleteCertificateOutput), nil
		}
		return nil, fmt.Errorf("%T is not expected", in)
	})
	shows["ours"] = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/" + n.balancerName() + "/1"
	n.facts[factCertificatesOld] = "ours,theirs"
	ctx, cancel := wait.Within(t.Context(), n.target.clock, time.Minute)
	defer cancel()
	if err := n.removeOldCertificates(ctx); err != nil || n.fact(factCertificatesOld) != "theirs" || len(shows) != 1 {
		t.Errorf("got error %v, and %q are to be removed", err, n.fact(factCertificatesOld))
	}
	if err := n.removeCertificate(ctx, "theirs"); err == nil || !strings.Contains(err.Error(), "in use by "+elsewhere) {
		t.Errorf("got error %v", err)
	}
}

// A hosted zone that nobody is led to proves nothing.
func TestWhyACertificateIsNotIssuedIsSaid(t *testing.T) {
	t.Parallel()
	n := scripted(t, func(any) (any, error) {
		return &acm.DescribeCertificateOutput{Certificate: &types.CertificateDetail{Status: types.CertificateStatusPendingValidation}}, nil
	})
	ctx, cancel := wait.Within(t.Context(), n.target.clock, time.Minute)
	defer cancel()
	err := n.waitCertificate(ctx, "it", "example.com", "Z1")
	if err == nil || !strings.Contains(err.Error(), "name servers of hosted zone Z1") {
		t.Errorf("got error %v", err)
	}
}
