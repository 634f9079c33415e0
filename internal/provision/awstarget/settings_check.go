package awstarget

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/aws-sdk-go-base/v2/validation"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

var (
	accountIDRegexp = regexp.MustCompile(`^[0-9]{12}$`)
	roleRegexp      = regexp.MustCompile(`^arn:[a-z-]+:iam::[0-9]{12}:role/.+$`)
	policyRegexp    = regexp.MustCompile(`^arn:[a-z-]+:iam::(aws|[0-9]{12}):policy/.+$`)
	// What STS takes for the names of sessions, and for the ids that roles ask for (AssumeRole).
	sessionRegexp  = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	externalRegexp = regexp.MustCompile(`^[\w+=,.@:/-]{2,}$`)
	// headingRegexp is a line that begins a profile, with a comment after it or none.
	headingRegexp = regexp.MustCompile(`^\[[^#;]*\]\s*([#;].*)?$`)
)

// services are those that are used, by the AWS provider's names.
var services = []string{"acm", "applicationautoscaling", "cloudwatch", "dynamodb", "ec2", "ecs", "elbv2", "iam", "kms", "logs", "rds", "rdsdata", "route53", "s3", "secretsmanager", "sso", "sts"}

// checked collects the faults of settings.
type checked struct{ faults target.Faults }

func (c *checked) add(path, format string, args ...any) {
	c.faults = append(c.faults, target.Fault{Path: path, Message: fmt.Sprintf(format, args...)})
}

// Validate returns every fault of the settings that can be told from them alone: it asks neither AWS
// nor this machine.
func (s Settings) Validate() target.Faults {
	var c checked
	c.accounts(s)
	c.roles(s)
	c.connection(s)
	for path, value := range map[string]struct {
		got     string
		allowed []string
	}{
		"ec2_metadata_service_endpoint_mode": {s.EC2MetadataServiceEndpointMode, []string{"", "IPv4", "IPv6"}},
		"retry_mode":                         {s.RetryMode, []string{"", "standard", "adaptive"}},
	} {
		if !slices.Contains(value.allowed, value.got) {
			c.add(path, "%q is not allowed: expected one of %q", value.got, value.allowed[1:])
		}
	}
	if s.MaxRetries < 0 || s.MaxRetries > 1000 {
		c.add("max_retries", "%d is out of range: expected 1 to 1000", s.MaxRetries)
	}
	for _, t := range target.ValidateTags(s.DefaultTags) {
		c.add("default_tags", "%s: %s", t.Path, t.Message)
	}
	return c.faults
}

func (c *checked) accounts(s Settings) {
	for path, ids := range map[string][]string{"allowed_account_ids": s.AllowedAccountIDs, "forbidden_account_ids": s.ForbiddenAccountIDs} {
		for _, id := range ids {
			if !accountIDRegexp.MatchString(id) {
				c.add(path, "%q is not the id of an AWS account: expected twelve digits", id)
			}
		}
	}
	if len(s.AllowedAccountIDs) > 0 && len(s.ForbiddenAccountIDs) > 0 {
		c.add("forbidden_account_ids", "allowed_account_ids is there too: what it does not list is forbidden already; remove one of them")
	}
}

// roles checks what is sent to STS.
func (c *checked) roles(s Settings) {
	for i, r := range s.AssumeRole {
		path := fmt.Sprintf("assume_role.%d.", i)
		c.role(path, r.RoleARN)
		c.session(path, r.SessionName, r.Policy, r.PolicyARNs)
		c.match(path+"source_identity", r.SourceIdentity, sessionRegexp, "2 to 64 letters, digits and characters of _+=,.@-")
		c.match(path+"external_id", r.ExternalID, externalRegexp, "2 or more letters, digits and characters of _+=,.@:/-")
	}
	const path = "assume_role_with_web_identity."
	w := s.AssumeRoleWithWebIdentity
	if w == nil {
		return
	}
	if w.RoleARN == "" || w.WebIdentityTokenFile == "" {
		c.add(strings.TrimSuffix(path, "."), "it needs role_arn (or AWS_ROLE_ARN) and web_identity_token_file (or AWS_WEB_IDENTITY_TOKEN_FILE)")
	}
	if w.RoleARN != "" {
		c.role(path, w.RoleARN)
	}
	c.session(path, w.SessionName, w.Policy, w.PolicyARNs)
}

func (c *checked) role(path, arn string) {
	if !roleRegexp.MatchString(arn) {
		c.add(path+"role_arn", "%q is not the ARN of a role: expected such as \"arn:aws:iam::123456789012:role/terraform\"", arn)
	}
}

func (c *checked) session(path, name, policy string, policies []string) {
	c.match(path+"session_name", name, sessionRegexp, "2 to 64 letters, digits and characters of _+=,.@-")
	if policy != "" && !json.Valid([]byte(policy)) {
		c.add(path+"policy", "this is no JSON: write the policy with jsonencode, or read it from a file with file(…)")
	}
	for _, arn := range policies {
		c.match(path+"policy_arns", arn, policyRegexp, `the ARN of a policy such as "arn:aws:iam::aws:policy/ReadOnlyAccess"`)
	}
}

