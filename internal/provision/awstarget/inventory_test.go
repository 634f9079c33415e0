package awstarget_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// config is for looking, and for changing things behind the target's back.
func (l *lab) config(region string) aws.Config { return l.Config(region) }

func (l *lab) kms(region string) *kms.Client { return kms.NewFromConfig(l.config(region)) }
func (l *lab) dynamodb(region string) *dynamodb.Client {
	return dynamodb.NewFromConfig(l.config(region))
}
func (l *lab) s3(region string) *s3.Client {
	return s3.NewFromConfig(l.config(region), func(o *s3.Options) { o.UsePathStyle = true })
}

// inventory counts what a region is made of, by kind.
func (l *lab) inventory(t *testing.T, region string) map[string]int {
	t.Helper()
	all := l.counted(t, region, l.Inventory)
	maps.DeleteFunc(all, func(kind string, _ int) bool { return !slices.Contains(ofRegions, kind) })
	return all
}

// built counts what environments are made of, in an AWS region where nothing else is.
func (l *lab) built(t *testing.T, region string) map[string]int {
	t.Helper()
	all := l.counted(t, region, l.Inventory)
	maps.DeleteFunc(all, func(kind string, _ int) bool { return slices.Contains(ofRegions, kind) })
	return all
}

// ofRegions are the kinds that a region is made of.
var ofRegions = []string{"alias", "bucket", "key", "table"}

// running counts what slots are made of, in an AWS region with one environment.
func (l *lab) running(t *testing.T, region string) map[string]int {
	t.Helper()
	return l.counted(t, region, l.Running)
}

// left counts everything that there is.
func (l *lab) left(t *testing.T, region string) map[string]int {
	t.Helper()
	return l.counted(t, region, l.Left)
}

func (l *lab) counted(t *testing.T, region string, count func(context.Context, string) (map[string]int, error)) map[string]int {
	t.Helper()
	all, err := count(t.Context(), region)
	if err != nil {
		t.Fatal(err)
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
