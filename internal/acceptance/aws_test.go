//go:build linux

package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
)

// workspace is a folder with one of the examples, and an AWS account on the emulator that its
// provider is led to by environment variables alone.
type workspace struct {
	testing.TB
	account        *awstest.Account
	dir, authority string
	// endpoint is where the account answers, cli Terraform's own configuration.
	endpoint, cli string
}

func emptyWorkspace(t testing.TB, account *awstest.Account) *workspace {
	t.Helper()
	return &workspace{t, account, t.TempDir(), awstest.File(t, "authority.pem", string(account.Authority)), account.URL, built.cli}
}

func newWorkspace(t testing.TB, account *awstest.Account, example string) *workspace {
	t.Helper()
	w := emptyWorkspace(t, account)
	from := filepath.Join("..", "..", "examples", "aws", example)
	if err := os.CopyFS(w.dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return w
}

// command prepares a run of Terraform.
func (w *workspace) command(variables map[string]any, args ...string) (*exec.Cmd, *bytes.Buffer) {
	w.Helper()
	text, err := json.Marshal(variables)
	if err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "test.auto.tfvars.json"), text, 0o600); err != nil {
		w.Fatal(err)
	}
	out := &bytes.Buffer{}
	cmd := exec.Command(built.terraform, append(args, "-no-color", "-input=false")...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = w.dir, out, out
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "TF_CLI_CONFIG_FILE=" + w.cli, "CHECKPOINT_DISABLE=1", "TMPDIR=" + os.TempDir(),
		"AWS_ENDPOINT_URL=" + w.endpoint, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true",
		"HTTPS_PROXY=" + w.account.Proxy, "AWS_CA_BUNDLE=" + w.authority,
		"SLIPWAY_OWNER=acceptance",
	}
	return cmd, out
}

// terraform runs Terraform and returns what it said, and how it ended.
func (w *workspace) terraform(variables map[string]any, args ...string) outcome {
	w.Helper()
	cmd, out := w.command(variables, args...)
	err := cmd.Run()
	if cmd.ProcessState == nil {
		w.Fatal(err)
	}
	return outcome{out: out.String(), code: cmd.ProcessState.ExitCode()}
}

// must runs Terraform, which must end as expected.
func (w *workspace) must(code int, variables map[string]any, args ...string) outcome {
	w.Helper()
	o := w.terraform(variables, args...)
	if o.code != code {
		w.Fatalf("terraform %s ended with %d, want %d:\n%s", strings.Join(args, " "), o.code, code, o.out)
	}
	return o
}

// keeps compares everything that there is in the account, by kind.
func (w *workspace) keeps(want map[string]int) {
	w.Helper()
	got, err := w.account.Left(w.Context(), "eu-central-1")
	if err != nil {
		w.Fatal(err)
	}
	if !maps.Equal(got, want) {
		w.Errorf("there is %v\nwant %v", got, want)
	}
}

// TestAccAWSExamples applies the examples for aws as they are.
func TestAccAWSExamples(t *testing.T) {
	t.Parallel()
	asked(t)
	account := awstest.New(t)
	ctx, config := t.Context(), account.Config("eu-central-1")
	awstest.HostedZone(t, config, "example.com")
	empty := map[string]int{"zone": 1, "record": 2, "database snapshot": 1} // of production
	t.Run("platform", func(t *testing.T) {
		w := newWorkspace(t, account, "platform")
		variables := map[string]any{"domain_name": "example.com", "deletion_protection": true}
		w.must(0, variables, "apply", "-auto-approve")
		w.must(0, variables, "plan", "-detailed-exitcode")
		if o := w.terraform(variables, "destroy", "-auto-approve"); o.code == 0 || !strings.Contains(o.out, "Deletion protection") {
			t.Errorf("destroy of what is protected ended with %d:\n%s", o.code, o.out)
		}
		// The same configuration with the same state, and another target.
		text, err := os.ReadFile(filepath.Join(w.dir, "main.tf"))
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := bytes.Replace(text, []byte(`target = "aws"`), []byte(`target = "local"`), 1)
		if err := os.WriteFile(filepath.Join(w.dir, "main.tf"), elsewhere, 0o600); err != nil {
			t.Fatal(err)
		}
		if o := w.terraform(variables, "plan"); o.code == 0 || !strings.Contains(strings.Join(strings.Fields(o.out), " "), "made on the aws target") {
			t.Errorf("plan on another target ended with %d:\n%s", o.code, o.out)
		}
		if err := os.WriteFile(filepath.Join(w.dir, "main.tf"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		variables["deletion_protection"] = false
		w.must(0, variables, "apply", "-auto-approve")
		w.must(0, variables, "destroy", "-auto-approve")
		w.keeps(empty)
	})
	t.Run("given-network", func(t *testing.T) {
		w := newWorkspace(t, account, "given-network")
		variables := map[string]any{"domain_name": "back.example.com", "network": givenNetwork(t, ec2.NewFromConfig(config))}
		w.must(0, variables, "apply", "-auto-approve")
		w.must(0, variables, "plan", "-detailed-exitcode")
		got, err := account.Inventory(ctx, "eu-central-1")
		if err != nil || got["vpc"]+got["subnet"]+got["nat"]+got["route table"] > 0 || got["security group"] != 3 || got["load balancer"] != 1 {
			t.Errorf("there is %v (%v), and no network should have been made", got, err)
		}
		w.must(0, variables, "destroy", "-auto-approve")
		w.keeps(empty)
	})
}

// givenNetwork makes a network as somebody else would.
func givenNetwork(t *testing.T, client *ec2.Client) map[string]any {
	t.Helper()
	vpc, err := client.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("172.20.0.0/16")})
	if err != nil {
		t.Fatal(err)
	}
	id := vpc.Vpc.VpcId
	if _, err := client.ModifyVpcAttribute(t.Context(), &ec2.ModifyVpcAttributeInput{VpcId: id, EnableDnsHostnames: &types.AttributeBooleanValue{Value: aws.Bool(true)}}); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i := range 4 {
		zone := fmt.Sprintf("eu-central-1%c", 'a'+i%2)
		s, err := client.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{VpcId: id, CidrBlock: aws.String(fmt.Sprintf("172.20.%d.0/24", i)), AvailabilityZone: &zone})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, aws.ToString(s.Subnet.SubnetId))
	}
	return map[string]any{"vpc_id": aws.ToString(id), "private_subnet_ids": ids[:2], "database_subnet_ids": ids[2:]}
}
