package provider_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

const frankfurt = "eu-central-1"

// cloud is an AWS account on the emulator, and a provider that works in it.
type cloud struct {
	*awstest.Account
	t     *testing.T
	block string
	// settings are what the block says, once it was read.
	settings atomic.Pointer[provider.Settings]
	// role is whose rights a provider has that is configured now.
	role atomic.Pointer[role]
	// refused is what fails once, nil for nothing.
	refused atomic.Pointer[smithy.OperationError]
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	asked(t)
	a := awstest.New(t)
	authority := awstest.File(t, "authority.pem", string(a.Authority))
	c := &cloud{Account: a, t: t, block: awsBlock(t, a.URL, attrs{
		"region":             `"` + frankfurt + `"`,
		"domain_name":        `"example.com"`,
		"https_proxy":        `"` + a.Proxy + `"`,
		"custom_ca_bundle":   `"` + authority + `"`,
		"database_ca_bundle": `"` + authority + `"`,
	})}
	c.role.Store(applier(t))
	return c
}

// awsBlock is the block of a provider that works on an emulator.
func awsBlock(t *testing.T, url string, a attrs) string {
	t.Helper()
	var endpoints, more strings.Builder
	urls := awstest.Endpoints(url)
	for _, service := range slices.Sorted(maps.Keys(urls)) {
		fmt.Fprintf(&endpoints, "      %s = %q\n", service, urls[service])
	}
	for _, k := range slices.Sorted(maps.Keys(a)) {
		fmt.Fprintf(&more, "    %s = %s\n", k, a[k])
	}
	return fmt.Sprintf(`provider "slipway" {
  target = "aws"
  owner  = "this state"
  aws = {
    max_retries              = 1
    s3_use_path_style        = true
    skip_metadata_api_check  = true
    shared_config_files      = [%q]
    shared_credentials_files = [%q]
    endpoints = {
%s    }
%s  }
}
`, awstest.File(t, "config", ""), awstest.File(t, "credentials", "[default]\naws_access_key_id = test\naws_secret_access_key = test\n"), endpoints.String(), more.String())
}

// shutOut keeps the provider away from all front doors.
func (c *cloud) shutOut() { c.block = strings.Replace(c.block, c.Proxy, "http://127.0.0.1:1", 1) }

// serve is the provider on the emulator, which checks each request and whether the run's role may send it.
func (c *cloud) serve() map[string]func() (tfprotov6.ProviderServer, error) {
	make := func(s provider.Settings) (target.Driver, error) {
		c.settings.Store(&s)
		return c.open(s), nil
	}
	return map[string]func() (tfprotov6.ProviderServer, error){
		"slipway": providerserver.NewProtocol6WithError(provider.New("test", provider.WithDriver(make), provider.WithEnvironment(func(string) string { return "" }))()),
	}
}

func (c *cloud) open(s provider.Settings) target.Driver {
	role := c.role.Load()
	return awstarget.New(*s.AWS, awstarget.Options{
		Pace: 20 * time.Millisecond, ScheduleLead: time.Second, MeterPeriod: awstest.MeterPeriod,
		DialDatabase: c.Dial, Inspect: func(stack *middleware.Stack) error {
			check := awstest.Check(func(fault string) { c.t.Errorf("AWS would refuse a request: %s", fault) })
			judge := func(*middleware.Stack) error { return nil }
			if role != nil { // the account is one of awstest's, whose judge it has
				judge = c.Judge.Hold(role.policies, func(denied string) { c.t.Errorf("IAM would refuse the role of %s: %s", role.name, denied) })
			}
			return errors.Join(check(stack), judge(stack), stack.Initialize.Add(middleware.InitializeMiddlewareFunc("RefuseOnce", c.refuseOnce), middleware.After))
		},
	})
}

// refuseOnce is the step of every call that lets one fail.
func (c *cloud) refuseOnce(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	if e := c.refused.Load(); e != nil && e.OperationName == awsmiddleware.GetOperationName(ctx) && c.refused.CompareAndSwap(e, nil) {
		return middleware.InitializeOutput{}, middleware.Metadata{}, e
	}
	return next.HandleInitialize(ctx, in)
}

// refuse lets the next call of an operation fail with an error code of AWS.
func (c *cloud) refuse(operation, code string) func() {
	return func() {
		c.refused.Store(&smithy.OperationError{ServiceID: "AWS", OperationName: operation, Err: &smithy.GenericAPIError{Code: code, Message: "made by the test"}})
	}
}

