package awstarget

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rdsdata"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// scripted is a noun whose calls are answered by a function, by what is asked. Its rows
// take each write, and their leases are held by heldToken.
func scripted(_ testing.TB, answer func(in any) (any, error)) *noun {
	config := aws.Config{Region: "eu-central-1", APIOptions: []func(*middleware.Stack) error{func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("Script", func(_ context.Context, in middleware.InitializeInput, _ middleware.InitializeHandler) (out middleware.InitializeOutput, _ middleware.Metadata, err error) {
			switch in := in.Parameters.(type) {
			case *dynamodb.BatchGetItemInput:
				rows := map[string][]map[string]dynamodbtypes.AttributeValue{}
				for table, asked := range in.RequestItems {
					for _, k := range asked.Keys {
						k[rowToken], k[rowExpires] = textValue(heldToken), numberValue(time.Now().Add(time.Hour).UnixNano())
						rows[table] = append(rows[table], k)
					}
				}
				out.Result = &dynamodb.BatchGetItemOutput{Responses: rows}
			case *dynamodb.UpdateItemInput:
				out.Result = &dynamodb.UpdateItemOutput{}
			case *dynamodb.TransactWriteItemsInput:
				out.Result = &dynamodb.TransactWriteItemsOutput{}
			default:
				out.Result, err = answer(in)
			}
			return out, middleware.Metadata{}, err
		}), middleware.After)
	}}}
	clock := wait.NewFake(time.Now())
	c := &clients{
		region: config.Region, acm: acm.NewFromConfig(config), dynamodb: dynamodb.NewFromConfig(config), ec2: ec2.NewFromConfig(config), ecs: ecs.NewFromConfig(config),
		elb: elb.NewFromConfig(config), logs: cloudwatchlogs.NewFromConfig(config), rds: rds.NewFromConfig(config), route53: route53.NewFromConfig(config),
		secrets: secretsmanager.NewFromConfig(config), kms: kms.NewFromConfig(config), rdsdata: rdsdata.NewFromConfig(config),
	}
	return &noun{
		target:  &Target{clock: clock, pace: wait.Options{First: time.Second, Max: 10 * time.Second, Clock: clock}},
		clients: c, table: c.table("rows"), region: "eu", environment: "production", facts: map[string]string{},
	}
}

const heldToken = "held"

// refused is an error of AWS.
func refused(code string) error {
	return &smithy.GenericAPIError{Code: code, Message: "made by the test"}
}
