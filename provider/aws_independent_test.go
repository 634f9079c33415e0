package provider_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
)

// independent is an AWS account on the emulator of others, away from the installation's home.
type independent struct {
	*awstest.Endpoint
	t         *testing.T
	authority string // the file
}

const sydney = "ap-southeast-2"

// holds checks what environments and their databases are made of in some AWS regions, by kind.
func (i *independent) holds(want map[string]map[string]int) resource.TestCheckFunc {
	return i.counts(i.Inventory, want)
}

// keeps checks everything that there is in some AWS regions, by kind.
func (i *independent) keeps(want map[string]map[string]int) resource.TestCheckFunc {
	return i.counts(i.Left, want)
}

func (i *independent) counts(count func(context.Context, string) (map[string]int, error), want map[string]map[string]int) resource.TestCheckFunc {
	return func(*terraform.State) error {
		for region, want := range want {
			got, err := count(context.WithoutCancel(i.t.Context()), region)
			if err != nil {
				return err
			}
			if !maps.Equal(got, want) {
				return fmt.Errorf("in %s there is %v, want %v", region, got, want)
			}
		}
		return nil
	}
}

// drift changes things behind Terraform's back.
func (i *independent) drift() {
	ctx, config := i.t.Context(), i.Config(sydney)
	network := ec2.NewFromConfig(config)
	vpcs, err := network.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{{Name: sdk.String("tag:managed-by"), Values: []string{"slipway"}}}})
	if err == nil {
		_, err = network.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{VpcId: vpcs.Vpcs[0].VpcId, EnableDnsHostnames: &ec2types.AttributeBooleanValue{Value: sdk.Bool(false)}})
	}
	if err == nil {
		_, err = cloudwatchlogs.NewFromConfig(config).PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: sdk.String("/slipway/pacific/depot"), RetentionInDays: sdk.Int32(1)})
	}
	if err != nil {
		i.t.Fatal(err)
	}
}

// freight is what another team than the one of the other tests would write.
func (i *independent) freight(release string, suite int, environment, database, gateway attrs) string {
	return awsBlock(i.t, i.URL, attrs{
		"region": `"eu-west-1"`, "domain_name": `"freight.example.net"`, "https_proxy": `"` + i.URL + `"`, "custom_ca_bundle": `"` + i.authority + `"`,
		"default_tags": `{ tags = { team = "freight" } }`,
	}) +
		block("region", "pacific", attrs{"name": `"pacific"`, "location": `"ap-southeast-2"`, "jurisdiction": `"AU"`}) +
		block("environment", "depot", attrs{
			"region_id": "slipway_region.pacific.id", "name": `"depot"`, "kind": `"production"`, "tenancy": `"multi_tenant"`,
			"deletion_protection": "false", "network": "{ https_port = 9443, preview_port = 9444 }",
			"aws": `{ nat = "single", zones = 2, vpc_cidr_block = "192.168.64.0/22", database = { max_capacity_units = 4, backup_retention_days = 3 } }`,
		}.with(environment)) +
		block("account_database", "hauler", attrs{
			"environment_id": "slipway_environment.depot.id", "account": `"hauler"`, "data_residency": `["AU"]`, "connection_limit": "12", "deletion_protection": "false",
		}.with(database)) +
		block("deployment_slot", "dispatch", attrs{
			"environment_id": "slipway_environment.depot.id", "name": `"dispatch"`, "release": `"` + release + `"`, "deletion_protection": "false",
			"components": `{
    gateway = {
      image        = "registry.example.net/dispatch:{release}"
      command      = ["serve"]
      port         = 3000
      cpu          = 512
      memory_mib   = 2048
      health_check = { path = "/ready", healthy_threshold = 1 }
      routes       = [{ path_prefix = "/dispatch" }]
      scaling      = ` + gateway["scaling"] + `
    }
    packer = { image = "registry.example.net/packer:{release}" }
  }`,
			"migrate":    `{ image = "registry.example.net/dispatch:{release}", command = ["exit", "0"] }`,
			"test_suite": fmt.Sprintf(`{ image = "registry.example.net/dispatch:{release}", command = ["exit", "%d"] }`, suite),
			"swap":       `{ minimum_healthy_seconds = 1, drain_seconds = 1, start_timeout_seconds = 60 }`,
			"depends_on": "[slipway_account_database.hauler]",
		})
}

