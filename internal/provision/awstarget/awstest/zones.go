package awstest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
)

// HostedZone makes a public hosted zone for a domain, as somebody has done before Slipway comes, and
// returns its id.
func HostedZone(t testing.TB, config aws.Config, domain string) string {
	t.Helper()
	out, err := route53.NewFromConfig(config).CreateHostedZone(t.Context(), &route53.CreateHostedZoneInput{Name: aws.String(domain + "."), CallerReference: &domain})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.HostedZone.Id)
}
