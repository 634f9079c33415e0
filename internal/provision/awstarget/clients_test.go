package awstarget

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// refuser refuses everything with one code.
type refuser struct {
	code string
	sent int
}

func (f *refuser) RoundTrip(r *http.Request) (*http.Response, error) {
	f.sent++
	body := `{"__type":"` + f.code + `"}`
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		body = `<Response><Errors><Error><Code>` + f.code + `</Code></Error></Errors></Response>`
	}
	return &http.Response{
		StatusCode: http.StatusBadRequest, Header: http.Header{"X-Amzn-Errortype": {f.code}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// What passes is sent again as often as max_retries says, and a swap waits for it. A create that AWS
// would carry out twice is sent again only where AWS did not look at it.
func TestWhatPassesIsSentAgain(t *testing.T) {
	t.Parallel()
	const attempts, throttledMost = 6, 4
	ctx := t.Context()
	release := func(c *clients) error { return c.table("rows").release(ctx, key{"slot", "oms"}, "token") }
	keep := func(c *clients) error { return (&noun{clients: c}).keepLogs(ctx, logGroup{name: "group"}) }
	scale := func(c *clients) error {
		_, err := c.scaling.PutScalingPolicy(ctx, &scaling.PutScalingPolicyInput{ServiceNamespace: scaledNamespace, ScalableDimension: scaledDimension, ResourceId: aws.String("service/a/b"), PolicyName: aws.String("cpu")})
		return failed(err, "set scaling policy")
	}
	network := func(c *clients) error {
		_, err := c.ec2.CreateVpc(ctx, &ec2.CreateVpcInput{}, onlyOnce)
		return failed(err, "create network")
	}
	newKey := func(c *clients) error {
		_, err := c.kms.CreateKey(ctx, &kms.CreateKeyInput{}, func(o *kms.Options) { o.Retryer = unlessThrottled(o.Retryer) })
		return failed(err, "create key")
	}
	for _, c := range []struct {
		name, code string
		call       func(*clients) error
		sent       int
		passes     bool
	}{
		{"DynamoDB", "TransactionConflictException", release, attempts, true},
		{"CloudWatch Logs", "OperationAbortedException", keep, attempts, true},
		{"Application Auto Scaling", "ConcurrentUpdateException", scale, attempts, true},
		{"Application Auto Scaling", "FailedResourceAccessException", scale, attempts, true},
		{"Application Auto Scaling", "ValidationException", scale, 1, false},
		{"EC2", "RequestLimitExceeded", network, throttledMost, true},
		{"EC2", "RequestTimeout", network, 1, true},
		{"EC2", "InvalidParameterValue", network, 1, false},
		{"KMS", "ThrottlingException", newKey, throttledMost, true},
		{"KMS", "RequestTimeoutException", newKey, 1, true},
	} {
		t.Run(c.name+" "+c.code, func(t *testing.T) {
			t.Parallel()
			way := &refuser{code: c.code}
			err := c.call(clientsOf(way, wait.Options{}, attempts))
			if err == nil || errors.Is(err, target.ErrUnavailable) != c.passes {
				t.Errorf("got error %v, want one that passes: %t", err, c.passes)
			}
			if way.sent != c.sent {
				t.Errorf("it was sent %d times, want %d", way.sent, c.sent)
			}
		})
	}
}