// invoke invokes an action beside Terraform, which has none before 1.14.
func (c *cloud) invoke(name string, config map[string]any) {
	c.t.Helper()
	open := func(provider.Settings) (target.Driver, error) { return c.open(*c.settings.Load()), nil }
	w := &world{t: c.t, clock: wait.NewFake(time.Now()), owner: "somebody"}
	if _, d := w.lab(nil, provider.WithDriver(open)).invoke(name, config); len(d) > 0 {
		c.t.Errorf("%s: %s", name, d)
	}
}

// holds checks what environments and their databases are made of in the account, by kind.
func (c *cloud) holds(want map[string]int) resource.TestCheckFunc { return c.counts(c.Inventory, want) }

// keeps checks everything that there is in the account, by kind.
func (c *cloud) keeps(want map[string]int) resource.TestCheckFunc { return c.counts(c.Left, want) }

func (c *cloud) counts(count func(context.Context, string) (map[string]int, error), want map[string]int) resource.TestCheckFunc {
	return func(*terraform.State) error {
		got, err := count(context.WithoutCancel(c.t.Context()), frankfurt)
		if err == nil && !maps.Equal(got, want) {
			err = fmt.Errorf("there is %v, want %v", got, want)
		}
		return err
	}
}

// hasOutputs compares outputs with what there is.
func (c *cloud) hasOutputs(s *terraform.State) error {
	ctx, config := context.WithoutCancel(c.t.Context()), c.Config(frankfurt)
	in := func(address string) map[string]string { return s.RootModule().Resources[address].Primary.Attributes }
	environment, region := in(environmentAddress), in("slipway_region.test")
	listeners, err := elb.NewFromConfig(config).DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: sdk.String(environment["aws_resources.load_balancer_arn"])})
	if err != nil {
		return err
	}
	want := map[int32]string{443: environment["aws_resources.https_listener_arn"], 8443: environment["aws_resources.preview_listener_arn"]}
	for _, l := range listeners.Listeners {
		if of, ok := want[*l.Port]; ok && of != *l.ListenerArn {
			err = errors.Join(err, fmt.Errorf("the listener on %d is %q, want %q", *l.Port, of, *l.ListenerArn))
		}
	}
	_, noZone := route53.NewFromConfig(config).GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: sdk.String(environment["aws_resources.hosted_zone_id"])})
	_, noTable := dynamodb.NewFromConfig(config).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: sdk.String(region["aws_resources.control_table_name"])})
	_, noBucket := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true }).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: sdk.String(region["aws_resources.log_bucket_name"])})
	_, noKey := kms.NewFromConfig(config).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: sdk.String(region["aws_resources.kms_key_arn"])})
	return errors.Join(err, noZone, noTable, noBucket, noKey)
}

// zone makes a hosted zone, which somebody else looks after.
func (c *cloud) zone(name string) {
	c.t.Helper()
	awstest.HostedZone(c.t, c.Config(frankfurt), name)
}

// drift changes things behind Terraform's back.
func (c *cloud) drift() {
	ctx, config := c.t.Context(), c.Config(frankfurt)
	network := ec2.NewFromConfig(config)
	vpcs, err := network.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{{Name: sdk.String("tag:managed-by"), Values: []string{"slipway"}}}})
	if err == nil {
		_, err = network.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{VpcId: vpcs.Vpcs[0].VpcId, EnableDnsHostnames: &ec2types.AttributeBooleanValue{Value: sdk.Bool(false)}})
	}
	if err == nil {
		_, err = cloudwatchlogs.NewFromConfig(config).DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: sdk.String("/slipway/eu/production")})
	}
	if err != nil {
		c.t.Fatal(err)
	}
	balancers := elb.NewFromConfig(config)
	all, err := balancers.DescribeLoadBalancers(ctx, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	arn := all.LoadBalancers[0].LoadBalancerArn
	_, err = balancers.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: arn, Attributes: []elbtypes.LoadBalancerAttribute{{Key: sdk.String("deletion_protection.enabled"), Value: sdk.String("false")}},
	})
	if err == nil {
		_, err = balancers.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: arn})
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.dropProof()
	client := kms.NewFromConfig(config)
	aliases, err := client.ListAliases(ctx, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, a := range aliases.Aliases {
		if !strings.HasPrefix(sdk.ToString(a.AliasName), "alias/slipway") {
			continue
		}
		if _, err := client.DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: a.TargetKeyId}); err != nil {
			c.t.Fatal(err)
		}
	}
}

