package awstarget_test

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var (
	signedBy  = regexp.MustCompile(`Credential=([^/]+)/`)
	keyIssued = regexp.MustCompile(`<AccessKeyId>([^<]+)</AccessKeyId>`)
	whoAsked  = regexp.MustCompile(`<Arn>arn:aws:sts::[0-9]{12}:assumed-role/([^/]+)/`)
	roleAsked = regexp.MustCompile(`[^/]*$`)
)

// gate notes what STS is asked for, whose credentials ask, and whom it takes them for. One after the
// other signs in through it.
type gate struct {
	account http.RoundTripper
	keys    map[string]string // roles by their access keys
	said    []string
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer, err := g.account.RoundTrip(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	form, _ := url.ParseQuery(string(body))
	g.note(form, group(signedBy, r.Header.Get("Authorization")), string(said))
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(said)
}

// note writes down what one request asked for.
func (g *gate) note(form url.Values, key, said string) {
	by, known := g.keys[key]
	if !known {
		by = cmp.Or(key, "nobody")
	}
	role := roleAsked.FindString(form.Get("RoleArn"))
	if issued := group(keyIssued, said); issued != "" {
		g.keys[issued] = role
	}
	words := []string{form.Get("Action"), role, form.Get("WebIdentityToken"), "by", by}
	if who := group(whoAsked, said); form.Get("Action") == "GetCallerIdentity" {
		words = append(words, "who is", who)
	}
	g.said = append(g.said, strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " "))
}

func group(e *regexp.Regexp, in string) string {
	if m := e.FindStringSubmatch(in); m != nil {
		return m[1]
	}
	return ""
}

// Roles are assumed for real: what works in AWS does so as the last role that was asked for. The files
// are such as HCP Terraform writes for dynamic credentials with an alias.
func TestItSignsInAsTheRoleThatIsAskedFor(t *testing.T) {
	l := newLab(t)
	arn := func(role string) string { return "arn:aws:iam::" + l.ID + ":role/" + role }
	token := awstest.File(t, "token", "a-token")
	file := awstest.File(t, "hcp", "[default]\nrole_arn = "+arn("planner")+"\nweb_identity_token_file = "+token+"\n")
	none := awstest.File(t, "none", "")
	web := func(role string) []string {
		return []string{"AssumeRoleWithWebIdentity " + role + " a-token by nobody", "GetCallerIdentity by " + role + " who is " + role}
	}
	for name, c := range map[string]struct {
		change      func(*awstarget.Settings)
		environment map[string]string
		want        []string
	}{
		"a chain of roles": {
			func(s *awstarget.Settings) {
				s.AssumeRole = []awstarget.AssumeRole{{RoleARN: arn("door")}, {RoleARN: arn("deployer")}}
			}, nil,
			[]string{"AssumeRole door by test", "AssumeRole deployer by door", "GetCallerIdentity by deployer who is deployer"},
		},
		"a web identity from the environment": {
			func(s *awstarget.Settings) { s.SharedCredentialsFiles = []string{none} },
			map[string]string{"AWS_ROLE_ARN": arn("applier"), "AWS_WEB_IDENTITY_TOKEN_FILE": token}, web("applier"),
		},
		"a web identity in a shared file": {
			func(s *awstarget.Settings) {
				s.SharedCredentialsFiles, s.SharedConfigFiles = []string{none}, []string{file}
			}, nil, web("planner"),
		},
		"a web identity in a shared file that the environment names": {
			func(s *awstarget.Settings) { s.SharedCredentialsFiles, s.SharedConfigFiles = []string{none}, nil },
			map[string]string{"AWS_CONFIG_FILE": file}, web("planner"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range c.environment {
				t.Setenv(k, v)
			}
			g := &gate{account: l.Transport(), keys: map[string]string{}}
			sts := httptest.NewServer(g)
			defer sts.Close()
			d := l.client(t, func(s *awstarget.Settings, o *awstarget.Options) {
				s.Endpoints["sts"], o.Transport = sts.URL, nil
				c.change(s)
			})
			if _, err := d.ListRegions(t.Context()); !errors.Is(err, target.ErrNoInstallation) {
				t.Fatalf("got error %v, want %q", err, target.ErrNoInstallation)
			}
			if got := slices.Compact(g.said); !slices.Equal(got, c.want) {
				t.Errorf("STS was asked %q, want %q", got, c.want)
			}
		})
	}
}
