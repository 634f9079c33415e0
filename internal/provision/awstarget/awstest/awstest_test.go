package awstest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

func config(a *Account) aws.Config {
	return aws.Config{
		Region: "eu-central-1", BaseEndpoint: &a.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

func TestEachAccountSeesItsOwnThingsOnly(t *testing.T) {
	t.Parallel()
	one, other := New(t), New(t)
	if one.ID == other.ID {
		t.Fatalf("both accounts are %s", one.ID)
	}
	who, err := sts.NewFromConfig(config(one)).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(who.Account) != one.ID {
		t.Errorf("the account calls itself %s, want %s", aws.ToString(who.Account), one.ID)
	}
	if _, err := kms.NewFromConfig(config(one)).CreateKey(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for a, want := range map[*Account]int{one: 1, other: 0} {
		keys, err := kms.NewFromConfig(config(a)).ListKeys(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(keys.Keys) != want {
			t.Errorf("account %s has %d keys, want %d", a.ID, len(keys.Keys), want)
		}
	}
}

func TestRequestsAreCheckedAgainstTheModel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, operation string
		input           any
		want            string // the end of each fault's path, or "" for none
	}{
		{"what the model allows passes", "CreateKey", &kms.CreateKeyInput{Description: aws.String("a key"), KeySpec: kmstypes.KeySpecSymmetricDefault}, ""},
		{"a missing member is found", "CreateAlias", &kms.CreateAliasInput{AliasName: aws.String("alias/a")}, "KMS.CreateAlias"},
		{"a value that is not in the enumeration is found", "CreateKey", &kms.CreateKeyInput{KeySpec: "ROUND"}, ".KeySpec"},
		{"a number out of range is found", "ListKeys", &kms.ListKeysInput{Limit: aws.Int32(5000)}, ".Limit"},
		{"a text that is too long is found", "CreateKey", &kms.CreateKeyInput{Description: aws.String(strings.Repeat("x", 9000))}, ".Description"},
		{"a text of another form is found", "CreateAlias", &kms.CreateAliasInput{AliasName: aws.String("alias/a b"), TargetKeyId: aws.String("k")}, ".AliasName"},
		{"a list's elements are checked", "CreateKey", &kms.CreateKeyInput{Tags: []kmstypes.Tag{{TagKey: aws.String(""), TagValue: aws.String("v")}}}, ".Tags[0].TagKey"},
		{"an operation that does not exist is found", "MakeKey", &kms.CreateKeyInput{}, "no operation MakeKey"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			faults := faultsOf("KMS", c.operation, c.input)
			switch {
			case c.want == "" && len(faults) > 0:
				t.Errorf("found %q, want nothing", faults)
			case c.want != "" && (len(faults) != 1 || !strings.Contains(faults[0]+":", c.want+":")):
				t.Errorf("found %q, want one of %q", faults, c.want)
			}
		})
	}
}

func TestEveryModelOfTheTableCanBeRead(t *testing.T) {
	t.Parallel()
	all, err := allModels()
	if err != nil {
		t.Fatal(err)
	}
	for id := range folders {
		s, err := all.of(id)
		if err != nil {
			t.Error(err)
		} else if len(s.Operations) == 0 {
			t.Errorf("service %q has no operations", id)
		}
	}
}

func TestAClientReportsWhatItsRequestsLack(t *testing.T) {
	t.Parallel()
	var reported []string
	c := config(New(t))
	c.APIOptions = []func(*middleware.Stack) error{Check(func(fault string) { reported = append(reported, fault) })}
	client := dynamodb.NewFromConfig(c)
	if _, err := client.ListTables(t.Context(), nil); err != nil || len(reported) > 0 {
		t.Fatalf("a good request: error %v, reported %q", err, reported)
	}
	if _, err := client.ListTables(t.Context(), &dynamodb.ListTablesInput{Limit: aws.Int32(1000)}); len(reported) != 1 {
		t.Errorf("a bad request: error %v, reported %q", err, reported)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault    Fault
		at, made int
		code     string
	}{
		{FailBefore, 2, 0, "InternalFailure"},
		{FailAfter, 2, 1, ""},
		{Throttle, 2, 0, "ThrottlingException"},
		{Expire, 2, 0, "ExpiredTokenException"},
		{Interrupt, 2, 1, ""},
	} {
		t.Run(c.fault.String(), func(t *testing.T) {
			t.Parallel()
			conf := config(New(t))
			calls := NewCalls(http.DefaultTransport)
			ctx, cancel := context.WithCancel(t.Context())
			calls.Interrupts(cancel)
			conf.HTTPClient = &http.Client{Transport: calls}
			client := dynamodb.NewFromConfig(conf)
			calls.FailAt(c.at, c.fault)
			if _, err := client.ListTables(t.Context(), nil); err != nil {
				t.Fatalf("call 1: %v", err)
			}
			var api smithy.APIError
			if err := createTable(ctx, client); err == nil || errors.As(err, &api) != (c.code != "") || c.code != "" && api.ErrorCode() != c.code {
				t.Errorf("call 2: got error %v, want code %q", err, c.code)
			}
			tables, err := client.ListTables(t.Context(), nil)
			if err != nil {
				t.Fatalf("call 3: %v", err)
			}
			if len(tables.TableNames) != c.made {
				t.Errorf("there are %d tables, want %d", len(tables.TableNames), c.made)
			}
			if want := []string{"dynamodb ListTables", "dynamodb CreateTable", "dynamodb ListTables"}; !slices.Equal(calls.Made(), want) {
				t.Errorf("made %q, want %q", calls.Made(), want)
			}
		})
	}
}

func TestEachCallFailsOnceInItsPlace(t *testing.T) {
	t.Parallel()
	conf := config(New(t))
	conf.RetryMaxAttempts = 1
	calls := NewCalls(http.DefaultTransport)
	conf.HTTPClient = &http.Client{Transport: calls}
	client := dynamodb.NewFromConfig(conf)
	calls.FailEach(FailBefore)
	got := ""
	for range 6 { // what lists, makes, and lists again
		for _, do := range []func() error{
			func() error { _, err := client.ListTables(t.Context(), nil); return err },
			func() error {
				var there *dynamodbtypes.ResourceInUseException
				if err := createTable(t.Context(), client); !errors.As(err, &there) {
					return err
				}
				return nil
			},
			func() error { _, err := client.ListTables(t.Context(), nil); return err },
		} {
			if do() != nil {
				got += "x"
				break
			}
			got += "."
		}
		got += " "
	}
	// To list fails the first time alone; to make once as the first change, and once after one.
	if want := "x .x ... .x ... ... "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestADeadClientSendsNothing(t *testing.T) {
	t.Parallel()
	conf := config(New(t))
	conf.RetryMaxAttempts = 1
	calls := NewCalls(http.DefaultTransport)
	ctx, cancel := context.WithCancel(t.Context())
	conf.HTTPClient = &http.Client{Transport: calls}
	client := dynamodb.NewFromConfig(conf)
	calls.DieAfter(1, cancel)
	if _, err := client.ListTables(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if err := createTable(ctx, client); err == nil || ctx.Err() == nil || !calls.Failed() {
		t.Errorf("got error %v and %v", err, ctx.Err())
	}
	if _, err := client.ListTables(t.Context(), nil); !errors.Is(err, errDead) {
		t.Errorf("got error %v, want %v", err, errDead)
	}
	conf.HTTPClient = nil
	if out, err := dynamodb.NewFromConfig(conf).ListTables(t.Context(), nil); err != nil || len(out.TableNames) != 1 {
		t.Errorf("there are %v tables (%v), want what was made", out, err)
	}
}

func createTable(ctx context.Context, client *dynamodb.Client) error {
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("things"), BillingMode: dynamodbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
		KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamodbtypes.KeyTypeHash}},
	})
	return err
}
