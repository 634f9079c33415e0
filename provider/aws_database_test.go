package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

func TestAccAWSAccountDatabase(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.zone("example.com")
	const address, own = "slipway_account_database.test", "slipway_account_database.own"
	// Two accounts, one on the environment's cluster and one on a cluster of its own.
	databases := func(cluster string, a attrs) string {
		return c.block + platformWithEnvironment(attrs{"aws": `{ nat = "none", database = ` + cluster + ` }`}) + databaseBlock(a) +
			block("account_database", "own", attrs{
				"environment_id": "slipway_environment.test.id", "account": `"globex"`, "isolation": `"cluster"`, "final_snapshot": "false",
			}.with(a))
	}
	with := func(instances int, a attrs) string { return databases(fmt.Sprintf("{ instances = %d }", instances), a) }
	directly := func(a attrs) string {
		return databases(`{ instances = 2, access = "direct", cidr_blocks = ["10.0.0.0/8"] }`, a)
	}
	open, closed := attrs{"deletion_protection": "false"}, attrs{"deletion_protection": "true"}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: c.serve(),
		CheckDestroy:             c.keeps(map[string]int{"zone": 1, "record": 2, "database snapshot": 2}), // the account's and the environment's
		Steps: c.inRoles([]resource.TestStep{
			{Config: directly(nil), ExpectError: regexp.MustCompile(`aws\.database\.access`)},
			{Config: with(1, closed), Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(address, "port", "5432"),
				resource.TestCheckResourceAttr(address, "final_snapshot", "true"),
				resource.TestCheckResourceAttrWith(address, "secret_id", c.readable),
				resource.TestCheckResourceAttrPair(address, "host", "slipway_environment.test", "database_host"),
				resource.TestCheckResourceAttrWith(own, "secret_id", c.readable),
				resource.TestMatchResourceAttr(own, "host", regexp.MustCompile(`^slipway-eu-production-globex-`)),
				c.secretsArePrivate,
			)},
			{Config: with(1, closed), PlanOnly: true},
			imported(address, "eu/production/acme"),
			imported(own, "eu/production/globex"),
			{Config: with(1, attrs{"deletion_protection": "true", "isolation": `"database"`}), ExpectError: regexp.MustCompile(`isolation\s+of\s+account\s+database`)},
			{Config: with(1, closed), Destroy: true, ExpectError: regexp.MustCompile(`deletion_protection`)},
			{Config: with(2, open), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
				plancheck.ExpectResourceAction(own, plancheck.ResourceActionUpdate),
			}}},
			// The environment's size has reached the account's cluster.
			{Config: with(2, open), PlanOnly: true},
			// What is wrong with the environment's cluster keeps none from being planned, and one apply repairs all.
			{PreConfig: c.spoilClusters, Config: with(2, open), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(environmentAddress, plancheck.ResourceActionUpdate),
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
				plancheck.ExpectResourceAction(own, plancheck.ResourceActionUpdate),
			}}},
			// An empty plan, after a rotation as well.
			{PreConfig: func() { c.rotates("acme"); c.rotates("globex") }, Config: with(2, open), PlanOnly: true},
			// So is a login of plans that a database server does not let in any more.
			{
				PreConfig: c.shutOutReaders,
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(environmentAddress, plancheck.ResourceActionNoop),
					plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
					plancheck.ExpectResourceAction(own, plancheck.ResourceActionUpdate),
				}},
				Config: with(2, open) + `data "slipway_placement" "acme" {
  account        = "acme"
  data_residency = ["EU"]
  near           = { location = "Paris" }
}`,
				Check: resource.ComposeAggregateTestCheckFunc(
					resource.TestCheckResourceAttr("data.slipway_placement.acme", "environment_id", "eu/production"),
					resource.TestCheckResourceAttr("data.slipway_placement.acme", "environments.0.distance_km", "478"),
				),
			},
			{Config: directly(open.with(attrs{"connection_limit": "3"})), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(environmentAddress, plancheck.ResourceActionUpdate),
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
			}}},
			{Config: directly(open.with(attrs{"connection_limit": "3"})), PlanOnly: true},
		}),
	})
}

// rotates wants another login in an account's secret once its credentials were rotated.
func (c *cloud) rotates(account string) {
	login := func() (v map[string]any) {
		out, err := secretsmanager.NewFromConfig(c.Config(frankfurt)).GetSecretValue(c.t.Context(), &secretsmanager.GetSecretValueInput{
			SecretId: sdk.String("slipway/eu/production/accounts/" + account + "/database"), VersionStage: sdk.String("AWSCURRENT"),
		})
		if err == nil {
			err = json.Unmarshal([]byte(sdk.ToString(out.SecretString)), &v)
		}
		if err != nil {
			c.t.Fatal(err)
		}
		return v
	}
	before := login()
	c.invoke("rotate_credentials", set{"account_database_id": "eu/production/" + account})
	after := login()
	if after["username"] == before["username"] || after["password"] == before["password"] || after["password"] == "" {
		c.t.Errorf("the login of %s is %v as before", account, after["username"])
	}
}

// spoilClusters makes every database cluster smaller behind Terraform's back, turns its Data API off, and
// writes something else over the login that plans read the environment's with.
func (c *cloud) spoilClusters() {
	if _, err := secretsmanager.NewFromConfig(c.Config(frankfurt)).PutSecretValue(context.Background(), &secretsmanager.PutSecretValueInput{
		SecretId: sdk.String("slipway-reader/eu/production/database"), SecretString: sdk.String("{}"),
	}); err != nil {
		c.t.Fatal(err)
	}
	client := rds.NewFromConfig(c.Config(frankfurt))
	out, err := client.DescribeDBClusters(context.Background(), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range out.DBClusters {
		if _, err := client.ModifyDBCluster(context.Background(), &rds.ModifyDBClusterInput{
			DBClusterIdentifier: d.DBClusterIdentifier, ServerlessV2ScalingConfiguration: &rdstypes.ServerlessV2ScalingConfiguration{MinCapacity: sdk.Float64(0.5), MaxCapacity: sdk.Float64(1)},
		}); err != nil {
			c.t.Fatal(err)
		}
		if _, err := client.DisableHttpEndpoint(context.Background(), &rds.DisableHttpEndpointInput{ResourceArn: d.DBClusterArn}); err != nil {
			c.t.Fatal(err)
		}
	}
}

// shutOutReaders gives the logins that plans read catalogues with another password, on the database
// servers only.
func (c *cloud) shutOutReaders() {
	out, err := rds.NewFromConfig(c.Config(frankfurt)).DescribeDBClusters(context.Background(), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range out.DBClusters {
		if err := c.Tamper(context.Background(), frankfurt, sdk.ToString(d.DBClusterIdentifier), `ALTER ROLE "slipway_reader" PASSWORD 'another'`); err != nil {
			c.t.Fatal(err)
		}
	}
}

// readable wants a secret that an application could read.
func (c *cloud) readable(id string) error {
	_, err := secretsmanager.NewFromConfig(c.Config(frankfurt)).GetSecretValue(context.Background(), &secretsmanager.GetSecretValueInput{SecretId: sdk.String(id)})
	return err
}
