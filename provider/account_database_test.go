package provider_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

const databaseAddress = "slipway_account_database.test"

func TestAccAccountDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(
		resource.TestStep{
			Config: platformWithDatabase(nil),
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(databaseAddress, "id", "eu/production/acme"),
				resource.TestCheckResourceAttr(databaseAddress, "connection_limit", "20"),
				resource.TestCheckResourceAttr(databaseAddress, "credential_version", "1"),
				resource.TestCheckResourceAttr(databaseAddress, "data_residency.#", "0"),
				resource.TestCheckResourceAttr(databaseAddress, "drift.#", "0"),
				resource.TestCheckResourceAttr(databaseAddress, "isolation", "database"),
				resource.TestCheckResourceAttrSet(databaseAddress, "database_name"),
				resource.TestCheckResourceAttrSet(databaseAddress, "role_name"),
				resource.TestCheckResourceAttrSet(databaseAddress, "host"),
				resource.TestCheckResourceAttrSet(databaseAddress, "port"),
				resource.TestCheckResourceAttrSet(databaseAddress, "secret_id"),
				w.noPasswordIn("eu/production/acme"),
			),
		},
		imported(databaseAddress, "eu/production/acme"),
		resource.TestStep{
			Config: platformWithDatabase(attrs{"connection_limit": "30", "credential_version": "2", "data_residency": `["US", "EU"]`, "deletion_protection": "true"}),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(databaseAddress, plancheck.ResourceActionUpdate),
			}},
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(databaseAddress, "connection_limit", "30"),
				resource.TestCheckResourceAttr(databaseAddress, "credential_version", "2"),
				resource.TestCheckResourceAttr(databaseAddress, "data_residency.#", "2"),
				resource.TestCheckResourceAttr(databaseAddress, "deletion_protection", "true"),
				w.noPasswordIn("eu/production/acme"),
			),
		},
		imported(databaseAddress, "eu/production/acme"),
		resource.TestStep{Config: platformWithDatabase(attrs{"data_residency": "[]"})},
		emptyPlan(platformWithDatabase(nil)),
	)
}

// noPasswordIn looks through the whole state for the password of a database.
func (w *world) noPasswordIn(id string) resource.TestCheckFunc {
	return func(s *terraform.State) error {
		for _, m := range s.Modules {
			for address, r := range m.Resources {
				password := w.Secret("memory:/secrets/" + id)
				for k, v := range r.Primary.Attributes {
					if password == "" || v == password {
						w.t.Errorf("attribute %s of %s holds the password, or there is none", k, address)
					}
				}
			}
		}
		return nil
	}
}

func TestAccountDatabaseRefusesWrongValues(t *testing.T) {
	t.Parallel()
	region := planned{"region", aRegion()}
	shared := []planned{region, {"environment", anEnvironment()}}
	owned := []planned{region, {"environment", with(anEnvironment(), set{"tenancy": "single_tenant", "account": "other"})}}
	refused(t, "account_database", aDatabase(), map[string]refusal{
		"an account that can't be an id":          {nil, set{"account": "Acme_1"}, `AttributeName("account")`, "contains 'A', '_'"},
		"an environment that is no id":            {nil, set{"environment_id": "production"}, `AttributeName("environment_id")`, "is not an environment id"},
		"an unknown isolation":                    {nil, set{"isolation": "schema"}, `AttributeName("isolation")`, `"schema" is not allowed`},
		"no connections":                          {nil, set{"connection_limit": 0}, `AttributeName("connection_limit")`, "0 is out of range"},
		"a credential version below one":          {nil, set{"credential_version": 0}, `AttributeName("credential_version")`, "expected 1 or more"},
		"a jurisdiction that is none":             {nil, set{"data_residency": []any{"E/U"}}, `AttributeName("data_residency")`, "not a jurisdiction"},
		"a jurisdiction that is not the region's": {shared, set{"data_residency": []any{"US"}}, `AttributeName("data_residency")`, `is under jurisdiction "EU"`},
		"an account that doesn't own the place":   {owned, nil, `AttributeName("account")`, `belongs to account "other"`},
		"more connections than the server has":    {shared, set{"connection_limit": 201}, `AttributeName("connection_limit")`, "is more than the 200"},
		"an account that has one already":         {append(shared, planned{"account_database", aDatabase()}), nil, `AttributeName("account")`, "two resources of this configuration"},
	})
}

