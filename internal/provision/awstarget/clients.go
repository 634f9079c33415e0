package awstarget

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rdsdata"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// clients are those of one AWS region, with who calls.
type clients struct {
	region             string
	account, partition string
	pace               wait.Options
	doors              *http.Transport // to front doors
	resolve            func(ctx context.Context, name string) ([]string, error)
	readers            sync.Map // *reader by the name of a table

	acm      *acm.Client
	dynamodb *dynamodb.Client
	ec2      *ec2.Client
	ecs      *ecs.Client
	elb      *elb.Client
	iam      *iam.Client
	kms      *kms.Client
	logs     *cloudwatchlogs.Client
	metrics  *cloudwatch.Client
	rds      *rds.Client
	rdsdata  *rdsdata.Client
	route53  *route53.Client
	s3       *s3.Client
	scaling  *applicationautoscaling.Client
	secrets  *secretsmanager.Client
}

func newClients(s signedIn, region string, settings Settings, pace wait.Options) *clients {
	config := s.config.Copy()
	config.Region = region
	endpoint := func(name string, to **string) { // else it is what the SDK reads, also for the service alone
		if url := settings.Endpoints[name]; url != "" {
			*to = &url
		}
	}
	describes := newDescribes(pace.First, pace.Clock)
	return &clients{
		region: region, account: s.account, partition: s.partition, pace: pace, doors: s.doors, resolve: net.DefaultResolver.LookupHost,
		acm: acm.NewFromConfig(config, func(o *acm.Options) { endpoint("acm", &o.BaseEndpoint) }),
		dynamodb: dynamodb.NewFromConfig(config, func(o *dynamodb.Options) {
			endpoint("dynamodb", &o.BaseEndpoint)
			o.Retryer = persistent(o.Retryer)
		}),
		ec2: ec2.NewFromConfig(config, func(o *ec2.Options) { endpoint("ec2", &o.BaseEndpoint) }),
		ecs: ecs.NewFromConfig(config, func(o *ecs.Options) { endpoint("ecs", &o.BaseEndpoint) }),
		iam: iam.NewFromConfig(config, func(o *iam.Options) { endpoint("iam", &o.BaseEndpoint) }),
		kms: kms.NewFromConfig(config, func(o *kms.Options) { endpoint("kms", &o.BaseEndpoint) }),
		logs: cloudwatchlogs.NewFromConfig(config, func(o *cloudwatchlogs.Options) {
			endpoint("logs", &o.BaseEndpoint)
			o.Retryer = persistent(o.Retryer)
		}),
		metrics: cloudwatch.NewFromConfig(config, func(o *cloudwatch.Options) { endpoint("cloudwatch", &o.BaseEndpoint) }),
		rds:     rds.NewFromConfig(config, func(o *rds.Options) { endpoint("rds", &o.BaseEndpoint) }),
		rdsdata: rdsdata.NewFromConfig(config, func(o *rdsdata.Options) { endpoint("rdsdata", &o.BaseEndpoint) }),
		route53: route53.NewFromConfig(config, func(o *route53.Options) { endpoint("route53", &o.BaseEndpoint) }),
		scaling: applicationautoscaling.NewFromConfig(config, func(o *applicationautoscaling.Options) {
			endpoint("applicationautoscaling", &o.BaseEndpoint)
			o.Retryer = persistent(o.Retryer)
		}),
		elb: elb.NewFromConfig(config, func(o *elb.Options) {
			endpoint("elbv2", &o.BaseEndpoint)
			o.APIOptions = append(slices.Clone(o.APIOptions), describes.describe)
		}),
		s3: s3.NewFromConfig(config, func(o *s3.Options) {
			endpoint("s3", &o.BaseEndpoint)
			o.UsePathStyle = settings.S3UsePathStyle
		}),
		secrets: secretsmanager.NewFromConfig(config, func(o *secretsmanager.Options) { endpoint("secretsmanager", &o.BaseEndpoint) }),
	}
}

// persistent has a client send again what is refused with a code that passes, as often as the settings say.
func persistent(r aws.Retryer) aws.Retryer { return retry.AddWithErrorCodes(r, passing...) }

// unlessThrottled is the retryer of a create that AWS would carry out again. It is sent once, unless it was refused as
// there were too many calls: then nothing was made.
func unlessThrottled(r aws.Retryer) aws.Retryer {
	whole, ok := r.(aws.RetryerV2)
	if !ok {
		return aws.NopRetryer{}
	}
	return throttled{whole}
}

type throttled struct{ aws.RetryerV2 }

// MaxAttempts is so few that they take less time than such a create is given.
func (t throttled) MaxAttempts() int {
	const most = 4
	if set := t.RetryerV2.MaxAttempts(); set > 0 {
		return min(set, most)
	}
	return most
}

func (throttled) IsErrorRetryable(err error) bool {
	return coded(err, "ThrottlingException", "RequestLimitExceeded")
}

// witness sees each try of a call, of which the error tells the last one only.
type witness struct {
	aws.RetryerV2
	// unsure says that one that failed may have been carried out.
	unsure *bool
}

// witnessed has a call's tries seen.
func witnessed(r aws.Retryer, unsure *bool) aws.Retryer {
	whole, ok := r.(aws.RetryerV2)
	if !ok {
		return aws.NopRetryer{}
	}
	return witness{whole, unsure}
}

func (w witness) IsErrorRetryable(err error) bool {
	*w.unsure = *w.unsure || !turnedDown(err)
	return w.RetryerV2.IsErrorRetryable(err)
}

// table is a table of rows.
func (c *clients) table(name string) table {
	r, _ := c.readers.LoadOrStore(name, &reader{client: c.dynamodb, table: name, pace: c.pace})
	return table{client: c.dynamodb, name: name, reader: r.(*reader)}
}

// arn names a resource of this account and region.
func (c *clients) arn(service, resource string) string {
	return "arn:" + c.partition + ":" + service + ":" + c.region + ":" + c.account + ":" + resource
}

// text is what a pointer of the SDK points to, "" where there is none.
func text(p *string) string { return aws.ToString(p) }