// TestAccAWSIndependentEmulator takes all resources through their lives on an emulator that nobody
// of this project wrote, with other names, regions and sizes than the tests on moto.
//
// MiniStack carries the region, the environment and the life of ECS services and tasks by itself.
// What it lacks is put beside it: see [awstest.NewIndependent]. It can't carry what comes from the
// traffic itself: its load balancers call each target healthy, and nothing counts requests.
func TestAccAWSIndependentEmulator(t *testing.T) {
	t.Parallel()
	asked(t)
	endpoint, authority := awstest.NewIndependent(t)
	i := &independent{endpoint, t, awstest.File(t, "authority.pem", string(authority))}
	awstest.HostedZone(t, i.Config(sydney), "freight.example.net")
	small := attrs{"scaling": "{ min = 1, max = 5, target_cpu_percent = 60 }"}
	first := i.freight("7.1.0", 0, nil, nil, small)
	grown := func(release string, suite int) string {
		return i.freight(release, suite, attrs{
			"tags": `{ grown = "yes" }`,
			"aws":  `{ nat = "per_zone", zones = 2, vpc_cidr_block = "192.168.64.0/22", preview_cidr_blocks = ["203.0.113.0/24"], database = { max_capacity_units = 6, backup_retention_days = 3 } }`,
		}, attrs{"connection_limit": "25"}, attrs{"scaling": "{ min = 2, max = 5, target_cpu_percent = 60 }"}) +
			block("region", "brazil", attrs{"name": `"brazil"`, "location": `"sa-east-1"`, "jurisdiction": `"BR"`})
	}
	serves := func(release string) resource.TestCheckFunc {
		return resource.ComposeAggregateTestCheckFunc(
			resource.TestCheckResourceAttr("slipway_deployment_slot.dispatch", "phase", "live"),
			resource.TestCheckResourceAttr("slipway_deployment_slot.dispatch", "live.release", release),
		)
	}
	all := map[string]int{
		"table": 1, "bucket": 1, "key": 1, "alias": 1, "zone": 1, "record": 2 + 3, "vpc": 1, "subnet": 6, "gateway": 1, "address": 1, "nat": 1, "endpoint": 1, "route table": 4, "security group": 3,
		"load balancer": 1, "listener": 3, "certificate": 1, "role": 2, "log group": 3, "cluster": 1, "dashboard": 1, "database cluster": 1, "database instance": 2,
		"database parameter group": 1, "database subnet group": 1, "secret": 2,
	}
	outside := map[string]int{"zone": 1, "record": 2}
	snapshots := map[string]int{"database snapshot": 1} // the account's: MiniStack takes none as a cluster ends
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: (&cloud{t: t}).serve(),
		CheckDestroy:             i.keeps(map[string]map[string]int{sydney: changed(outside, snapshots), "sa-east-1": outside, "eu-west-1": outside}),
		Steps: []resource.TestStep{
			{Config: first, Check: resource.ComposeAggregateTestCheckFunc(serves("7.1.0"),
				resource.TestCheckResourceAttr("slipway_environment.depot", "aws_resources.vpc_cidr_block", "192.168.64.0/22"), i.holds(map[string]map[string]int{sydney: all}))},
			emptyPlan(first),
			imported("slipway_environment.depot", "pacific/depot"),
			imported("slipway_account_database.hauler", "pacific/depot/hauler"),
			imported("slipway_deployment_slot.dispatch", "pacific/depot/dispatch"),
			{Config: grown("7.2.0", 0), Check: resource.ComposeAggregateTestCheckFunc(
				serves("7.2.0"),
				resource.TestCheckResourceAttr("slipway_deployment_slot.dispatch", "fallback.release", "7.1.0"),
				i.holds(map[string]map[string]int{sydney: changed(all, map[string]int{"address": 2, "nat": 2, "bucket": 2})}),
			)},
			emptyPlan(grown("7.2.0", 0)),
			{Config: grown("7.3.0", 3), ExpectError: regexp.MustCompile(`(?s)exit\s+code\s+3.*Release\s+7.2.0\s+still\s+serves`)},
			{PreConfig: i.drift, Config: grown("7.2.0", 0), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("slipway_environment.depot", plancheck.ResourceActionUpdate),
			}}, Check: resource.TestCheckResourceAttr("slipway_deployment_slot.dispatch", "live.release", "7.2.0")},
			emptyPlan(grown("7.2.0", 0)),
		},
	})
}