// dropProof deletes the record by which the environment's certificate is renewed.
func (c *cloud) dropProof() {
	c.t.Helper()
	ctx, client := c.t.Context(), route53.NewFromConfig(c.Config(frankfurt))
	zones, err := client.ListHostedZones(ctx, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, z := range zones.HostedZones {
		all, err := client.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: z.Id})
		if err != nil {
			c.t.Fatal(err)
		}
		for _, r := range all.ResourceRecordSets {
			if r.Type != route53types.RRTypeCname {
				continue
			}
			if _, err := client.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
				HostedZoneId: z.Id, ChangeBatch: &route53types.ChangeBatch{Changes: []route53types.Change{{Action: route53types.ChangeActionDelete, ResourceRecordSet: &r}}},
			}); err != nil {
				c.t.Fatal(err)
			}
			return
		}
	}
	c.t.Fatal("there is no proof")
}

// outputs are plan checks of what an environment is made of: an update says anew what changes, and
// leaves known what stays.
func outputs(unknown ...string) (checks []plancheck.PlanCheck) {
	for _, name := range []string{"vpc_id", "stack_security_group_id", "kms_key_arn", "load_balancer_arn", "certificate_arn", "nat_addresses", "hosted_zone_id", "https_listener_arn", "preview_listener_arn"} {
		at := tfjsonpath.New("aws_resources").AtMapKey(name)
		if slices.Contains(unknown, name) {
			checks = append(checks, plancheck.ExpectUnknownValue(environmentAddress, at))
		} else {
			checks = append(checks, plancheck.ExpectKnownValue(environmentAddress, at, knownvalue.NotNull()))
		}
	}
	return append(checks, plancheck.ExpectKnownValue(environmentAddress, tfjsonpath.New("database_host"), knownvalue.NotNull()))
}

// Of a production environment with a network of its own.
var whole = map[string]int{
	"table": 1, "bucket": 1, "key": 1, "alias": 1, "zone": 2, "record": 4 + 3, "vpc": 1, "subnet": 9, "gateway": 1, "address": 3, "nat": 3, "endpoint": 1, "route table": 5,
	"security group": 3, "load balancer": 1, "listener": 3, "certificate": 1, "role": 2, "log group": 3, "cluster": 1, "dashboard": 1, "database cluster": 1, "database instance": 2,
	"database parameter group": 1, "database subnet group": 1, "secret": 1,
}

func changed(of map[string]int, by map[string]int) map[string]int {
	out := maps.Clone(of)
	maps.Copy(out, by)
	maps.DeleteFunc(out, func(_ string, n int) bool { return n == 0 })
	return out
}

