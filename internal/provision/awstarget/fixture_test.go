package awstarget_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
)

const home, elsewhere = "eu-central-1", "us-east-1"

// lab is an AWS account with what is needed to work on it.
type lab struct{ *awstest.Account }

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{Account: awstest.New(t)}
	zone := &route53.CreateHostedZoneInput{Name: aws.String("example.com."), CallerReference: aws.String(l.ID)}
	if _, err := route53.NewFromConfig(l.config(home)).CreateHostedZone(t.Context(), zone); err != nil {
		t.Fatal(err)
	}
	return l
}

// client makes another client of the account, as another process would, whose requests are
// all checked.
func (l *lab) client(t *testing.T, change ...func(*awstarget.Settings, *awstarget.Options)) *awstarget.Target {
	t.Helper()
	s := awstarget.Settings{
		Region: home, MaxRetries: 1, S3UsePathStyle: true, SkipMetadataAPICheck: true,
		SharedConfigFiles: []string{awstest.File(t, "config", "")}, SharedCredentialsFiles: []string{awstest.File(t, "credentials", "[default]\naws_access_key_id = test\naws_secret_access_key = test\n")},
		Endpoints: awstest.Endpoints(l.URL),
	}
	o := awstarget.Options{
		Pace:      20 * time.Millisecond,
		Inspect:   awstest.Check(func(fault string) { t.Errorf("AWS would refuse a request: %s", fault) }),
		Transport: func(next http.RoundTripper) http.RoundTripper { return next },
	}
	for _, c := range change {
		c(&s, &o)
	}
	return awstarget.New(s, o)
}
