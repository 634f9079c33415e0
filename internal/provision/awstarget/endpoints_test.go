package awstarget

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// A service is asked where the settings say, else where its own variable does, else where that of all does.
func TestEndpointsOfServicesComeFromTheEnvironment(t *testing.T) {
	const given, own, all = "http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"
	for _, name := range []string{"ACM", "KMS"} {
		t.Setenv("AWS_ENDPOINT_URL_"+name, own)
	}
	for _, everywhere := range []string{"", all} {
		if everywhere != "" {
			t.Setenv("AWS_ENDPOINT_URL", everywhere)
		}
		loaded, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("eu-central-1"))
		if err != nil {
			t.Fatal(err)
		}
		c := newClients(signedIn{config: loaded}, "eu-central-1", Settings{Endpoints: map[string]string{"acm": given}}, wait.Options{First: time.Second, Clock: wait.Real{}})
		for name, e := range map[string]struct {
			got  *string
			want string
		}{
			"acm": {c.acm.Options().BaseEndpoint, given},
			"kms": {c.kms.Options().BaseEndpoint, own},
			"rds": {c.rds.Options().BaseEndpoint, everywhere},
		} {
			if got := aws.ToString(e.got); got != e.want {
				t.Errorf("with AWS_ENDPOINT_URL %q, %s is asked at %q, want %q", everywhere, name, got, e.want)
			}
		}
	}
}
