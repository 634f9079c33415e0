package awstarget_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
)

// config is for looking, and for changing things behind the target's back.
func (l *lab) config(region string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &l.URL, Logger: logging.Nop{},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

func (l *lab) kms(region string) *kms.Client { return kms.NewFromConfig(l.config(region)) }
func (l *lab) dynamodb(region string) *dynamodb.Client {
	return dynamodb.NewFromConfig(l.config(region))
}
func (l *lab) s3(region string) *s3.Client {
	return s3.NewFromConfig(l.config(region), func(o *s3.Options) { o.UsePathStyle = true })
}

// inventory counts what is in an AWS region of the account, by kind.
func (l *lab) inventory(t *testing.T, region string) map[string]int {
	t.Helper()
	ctx, all := t.Context(), map[string]int{}
	tables, err := l.dynamodb(region).ListTables(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tables.TableNames {
		if name != "slipway-directory" { // outlives the installation
			all["table"]++
		}
	}
	keys, err := l.kms(region).ListKeys(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys.Keys {
		d, err := l.kms(region).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyId})
		if err != nil {
			t.Fatal(err)
		}
		if d.KeyMetadata.KeyState != kmstypes.KeyStatePendingDeletion && d.KeyMetadata.KeyManager == kmstypes.KeyManagerTypeCustomer {
			all["key"]++
		}
	}
	buckets, err := l.s3(region).ListBuckets(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(buckets.Buckets); n > 0 {
		all["bucket"] = n
	}
	return all
}

// words sorts an inventory into one line.
func words(inventory map[string]int) string {
	var all []string
	for k, n := range inventory {
		all = append(all, fmt.Sprint(n, " ", k))
	}
	slices.Sort(all)
	return fmt.Sprint(all)
}