func (c *checked) match(path, value string, wanted *regexp.Regexp, expected string) {
	if value != "" && !wanted.MatchString(value) {
		c.add(path, "%q is not allowed: expected %s", value, expected)
	}
}

// connection checks where AWS is reached.
func (c *checked) connection(s Settings) {
	for path, region := range map[string]string{"region": s.Region, "sts_region": s.STSRegion} {
		if region != "" && !s.knows(region) {
			c.add(path, "%s", noRegion(region))
		}
	}
	for _, name := range target.SortedKeys(s.Endpoints) {
		if !slices.Contains(services, name) {
			c.add("endpoints."+name, "%q is not a service that is used: expected one of %q", name, services)
		}
		c.web("endpoints."+name, s.Endpoints[name], "https://"+name+".example.com")
	}
	if s.EC2MetadataServiceEndpoint != "" {
		c.web("ec2_metadata_service_endpoint", s.EC2MetadataServiceEndpoint, "http://169.254.169.254")
	}
	for path, proxy := range map[string]*string{"http_proxy": s.HTTPProxy, "https_proxy": s.HTTPSProxy} {
		if proxy == nil || *proxy == "" {
			continue
		}
		u, err := url.Parse(*proxy)
		if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
			c.add(path, "this is not the URL of a proxy: expected such as \"http://proxy.example.com:3128\"") // it may hold a password
			continue
		}
		if _, password := u.User.Password(); password {
			c.add(path, "the URL holds a password, and saved plans would hold it too: remove %s and set the environment variable %s", path, strings.ToUpper(path))
		}
	}
}

func (c *checked) web(path, value, example string) {
	if u, err := url.Parse(value); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		c.add(path, "%q is not a URL: expected such as %q", value, example)
	}
}

// knows says whether an AWS region is one that this version knows.
func (s Settings) knows(region string) bool {
	return s.SkipRegionValidation || validation.SupportedRegion(region) == nil
}

// noRegion says what is wrong with an AWS region, and what to do.
func noRegion(region string) string {
	return fmt.Sprintf("%q is no AWS region that this version knows: expected such as \"eu-central-1\"; if AWS has it, set skip_region_validation = true", region)
}

// ValidateFiles returns the faults of the files that the settings name, on this machine.
func (s Settings) ValidateFiles() target.Faults {
	var c checked
	if s.CustomCABundle != "" && c.file("custom_ca_bundle", s.CustomCABundle) {
		if pem, err := os.ReadFile(expanded(s.CustomCABundle)); err != nil || !x509.NewCertPool().AppendCertsFromPEM(pem) {
			c.add("custom_ca_bundle", "file %q holds no certificate in PEM", s.CustomCABundle)
		}
	}
	for i, path := range s.SharedConfigFiles {
		c.shared(fmt.Sprintf("shared_config_files.%d", i), path, "[profile NAME]")
	}
	for i, path := range s.SharedCredentialsFiles {
		c.shared(fmt.Sprintf("shared_credentials_files.%d", i), path, "[NAME]")
	}
	if w := s.AssumeRoleWithWebIdentity; w != nil && w.WebIdentityTokenFile != "" {
		c.file("assume_role_with_web_identity.web_identity_token_file", w.WebIdentityTokenFile)
	}
	if _, err := s.databaseRoots(); err != nil {
		c.add("database_ca_bundle", "%s", err)
	}
	return c.faults
}

// file wants a file that can be read, and says whether it is one. The SDK goes on without a shared file that is not there, and then
// misses what is in it.
func (c *checked) file(path, name string) bool {
	if name == "" {
		c.add(path, "it is empty: name a file, or remove it")
		return false
	}
	f, err := os.Open(expanded(name))
	if err != nil {
		c.add(path, "%v: name a file that is on the machine where Terraform runs, and can be read there", err)
		return false
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		c.add(path, "%q is a directory: name a file", name)
		return false
	}
	return true
}

// shared wants a shared file, which is empty or has a heading: the SDK goes on without what stands under
// none, whatever it is.
func (c *checked) shared(path, name, heading string) {
	if !c.file(path, name) {
		return
	}
	content, err := os.ReadFile(expanded(name))
	if err != nil {
		c.add(path, "%v", err)
		return
	}
	written := false
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line == "" || strings.ContainsAny(line[:1], "#;") {
			continue
		}
		if headingRegexp.MatchString(line) {
			return
		}
		written = true
	}
	if written {
		c.add(path, "nothing that is in file %q is read: it has no line that begins a profile, such as [default] or %s. Is it another file, or in another encoding than UTF-8 without a byte order mark?", name, heading)
	}
}

// expanded is a path in which environment variables, and a "~" at its beginning, are replaced, as
// the AWS provider replaces them.
func expanded(path string) string {
	path = os.ExpandEnv(path)
	below, ok := strings.CutPrefix(path, "~")
	if home, err := os.UserHomeDir(); ok && err == nil && (below == "" || os.IsPathSeparator(below[0])) {
		return filepath.Join(home, below)
	}
	return path
}