func TestAccAWSEnvironment(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.zone("example.com")
	c.zone("example.org")
	config := func(a attrs) string { return c.block + platformWithEnvironment(a) }
	nothing, protected := map[string]int{"zone": 2, "record": 4}, attrs{"deletion_protection": "true"}
	kept := changed(nothing, map[string]int{"database snapshot": 1}) // of production
	cheap := attrs{
		"domain_name": `"shop.example.org"`, "tags": `{ team = "platform" }`, "network": "{ preview_port = 9443 }",
		"aws": `{ nat = "none", preview_cidr_blocks = ["203.0.113.0/24"], cidr_blocks = ["198.51.100.0/24"], probe_image = "registry.example.com/curl:1", database = { instances = 1, max_capacity_units = 8, backup_retention_days = 7 } }`,
	}
	updates := func(unknown ...string) resource.ConfigPlanChecks {
		return resource.ConfigPlanChecks{PreApply: append(outputs(unknown...), plancheck.ExpectResourceAction(environmentAddress, plancheck.ResourceActionUpdate))}
	}
	repairs := updates("load_balancer_arn", "https_listener_arn", "preview_listener_arn")
	repairs.PreApply = append(repairs.PreApply, drifted{environmentAddress, "can't be renewed"}, plancheck.ExpectResourceAction("slipway_region.test", plancheck.ResourceActionUpdate),
		plancheck.ExpectKnownValue("slipway_region.test", path("aws_resources").AtMapKey("kms_key_arn"), knownvalue.NotNull()))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: c.serve(),
		CheckDestroy:             c.keeps(kept),
		Steps: c.inRoles([]resource.TestStep{
			{Config: config(attrs{"domain_name": `"shop.example.net"`}), ExpectError: regexp.MustCompile(`no\s+public\s+hosted\s+zone`)},
			{Config: config(attrs{"network": `{ listen_address = "127.0.0.1" }`}), ExpectError: regexp.MustCompile(`has\s+no\s+listen_address`)},
			// What a failed create made is destroyed, as long as it is not finished whatever protects it.
			{PreConfig: c.refuse("CreateLoadBalancer", "AccessDenied"), Config: config(protected), ExpectError: regexp.MustCompile(`Make\s+environment\s+"eu/production"\s+what\s+is\s+asked:\s+put\s+balancer(?s:.*)CreateLoadBalancer(?s:.*)apply-network\.json(?s:.*)terraform\s+untaint\s+slipway_environment`)},
			{PreConfig: c.refuse("DeleteNatGateway", "AccessDenied"), Config: config(protected), Destroy: true, ExpectError: regexp.MustCompile(`DeleteNatGateway`)},
			{PreConfig: c.refuse("DeleteDBCluster", "InvalidDBClusterStateFault"), Config: config(protected), Destroy: true, Check: c.keeps(nothing)},
			{PreConfig: c.refuse("PutBucketPolicy", "AccessDenied"), Config: config(nil), ExpectError: regexp.MustCompile(`PutBucketPolicy(?s:.*)terraform\s+untaint\s+slipway_region`)},
			{Config: config(nil), Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(environmentAddress, "url", "https://production.eu.example.com"),
				resource.TestCheckResourceAttr(environmentAddress, "preview_url", "https://production.eu.example.com:8443"),
				resource.TestCheckNoResourceAttr(environmentAddress, "network.listen_address"),
				resource.TestCheckNoResourceAttr(environmentAddress, "database.max_connections"),
				resource.TestCheckResourceAttr(environmentAddress, "aws.nat", "per_zone"),
				resource.TestCheckResourceAttr(environmentAddress, "aws.zones", "3"),
				resource.TestCheckResourceAttr(environmentAddress, "aws.vpc_cidr_block", "10.43.0.0/16"),
				resource.TestCheckResourceAttr(environmentAddress, "aws_resources.vpc_cidr_block", "10.43.0.0/16"),
				resource.TestCheckResourceAttr(environmentAddress, "aws.database.min_capacity_units", "0.5"),
				resource.TestCheckResourceAttr(environmentAddress, "aws_resources.nat_addresses.#", "3"),
				resource.TestCheckResourceAttr(environmentAddress, "aws_resources.private_subnet_ids.#", "3"),
				resource.TestCheckResourceAttr(environmentAddress, "aws_resources.private_route_table_ids.#", "3"),
				resource.TestCheckResourceAttr(environmentAddress, "aws_resources.database_route_table_ids.#", "1"),
				resource.TestCheckResourceAttrSet(environmentAddress, "aws_resources.load_balancer_dns_name"),
				resource.TestCheckResourceAttrPair(environmentAddress, "aws_resources.kms_key_arn", "slipway_region.test", "aws_resources.kms_key_arn"),
				c.hasOutputs,
				c.holds(whole),
			)},
			{Config: config(attrs{"aws": "{}", "network": "{}", "database": "{}"}), PlanOnly: true},
			imported("slipway_region.test", "eu"),
			imported(environmentAddress, "eu/production"),
			{PreConfig: c.drift, Config: config(nil), ConfigPlanChecks: repairs, Check: c.holds(whole)},
			{Config: config(nil), PlanOnly: true},
			{Config: config(cheap), ConfigPlanChecks: updates("certificate_arn", "nat_addresses", "hosted_zone_id", "https_listener_arn", "preview_listener_arn"), Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(environmentAddress, "url", "https://shop.example.org"),
				resource.TestCheckResourceAttr(environmentAddress, "preview_url", "https://shop.example.org:9443"),
				resource.TestCheckResourceAttr(environmentAddress, "aws_resources.nat_addresses.#", "0"),
				c.holds(changed(whole, map[string]int{"address": 0, "nat": 0, "endpoint": 5, "security group": 4, "database instance": 1})),
			)},
			{Config: config(cheap), PlanOnly: true},
			imported(environmentAddress, "eu/production"),
			// A destroy that stopped half-way is not changed any more, and is finished by the next.
			{PreConfig: c.refuse("DeleteVpcEndpoints", "AccessDenied"), Config: config(cheap), Destroy: true, ExpectError: regexp.MustCompile(`DeleteVpcEndpoints`)},
			{Config: config(cheap), ExpectError: regexp.MustCompile(`being\s+removed(?s:.*)-replace`)},
			{Config: config(cheap), Destroy: true, Check: c.keeps(kept)},
		}),
	})
}
