package awstest

import (
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"
)

// Endpoint is where an AWS account of a test's own answers. It is empty at first.
type Endpoint struct {
	// ID has twelve digits.
	ID string
	// URL is the endpoint of every service in it.
	URL string
}

// accounts counts the accounts of this test binary.
var accounts atomic.Int64

func newID() string { return fmt.Sprintf("%012d", 100000000000+accounts.Add(1)) }

// Config is for looking into an account, and for changing things behind the target's back.
func (e *Endpoint) Config(region string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &e.URL, Logger: logging.Nop{},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}
