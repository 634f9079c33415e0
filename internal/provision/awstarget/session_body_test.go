package awstarget

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
)

// late carries requests as net/http does where it is later than the SDK: the body is read to its
// length, closed by who sent it since the answer is there, and then asked whether there is more.
type late struct {
	t    *testing.T
	seen int
}

func (l *late) RoundTrip(r *http.Request) (*http.Response, error) {
	l.seen++
	if n, err := io.Copy(io.Discard, io.LimitReader(r.Body, r.ContentLength)); err != nil || n != r.ContentLength || n == 0 {
		l.t.Errorf("%s: read %d bytes of %d: %v", r.URL, n, r.ContentLength, err)
	}
	if err := r.Body.Close(); err != nil {
		l.t.Errorf("%s: close: %v", r.URL, err)
	}
	if n, err := io.Copy(io.Discard, r.Body); n != 0 || err != nil {
		l.t.Errorf("%s: after its end the body has %d bytes more: %v", r.URL, n, err)
	}
	return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
}

func TestAClosedBodyIsAtItsEnd(t *testing.T) {
	t.Parallel()
	way := &late{t: t}
	config := aws.Config{
		Region: "eu-central-1", HTTPClient: &http.Client{Transport: way}, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		APIOptions: []func(*middleware.Stack) error{plainBodies},
	}
	_, _ = dynamodb.NewFromConfig(config).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	_, _ = ec2.NewFromConfig(config).DescribeRouteTables(t.Context(), &ec2.DescribeRouteTablesInput{})
	_, _ = s3.NewFromConfig(config).CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: aws.String("orders"), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraintEuCentral1},
	})
	if way.seen != 3 {
		t.Errorf("%d requests were sent, want 3", way.seen)
	}
}
