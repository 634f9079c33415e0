//go:build linux

package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
)

// manyOfAWS is a configuration with ten slots and a hundred account databases.
const manyOfAWS = `
terraform {
  required_providers {
    slipway = { source = "slipway-platform/slipway" }
  }
}

provider "slipway" {
  target = "aws"
  aws    = { region = "eu-central-1", domain_name = "example.com" }
}

resource "slipway_region" "eu" {
  name         = "eu"
  location     = "eu-central-1"
  jurisdiction = "EU"
}

resource "slipway_environment" "many" {
  region_id = slipway_region.eu.id
  name      = "many"
  kind      = "sandbox"
  tenancy   = "multi_tenant"
}

resource "slipway_deployment_slot" "many" {
  count          = 10
  environment_id = slipway_environment.many.id
  name           = "slot-${count.index}"
  release        = "1"
  allow_untested = true
  components = {
    web = {
      image        = "registry.example.com/well:{release}"
      scaling      = { max = 3 }
      health_check = { path = "/healthz", healthy_threshold = 1 }
      routes       = [{ host = "slot-${count.index}" }]
    }
  }
  swap = { minimum_healthy_seconds = 1 }
}

resource "slipway_account_database" "many" {
  count               = 100
  environment_id      = slipway_environment.many.id
  account             = "account-${count.index}"
  deletion_protection = false
  final_snapshot      = false
}
`

// BenchmarkAWSPlan counts the calls to AWS of a plan by Terraform itself that finds nothing to do in
// a region, an environment, ten slots and a hundred account databases.
func BenchmarkAWSPlan(b *testing.B) {
	account := awstest.New(b)
	awstest.HostedZone(b, account.Config("eu-central-1"), "example.com")
	w := emptyWorkspace(b, account)
	if err := os.WriteFile(filepath.Join(w.dir, "main.tf"), []byte(manyOfAWS), 0o600); err != nil {
		b.Fatal(err)
	}
	none, began := map[string]any{}, time.Now()
	w.must(0, none, "apply", "-auto-approve")
	b.Logf("the apply took %s", time.Since(began).Round(time.Second))
	for b.Loop() {
		account.Called()
		if o := w.must(0, none, "plan", "-detailed-exitcode"); !strings.Contains(o.out, "No changes.") {
			b.Errorf("the plan is not empty:\n%s", o.out)
		}
		calls, all := account.Called(), 0
		for service, n := range calls {
			b.ReportMetric(float64(n), service+"-calls")
			all += n
		}
		b.ReportMetric(float64(all), "calls")
		b.Log(fmt.Sprint(calls))
	}
	w.must(0, none, "destroy", "-auto-approve")
}
