//go:build linux

package acceptance

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
)

// shopOnAWS is a slot that answers under two names.
const shopOnAWS = `
terraform {
  required_providers {
    slipway = { source = "slipway-platform/slipway" }
  }
}

variable "release" {
  type = string
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

resource "slipway_environment" "production" {
  region_id           = slipway_region.eu.id
  name                = "production"
  kind                = "production"
  tenancy             = "multi_tenant"
  deletion_protection = false
  aws                 = { nat = "single", zones = 2, database = { instances = 1 } }
}

resource "slipway_deployment_slot" "oms" {
  environment_id      = slipway_environment.production.id
  name                = "oms"
  release             = var.release
  deletion_protection = false
  components = {
    api = {
      image        = "registry.example.com/well:{release}"
      scaling      = { max = 3 }
      health_check = { path = "/healthz", healthy_threshold = 1 }
      routes       = [{ host = "shop" }, { host = "console" }]
    }
  }
  test_suite = { image = "registry.example.com/exit:1", command = ["0"] }
  swap       = { minimum_healthy_seconds = 1, drain_seconds = 1, start_timeout_seconds = 300 }
}
`

// TestAccAWSProviderKilled kills the provider, in turn alone and with Terraform, in the middle of a
// swap: the call that it was at takes effect, and its answer never comes. The next apply goes on,
// and leaves what a swap leaves. Each call is one that it dies with when SLIPWAY_ACC_ROUNDS is set.
func TestAccAWSProviderKilled(t *testing.T) {
	t.Parallel()
	asked(t)
	k := newKilling(t)
	k.apply(1)
	release := 1
	killed := func(what string, fatal func(awstest.Call) bool) bool {
		release++
		k.mayAnswer(release-1, release)
		died := k.killed(what, fatal, release)
		k.apply(release)
		k.must(0, variables(release), "plan", "-detailed-exitcode")
		k.mayAnswer(release)
		k.look("everything")
		k.twoStacks(what)
		return died
	}
	moves := func(c awstest.Call) bool {
		return c.Operation == "ModifyRule" && strings.Contains(string(c.Body), ".Weight=100&") // of the two rules that all traffic follows
	}
	moved := false
	for _, at := range []struct {
		what  string
		fatal func(awstest.Call) bool
	}{
		{"the service of the candidate is made", func(c awstest.Call) bool { return c.Operation == "CreateService" }},
		{"half of the traffic is moved", moves},
		{"the retirement of the old stack is set", func(c awstest.Call) bool {
			moved = moved || moves(c)
			return moved && c.Operation == "PutScheduledAction"
		}},
	} {
		if !killed(at.what, at.fatal) {
			t.Errorf("it did not come to where %s", at.what)
		}
	}
	for n, died := 1, os.Getenv("SLIPWAY_ACC_ROUNDS") != ""; died && !t.Failed(); n++ {
		left := n
		died = killed(fmt.Sprintf("call %d is made", n), func(awstest.Call) bool { left--; return left == 0 })
	}
	k.mayAnswer()
	k.process()
	k.must(0, variables(0), "destroy", "-auto-approve")
	k.keeps(map[string]int{"zone": 1, "record": 2, "database snapshot": 1})
}
