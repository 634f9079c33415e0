package awstarget

import (
	"strings"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// The names of what stands must not change: they are how it is found.
func TestNamesAreWhatAWSTakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ region, environment, account, balancer, database, own string }{
		{"eu", "production", "acme", "eu-production-99433f89", "slipway-eu-production-a022410c", "slipway-eu-production-acme-44402a08"},
		{"internal", "prod", "acme", "slipway-internal-prod-19f52bcf", "slipway-internal-prod-0bfc5e58", "slipway-internal-prod-acme-19e20740"},
		{"internal-tools", "a", "acme", "slipway-internal-tools-9c007306", "slipway-internal-tools-a-7731ad02", "slipway-internal-tools-a-acme-dfdc037b"},
		{"internals", "prod", "acme", "internals-prod-933afc51", "slipway-internals-prod-e9e97657", "slipway-internals-prod-acme-84786e2e"},
		{"e--u", "prod", "acme", "e--u-prod-0c31877c", "slipway-e-u-prod-c4f53060", "slipway-e-u-prod-acme-6c5b0cf3"},
		{"eu", "a--b", "c---d", "eu-a--b-9a2c8658", "slipway-eu-a-b-25798e7c", "slipway-eu-a-b-c-d-587d2c32"},
		{strings.Repeat("e-", 19) + "eu", "p", "a--b", "e-e-e-e-e-e-e-e-e-e-e-e-4ee3f848", "slipway-" + strings.Repeat("e-", 19) + "eu-p-100b0d40", "slipway-" + strings.Repeat("e-", 19) + "eu-p-93ad1561"},
	} {
		n := &noun{region: c.region, environment: c.environment}
		a := &accountNoun{noun: &noun{region: c.region, environment: c.environment}, environment: n, id: target.AccountDatabaseID{Account: c.account}, isolation: target.IsolationCluster}
		for got, want := range map[string]string{n.balancerName(): c.balancer, n.databaseName(): c.database, a.cluster().name: c.own} {
			if got != want {
				t.Errorf("%s/%s/%s: got %q, want %q", c.region, c.environment, c.account, got, want)
			}
		}
	}
	// What is told apart by hyphens alone has other names.
	if one, other := identifier(60, "slipway", "eu", "a-b"), identifier(60, "slipway", "eu", "a--b"); one == other {
		t.Errorf("both are %q", one)
	}
}
