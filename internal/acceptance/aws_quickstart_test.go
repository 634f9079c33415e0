//go:build linux

package acceptance

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
)

// forAWS is what the guide to the aws target makes of a local configuration.
type forAWS struct{ provider, local, image, command string }

var (
	providerBlock = regexp.MustCompile(`(?s)provider "slipway" \{.*?\n\}\n`)
	// Of a command's last word the guide writes "api".
	replacement = regexp.MustCompile(`(?m)^# (command = \[.*"api"\]) becomes.*\n#   (image   = ".*:\{release\}")\n#   (command = \["api"\])$`)
)

// fromGuide reads the guide.
func fromGuide(t *testing.T) forAWS {
	t.Helper()
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "guides", "aws.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(guide), "Two changes make of the [quickstart]")
	provider, lines := providerBlock.FindString(text), replacement.FindStringSubmatch(text)
	if provider == "" || lines == nil {
		t.Fatalf("the guide does not say what to change:\n%.2000s", text)
	}
	return forAWS{provider, lines[1], lines[2], lines[3]}
}

// change makes the guide's two changes: another provider block, and an image for each command of these words.
func (f forAWS) change(t *testing.T, text string, words ...string) string {
	t.Helper()
	text = providerBlock.ReplaceAllLiteralString(text, f.provider)
	for _, word := range words {
		of := func(line string) string { return strings.Replace(line, `"api"`, `"`+word+`"`, 1) }
		line := regexp.MustCompile(strings.Replace(regexp.QuoteMeta(of(f.local)), " = ", ` += `, 1)) // terraform fmt aligns
		if n := len(line.FindAllString(text, -1)); n != 1 {
			t.Fatalf("the command %q of the guide's form is there %d times", word, n)
		}
		text = line.ReplaceAllLiteralString(text, f.image+"\n"+of(f.command))
	}
	return text
}

// ordersImage is the one image of the guide: it goes by its command.
func ordersImage(ctx context.Context, c *awstest.Container) int {
	switch word := strings.Join(c.Command, " "); word {
	case "api", "console":
		return awstest.Application(http.StatusOK)(ctx, c)
	case "migrate", "test":
		return 0
	default:
		c.Log("there is no command %q", word)
		return 2
	}
}

// TestAccAWSQuickstart makes of the quickstart one for aws, in the guide's own words.
func TestAccAWSQuickstart(t *testing.T) {
	t.Parallel()
	asked(t)
	account := awstest.New(t)
	account.Run("oms", ordersImage)
	awstest.HostedZone(t, account.Config("eu-central-1"), "platform.example.com")
	w := newWorkspace(t, account, "../quickstart")
	main := filepath.Join(w.dir, "main.tf")
	local, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(main, []byte(fromGuide(t).change(t, string(local), "api", "console", "migrate", "test")), 0o600); err != nil {
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
	w.keeps(map[string]int{"zone": 1, "record": 2, "database snapshot": 5})
}
