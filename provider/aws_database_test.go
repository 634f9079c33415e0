package provider_test

import (
	"context"
	"regexp"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

func TestAccAWSAccountDatabase(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.zone("example.com")
	with := func(a attrs) string {
		return c.block + platformWithEnvironment(attrs{"aws": `{ nat = "none", database = { instances = 1 } }`}) + databaseBlock(a)
	}
	const address = "slipway_account_database.test"
	open, closed := attrs{"deletion_protection": "false"}, attrs{"deletion_protection": "true"}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: c.serve(),
		CheckDestroy:             c.holds(map[string]int{"zone": 1, "record": 2}),
		Steps: []resource.TestStep{
			{Config: with(attrs{"isolation": `"cluster"`}), ExpectError: regexp.MustCompile(`isolation`)},
			{Config: with(closed), Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(address, "port", "5432"),
				resource.TestCheckResourceAttrWith(address, "secret_id", c.readable),
			)},
			emptyPlan(with(closed)),
			imported(address, "eu/production/acme"),
			{Config: with(closed), Destroy: true, ExpectError: regexp.MustCompile(`deletion_protection`)},
			{Config: with(open), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
			}}},
			emptyPlan(with(open)),
		},
	})
}

// readable wants a secret that an application could read.
func (c *cloud) readable(id string) error {
	_, err := secretsmanager.NewFromConfig(c.Config(frankfurt)).GetSecretValue(context.Background(), &secretsmanager.GetSecretValueInput{SecretId: sdk.String(id)})
	return err
}