func TestAccAccountDatabaseIsCheckedAgainAtApply(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ config, want string }{
		"a jurisdiction that turns out wrong": {`resource "terraform_data" "j" { input = ["US"] }` + "\n" + platformWithDatabase(attrs{"data_residency": "terraform_data.j.output"}), `is\s+under\s+jurisdiction`},
		"an environment that nobody makes":    {platformWithDatabase(attrs{"environment_id": `"eu/nowhere"`}), `there\s+is\s+no\s+environment\s+"eu/nowhere"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newWorld(t).run(resource.TestStep{Config: c.config, ExpectError: regexp.MustCompile(c.want)})
		})
	}
}

func TestAccAccountDatabaseNeverMoves(t *testing.T) {
	t.Parallel()
	newWorld(t).run(
		resource.TestStep{Config: platformWithDatabase(nil)},
		resource.TestStep{Config: platformWithDatabase(attrs{"account": `"other"`}), ExpectError: regexp.MustCompile(`account\s+of\s+account\s+database\s+"eu/production/acme"\s+can't\s+change`)},
		resource.TestStep{
			Config:      platformWithEnvironment(nil) + twin(attrs{"name": `"other"`}) + databaseBlock(attrs{"environment_id": "slipway_environment.twin.id"}),
			ExpectError: regexp.MustCompile(`environment_id\s+of\s+account\s+database\s+"eu/production/acme"\s+can't\s+change`),
		},
		resource.TestStep{Config: platformWithDatabase(attrs{"isolation": `"cluster"`}), ExpectError: regexp.MustCompile(`isolation\s+of\s+account\s+database`)},
		emptyPlan(platformWithDatabase(nil)),
	)
}

func TestAccAccountDatabaseThatVanishedIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(
		resource.TestStep{Config: platformWithDatabase(nil)},
		resource.TestStep{
			PreConfig:   func() { w.VanishAccountDatabase(acme) },
			Config:      platformWithDatabase(nil),
			ExpectError: regexp.MustCompile(`is\s+not\s+made\s+anew`),
		},
		resource.TestStep{
			PreConfig: func() {
				if err := w.provisioner(w.owner).DeleteAccountDatabase(t.Context(), acme); err != nil {
					t.Fatal(err)
				}
			},
			Config: platformWithDatabase(nil),
		},
		emptyPlan(platformWithDatabase(nil)),
	)
}

func TestAccAccountDatabaseWhoseRecordDisappearsIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(
		resource.TestStep{Config: platformWithDatabase(nil)},
		resource.TestStep{
			PreConfig: func() {
				if err := w.provisioner(w.owner).DeleteAccountDatabase(t.Context(), acme); err != nil {
					t.Fatal(err)
				}
			},
			Config: platformWithDatabase(nil),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(databaseAddress, plancheck.ResourceActionCreate),
			}},
		},
		emptyPlan(platformWithDatabase(nil)),
	)
}

func TestAccAccountDatabaseThatDriftedIsRepaired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(
		resource.TestStep{Config: platformWithDatabase(nil)},
		resource.TestStep{
			PreConfig: func() { w.Drift(acme, 99) },
			Config:    platformWithDatabase(nil),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(databaseAddress, plancheck.ResourceActionUpdate),
			}},
			Check: resource.TestCheckResourceAttr(databaseAddress, "drift.#", "0"),
		},
		emptyPlan(platformWithDatabase(nil)),
	)
}

func TestAccAccountDatabaseWhoseCreateFailsHalfWayIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.HinderAccountDatabase(acme, "too many connections")
	w.run(
		resource.TestStep{Config: platformWithDatabase(nil), ExpectError: regexp.MustCompile(`Unable\s+to\s+create\s+account\s+database(?s:.*)too\s+many\s+connections`)},
		resource.TestStep{
			PreConfig: func() { w.HinderAccountDatabase(acme, "") },
			Config:    platformWithDatabase(nil),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(databaseAddress, plancheck.ResourceActionReplace),
			}},
		},
		emptyPlan(platformWithDatabase(nil)),
	)
}

func TestAccAccountDatabaseThatIsForeignIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.PlantForeign(acme)
	w.stays = []string{"foreign database eu/production/acme"}
	w.run(resource.TestStep{Config: platformWithDatabase(nil), ExpectError: regexp.MustCompile(`(?s)is\s+never\s+adopted`)})
}

func TestAccAccountDatabaseIsProtectedByDefault(t *testing.T) {
	t.Parallel()
	protected := platformWithDatabase(attrs{"deletion_protection": ""})
	newWorld(t).run(
		resource.TestStep{Config: protected, Check: resource.TestCheckResourceAttr(databaseAddress, "deletion_protection", "true")},
		resource.TestStep{Config: protected, Destroy: true, ExpectError: regexp.MustCompile(`Deletion\s+protection\s+of\s+account\s+database`)},
		resource.TestStep{Config: platformWithEnvironment(nil), ExpectError: regexp.MustCompile(`Deletion\s+protection\s+of\s+account\s+database`)},
		resource.TestStep{Config: platformWithDatabase(nil)},
		emptyPlan(platformWithDatabase(nil)),
	)
}
