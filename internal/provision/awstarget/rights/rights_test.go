package rights

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	sdk    = "github.com/aws/aws-sdk-go-v2/service/"
	source = ".."
	// examples is where "make generate" puts the policies.
	examples = "../../../../examples/aws"
)

// TestTheTableIsOfTheCallsInTheSource wants each operation that the source has an input for, or
// calls a client of, to be in the table, and nothing else.
func TestTheTableIsOfTheCallsInTheSource(t *testing.T) {
	t.Parallel()
	called := callsOfSource(t)
	if len(called) < 100 {
		t.Fatalf("found %d calls only", len(called))
	}
	for call, where := range called {
		if _, ok := calls[call]; !ok {
			t.Errorf("%s: %s is not in the table of rights: add to calls.go what IAM has to allow for it, and run make generate", where, call)
		}
	}
	for call := range calls {
		if _, ok := called[call]; !ok {
			t.Errorf("%s is in the table of rights and nothing calls it: remove it, and run make generate", call)
		}
	}
}

// callsOfSource are the calls of the package, each with a place.
func callsOfSource(t *testing.T) map[string]token.Position {
	t.Helper()
	set := token.NewFileSet()
	var files []*ast.File
	names, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	clients := clientFields(files)
	called := map[string]token.Position{}
	for _, f := range files {
		services := servicesOf(f)
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			switch x := s.X.(type) {
			case *ast.Ident: // ec2.CreateVpcInput
				if operation, ok := strings.CutSuffix(s.Sel.Name, "Input"); ok && services[x.Name] != "" {
					called[services[x.Name]+"."+operation] = set.Position(s.Pos())
				}
			case *ast.SelectorExpr: // c.ec2.DescribeRegions
				if service := clients[x.Sel.Name]; service != "" && s.Sel.Name != "Options" {
					called[service+"."+s.Sel.Name] = set.Position(s.Pos())
				}
			}
			return true
		})
	}
	return called
}

// servicesOf are the services that a file imports, by the names that it has for them.
func servicesOf(f *ast.File) map[string]string {
	out := map[string]string{}
	for _, i := range f.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		service, ok := strings.CutPrefix(path, sdk)
		if err != nil || !ok || strings.Contains(service, "/") {
			continue
		}
		name := service
		if i.Name != nil {
			name = i.Name.Name
		}
		out[name] = service
	}
	return out
}

// clientFields are the fields of the package's types that hold a client, with its service.
func clientFields(files []*ast.File) map[string]string {
	out := map[string]string{}
	for _, f := range files {
		services := servicesOf(f)
		ast.Inspect(f, func(n ast.Node) bool {
			field, ok := n.(*ast.Field)
			if !ok {
				return true
			}
			p, ok := field.Type.(*ast.StarExpr)
			if !ok {
				return true
			}
			if s, ok := p.X.(*ast.SelectorExpr); ok && s.Sel.Name == "Client" {
				if x, ok := s.X.(*ast.Ident); ok && services[x.Name] != "" {
					for _, name := range field.Names {
						out[name.Name] = services[x.Name]
					}
				}
			}
			return true
		})
	}
	return out
}

func TestTheExamplesAreThePolicies(t *testing.T) {
	t.Parallel()
	policies, err := Policies()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, p := range policies {
		files = append(files, p.File)
		got, err := os.ReadFile(filepath.Join(examples, p.File))
		if err != nil || !bytes.Equal(got, p.JSON) {
			t.Errorf("%s is not what the table says (%v): run make generate", p.File, err)
		}
	}
	has, err := filepath.Glob(filepath.Join(examples, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range has {
		if !slices.Contains(append(files, trusts...), filepath.Base(h)) {
			t.Errorf("%s is no policy of the table", h)
		}
	}
}

// TestPoliciesAreNarrow holds the policies to the limits of IAM, and to what they are for.
func TestPoliciesAreNarrow(t *testing.T) {
	t.Parallel()
	policies, err := Policies()
	if err != nil {
		t.Fatal(err)
	}
	action := regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z0-9]+$`)
	// The service authorization reference knows no resource for it.
	const unlimited = "ecs:DeregisterTaskDefinition"
	changes := regexp.MustCompile(`:(Create|Put|Delete|Modify|Update|Set|Run|Stop|Register|Deregister|Tag|Add|Pass|Begin|Commit)`)
	for _, p := range policies {
		var doc struct{ Statement []statement }
		if err := json.Unmarshal(p.JSON, &doc); err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, p.JSON); err != nil {
			t.Fatal(err)
		}
		if n := compact.Len(); n > 6144 { // IAM and AWS STS quotas
			t.Errorf("%s has %d characters, and a managed policy may have 6,144", p.File, n)
		}
		seen := map[string]bool{}
		for _, s := range doc.Statement {
			if seen[s.Sid] {
				t.Errorf("%s has two statements %s", p.File, s.Sid)
			}
			seen[s.Sid] = true
			for _, a := range s.Action {
				switch {
				case !action.MatchString(a):
					t.Errorf("%s: %q is not the name of one action", p.File, a)
				case p.File == planFile && changes.MatchString(a):
					t.Errorf("a plan may do %s", a)
				case a != unlimited && changes.MatchString(a) && slices.Contains(s.Resource, "*") && s.Condition == nil:
					t.Errorf("%s: %s is allowed on everything", p.File, a)
				}
			}
		}
	}
}

// TestOneZoneIsEnoughForNamesOfServices puts a zone in place of the asterisk, as the guide for HCP Terraform
// does: what is about zones of AWS's own stays as it was.
func TestOneZoneIsEnoughForNamesOfServices(t *testing.T) {
	t.Parallel()
	const guide = "../../../../templates/guides/aws.md.tmpl"
	text, err := os.ReadFile(guide)
	if err != nil || !bytes.Contains(text, []byte(`s|hostedzone/\*|hostedzone/$zone|`)) {
		t.Fatalf("%s narrows the zones in another way (%v)", guide, err)
	}
	policies, err := Policies()
	if err != nil {
		t.Fatal(err)
	}
	const action = "route53:AssociateVPCWithHostedZone"
	found := false
	for _, p := range policies {
		var doc struct{ Statement []statement }
		if err := json.Unmarshal(bytes.ReplaceAll(p.JSON, []byte("hostedzone/*"), []byte("hostedzone/Z0123")), &doc); err != nil {
			t.Fatal(err)
		}
		for _, s := range doc.Statement {
			if !slices.Contains(s.Action, action) {
				continue
			}
			found = true
			if !slices.Equal(s.Action, []string{action}) || !slices.Equal(s.Resource, zonesOfAWS.resources) {
				t.Errorf("%s: %s is allowed with %q on %q", p.File, action, s.Action, s.Resource)
			}
		}
	}
	if !found {
		t.Errorf("%s is not allowed", action)
	}
}
