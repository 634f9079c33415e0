//go:build linux

package acceptance

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
)

var (
	providerBlock = regexp.MustCompile(`(?s)provider "slipway" \{.*?\n\}\n`)
	commandLine   = regexp.MustCompile(`command( *)= \["\$\{local\.app_dir\}/app-\{release\}", "([a-z]+)"\]`)
)

const awsBlock = `provider "slipway" {
  target = "aws"
  aws = {
    region      = "ap-southeast-2"
    domain_name = "shop.example.org"
  }
}
`

// onAWS is a local configuration for the aws target: another provider block, and an image where
// a command was.
func onAWS(text string) string {
	text = providerBlock.ReplaceAllLiteralString(text, awsBlock)
	return commandLine.ReplaceAllString(text, `image$1= "registry.example.com/shop-$2:{release}"`)
}

// TestAccAWSQuickstart makes of the quickstart one for aws, as the guide says. The installation's
// home is elsewhere than its region.
func TestAccAWSQuickstart(t *testing.T) {
	t.Parallel()
	asked(t)
	account := awstest.New(t)
	for name, runs := range map[string]string{"api": "well", "console": "well", "migrate": "exit", "test": "exit"} {
		account.RunAs("shop-"+name, runs)
	}
	awstest.HostedZone(t, account.Config("ap-southeast-2"), "example.org")
	w := newWorkspace(t, account, "../quickstart")
	main := filepath.Join(w.dir, "main.tf")
	local, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(main, []byte(onAWS(string(local))), 0o600); err != nil {
		t.Fatal(err)
	}
	variables := map[string]any{"release": "2026.1"}
	w.must(0, variables, "apply", "-auto-approve")
	w.must(0, variables, "plan", "-detailed-exitcode")
	variables["release"] = "2026.2"
	if o := w.must(0, variables, "apply", "-auto-approve"); !strings.Contains(o.out, "2 changed") {
		t.Errorf("two slots should have changed:\n%s", o.out)
	}
	w.must(0, variables, "plan", "-detailed-exitcode")
	w.must(0, variables, "destroy", "-auto-approve")
	w.holds(map[string]int{"zone": 1, "record": 2})
}
