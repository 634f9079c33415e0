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

func TestAccAccountDatabaseRefusesWrongValues(t *testing.T) {
	t.Parallel()
	single := regionBlock(nil) + environmentBlock(attrs{"tenancy": `"single_tenant"`, "account": `"other"`})
	for name, c := range map[string]struct{ config, want string }{
		"an account that can't be an id":            {platformWithDatabase(attrs{"account": `"Acme_1"`}), `contains\s+'A',\s+'_'`},
		"an environment that is no id":              {platformWithDatabase(attrs{"environment_id": `"production"`}), `is\s+not\s+an\s+environment\s+id`},
		"an unknown isolation":                      {platformWithDatabase(attrs{"isolation": `"schema"`}), `"schema"\s+is\s+not\s+allowed`},
		"no connections":                            {platformWithDatabase(attrs{"connection_limit": "0"}), `0\s+is\s+out\s+of\s+range`},
		"a credential version below one":            {platformWithDatabase(attrs{"credential_version": "0"}), `expected\s+1\s+or\s+more`},
		"a jurisdiction that is none":               {platformWithDatabase(attrs{"data_residency": `["E/U"]`}), `not\s+a\s+jurisdiction`},
		"a jurisdiction that is not the region's":   {platformWithDatabase(attrs{"data_residency": `["US"]`}), `(?s)is\s+under\s+jurisdiction\s+"EU"`},
		"an account that doesn't own the place":     {single + databaseBlock(nil), `belongs\s+to\s+account\s+"other"`},
		"more connections than the server":          {platformWithDatabase(attrs{"connection_limit": "201"}), `is\s+more\s+than\s+the\s+200`},
		"another database of the account":           {platformWithDatabase(nil) + block("account_database", "twin", attrs{"environment_id": "slipway_environment.test.id", "account": `"acme"`}), `(?i)two\s+resources`},
		"a jurisdiction that turns out wrong later": {`resource "terraform_data" "j" { input = ["US"] }` + "\n" + platformWithDatabase(attrs{"data_residency": "terraform_data.j.output"}), `is\s+under\s+jurisdiction`},
		"an environment that nobody makes":          {platformWithDatabase(attrs{"environment_id": `"eu/nowhere"`}), `there\s+is\s+no\s+environment\s+"eu/nowhere"`},
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

func TestAccAccountDatabaseWhoseCreateFailsHalfWayIsResumed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.HinderAccountDatabase(acme, "too many connections")
	w.run(
		resource.TestStep{Config: platformWithDatabase(nil), ExpectError: regexp.MustCompile(`Unable\s+to\s+create\s+account\s+database(?s:.*)too\s+many\s+connections`)},
		resource.TestStep{
			PreConfig: func() { w.HinderAccountDatabase(acme, "") },
			Config:    platformWithDatabase(nil),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(databaseAddress, plancheck.ResourceActionCreate),
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
