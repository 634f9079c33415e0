package provider_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

// TestMain lets this binary be the local agent and what it runs. Otherwise it stops before
// plugin-testing would end the whole binary: acceptance tests need terraform, and TF_ACC to
// say that they may run it.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "agent":
			os.Exit(agent.Main(context.Background(), os.Args[2:], "test", os.Stdout, os.Stderr))
		case "app":
			os.Exit(application(os.Args[2:]))
		}
	}
	if os.Getenv("TF_ACC") != "" && os.Getenv("TF_ACC_TERRAFORM_PATH") == "" {
		if _, err := exec.LookPath("terraform"); err != nil {
			fmt.Fprintln(os.Stderr, "TF_ACC is set and terraform is not on PATH: acceptance tests are skipped")
			if err := os.Unsetenv("TF_ACC"); err != nil {
				panic(err)
			}
		}
	}
	os.Exit(m.Run())
}

// world is one test's target in memory, under a clock of its own, and a provider on it.
type world struct {
	*memtarget.Target
	t     *testing.T
	clock *wait.Fake
	owner string
	// stays names what is there at the end and none of ours.
	stays []string
}

var (
	production = target.EnvironmentID{Region: "eu", Name: "production"}
	acme       = target.AccountDatabaseID{Environment: production, Account: "acme"}
	oms        = target.SlotID{Environment: production, Name: "oms"}
)

// newWorld makes an empty target.
func newWorld(t *testing.T) *world {
	clock := wait.NewFake(time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC))
	return &world{Target: memtarget.New(memtarget.Options{Clock: clock}), t: t, clock: clock, owner: "this state"}
}

// serve makes the provider for the steps of a test; owner names the state they belong to.
func (w *world) serve(owner string, options ...provider.Option) map[string]func() (tfprotov6.ProviderServer, error) {
	none := func(name string) string {
		if name == "SLIPWAY_OWNER" {
			return owner
		}
		return ""
	}
	options = append([]provider.Option{
		provider.WithDriver(func(provider.Settings) (target.Driver, error) { return w.Target, nil }),
		provider.WithClock(w.clock),
		provider.WithEnvironment(none),
		provider.WithPorts(func(context.Context, string, int) bool { return false }),
	}, options...)
	return map[string]func() (tfprotov6.ProviderServer, error){
		"slipway": providerserver.NewProtocol6WithError(provider.New("test", options...)()),
	}
}

// run runs the steps, and at the end nothing may be left.
func (w *world) run(steps ...resource.TestStep) {
	w.t.Helper()
	resource.Test(w.t, resource.TestCase{
		ProtoV6ProviderFactories: w.serve(w.owner),
		Steps:                    steps,
		CheckDestroy: func(*terraform.State) error {
			if left := w.Inventory(); !slices.Equal(left, w.stays) {
				return fmt.Errorf("destroy left %q", left)
			}
			return nil
		},
	})
}

// provisioner works on the same target behind Terraform's back.
func (w *world) provisioner(owner string) *provision.Provisioner {
	return provision.New(w.Target, owner, provision.Options{Clock: w.clock})
}

// unprotect takes the environment's protection off behind Terraform's back.
func (w *world) unprotect() {
	w.t.Helper()
	p := w.provisioner(w.owner)
	rec, err := p.ReadEnvironment(w.t.Context(), production)
	if err == nil {
		rec.Spec.DeletionProtection = false
		_, err = p.UpdateEnvironment(w.t.Context(), rec.Spec)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) slot() provision.SlotState {
	w.t.Helper()
	s, err := w.provisioner(w.owner).ReadSlot(w.t.Context(), oms)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// attrs are the attributes of a resource in HCL.
type attrs map[string]string

// with replaces attributes; an empty expression removes one.
func (a attrs) with(other attrs) attrs {
	out := maps.Clone(a)
	for k, v := range other {
		if out[k] = v; v == "" {
			delete(out, k)
		}
	}
	return out
}

func block(kind, label string, a attrs) string {
	var b strings.Builder
	fmt.Fprintf(&b, "resource %q %q {\n", "slipway_"+kind, label)
	for _, k := range slices.Sorted(maps.Keys(a)) {
		fmt.Fprintf(&b, "  %s = %s\n", k, a[k])
	}
	return b.String() + "}\n"
}

func regionBlock(a attrs) string {
	return block("region", "test", attrs{"name": `"eu"`, "location": `"eu-central-1"`, "jurisdiction": `"EU"`}.with(a))
}

func environmentBlock(a attrs) string {
	return block("environment", "test", attrs{
		"region_id": "slipway_region.test.id", "name": `"production"`, "kind": `"production"`,
		"tenancy": `"multi_tenant"`, "deletion_protection": "false",
	}.with(a))
}

func databaseBlock(a attrs) string {
	return block("account_database", "test", attrs{
		"environment_id": "slipway_environment.test.id", "account": `"acme"`, "deletion_protection": "false",
	}.with(a))
}

const apiComponent = `{ command = ["app-{release}", "api"], health_check = { path = "/healthz" }, routes = [{ path_prefix = "/" }] }`

func slotBlock(a attrs) string {
	return block("deployment_slot", "test", attrs{
		"environment_id": "slipway_environment.test.id", "name": `"oms"`, "release": `"1"`,
		"components": "{ api = " + apiComponent + " }", "test_suite": `{ command = ["suite"] }`,
		"deletion_protection": "false",
	}.with(a))
}

// platform is a configuration with one resource of each kind up to the one that is tested.
func platformWithEnvironment(a attrs) string { return regionBlock(nil) + environmentBlock(a) }
func platformWithDatabase(a attrs) string    { return platformWithEnvironment(nil) + databaseBlock(a) }
func platformWithSlot(a attrs) string        { return platformWithEnvironment(nil) + slotBlock(a) }

// asked skips a test where acceptance tests are not asked for.
func asked(t *testing.T) {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("acceptance tests run with TF_ACC set")
	}
}

// emptyPlan makes a step a proof that nothing is left to change.
func emptyPlan(config string) resource.TestStep {
	return resource.TestStep{Config: config, ConfigPlanChecks: resource.ConfigPlanChecks{
		PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
	}}
}

// imported imports the resource and compares it with the state.
func imported(address, id string) resource.TestStep {
	return resource.TestStep{ResourceName: address, ImportState: true, ImportStateId: id, ImportStateVerify: true}
}

func path(name string) tfjsonpath.Path { return tfjsonpath.New(name) }
