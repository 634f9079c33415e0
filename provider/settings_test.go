package provider_test

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget/awstest"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/memtarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/provider"
)

// configured configures a provider and returns the settings that its driver got.
func configured(t *testing.T, config map[string]any, environment map[string]string) (s provider.Settings, validated, configured diagnostics) {
	t.Helper()
	server, err := providerserver.NewProtocol6WithError(provider.New("9.9.9",
		provider.WithEnvironment(func(name string) string { return environment[name] }),
		provider.WithDriver(func(got provider.Settings) (target.Driver, error) {
			s = got
			return memtarget.New(memtarget.Options{}), nil
		}),
	)())()
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, server: server, config: config}
	if l.schema, err = server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}); err != nil {
		t.Fatal(err)
	}
	v := l.encode(build(l.schema.Provider.ValueType(), config))
	resp, err := server.ValidateProviderConfig(t.Context(), &tfprotov6.ValidateProviderConfigRequest{Config: v})
	if err != nil {
		t.Fatal(err)
	}
	return s, resp.Diagnostics, l.configure()
}

func local(k string, v any) map[string]any { return map[string]any{"local": map[string]any{k: v}} }

func aws(k string, v any) map[string]any {
	return map[string]any{"target": "aws", "aws": map[string]any{k: v}}
}

func TestAWSSettings(t *testing.T) {
	t.Parallel()
	proxy := ""
	role, policy := "arn:aws:iam::123456789012:role/", "arn:aws:iam::aws:policy/ReadOnlyAccess"
	file := awstest.File(t, "file", "")
	server := httptest.NewTLSServer(nil)
	server.Close()
	authority := awstest.File(t, "authority.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	for name, c := range map[string]struct {
		config      map[string]any
		environment map[string]string
		want        awstarget.Settings
	}{
		"nothing but the target":        {map[string]any{"target": "aws"}, nil, awstarget.Settings{}},
		"the target by the environment": {nil, map[string]string{"SLIPWAY_TARGET": "aws"}, awstarget.Settings{}},
		"everything": {
			map[string]any{"target": "aws", "aws": map[string]any{
				"allowed_account_ids": []any{"123456789012"}, "custom_ca_bundle": authority, "default_tags": map[string]any{"tags": map[string]any{"a": "b"}},
				"assume_role": []any{
					map[string]any{"role_arn": role + "one", "duration": "1h", "external_id": "id", "policy": "{}", "policy_arns": []any{policy}, "session_name": "session", "source_identity": "identity", "tags": map[string]any{"c": "d"}, "transitive_tag_keys": []any{"c"}},
					map[string]any{"role_arn": role + "two"},
				},
				"ec2_metadata_service_endpoint": "http://e", "ec2_metadata_service_endpoint_mode": "IPv4", "endpoints": map[string]any{"kms": "http://k"},
				"http_proxy": "", "https_proxy": "", "insecure": true, "max_retries": 3, "no_proxy": "n", "profile": "p", "region": "eu-central-1", "retry_mode": "adaptive",
				"s3_use_path_style": true, "shared_config_files": []any{file}, "shared_credentials_files": []any{file}, "skip_credentials_validation": true,
				"skip_metadata_api_check": true, "skip_region_validation": true, "sts_region": "us-east-1", "use_dualstack_endpoint": true, "use_fips_endpoint": true,
			}}, nil,
			awstarget.Settings{
				AllowedAccountIDs: []string{"123456789012"}, CustomCABundle: authority, DefaultTags: map[string]string{"a": "b"},
				AssumeRole: []awstarget.AssumeRole{
					{RoleARN: role + "one", Duration: time.Hour, ExternalID: "id", Policy: "{}", PolicyARNs: []string{policy}, SessionName: "session", SourceIdentity: "identity", Tags: map[string]string{"c": "d"}, TransitiveTagKeys: []string{"c"}},
					{RoleARN: role + "two"},
				},
				EC2MetadataServiceEndpoint: "http://e", EC2MetadataServiceEndpointMode: "IPv4", Endpoints: map[string]string{"kms": "http://k"},
				HTTPProxy: &proxy, HTTPSProxy: &proxy, Insecure: true, MaxRetries: 3, NoProxy: "n", Profile: "p", Region: "eu-central-1", RetryMode: "adaptive",
				S3UsePathStyle: true, SharedConfigFiles: []string{file}, SharedCredentialsFiles: []string{file}, SkipCredentialsValidation: true,
				SkipMetadataAPICheck: true, SkipRegionValidation: true, STSRegion: "us-east-1", UseDualStackEndpoint: true, UseFIPSEndpoint: true,
			},
		},
		"a web identity from the configuration and the environment": {
			aws("assume_role_with_web_identity", map[string]any{"role_arn": role + "one"}),
			map[string]string{"AWS_ROLE_ARN": role + "other", "AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_SESSION_NAME": "session"},
			awstarget.Settings{AssumeRoleWithWebIdentity: &awstarget.WebIdentity{RoleARN: role + "one", SessionName: "session", WebIdentityTokenFile: file}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, validated, configured := configured(t, c.config, c.environment)
			if len(validated)+len(configured) > 0 {
				t.Fatalf("got %s %s", validated, configured)
			}
			if got.Target != "aws" {
				t.Errorf("the target is %q", got.Target)
			}
			if diff := cmp.Diff(&c.want, got.AWS); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnAWSBlockThatIsNotKnownIsNeitherAnErrorNorADefault(t *testing.T) {
	t.Parallel()
	got, validated, configured := configured(t, aws("region", unknown{}), nil)
	if len(validated)+len(configured) > 0 {
		t.Fatalf("got %s %s", validated, configured)
	}
	if got.Target != "" {
		t.Errorf("a driver was made for %+v", got)
	}
}

func TestProviderSettings(t *testing.T) {
	t.Parallel()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "environment"), []byte("staging\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(data, "password")
	if err := os.WriteFile(secret, []byte("from the file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url := "postgres://admin@db:5432/postgres?sslmode=verify-full"
	for name, c := range map[string]struct {
		config      map[string]any
		environment map[string]string
		want        provider.Settings
	}{
		"nothing at all means the local target and this directory": {
			nil, nil, provider.Settings{Owner: dir + ", workspace default"},
		},
		"the workspace comes from TF_WORKSPACE": {
			nil, map[string]string{"TF_WORKSPACE": "blue", "TF_DATA_DIR": data}, provider.Settings{Owner: dir + ", workspace blue"},
		},
		"the workspace comes from Terraform's data directory": {
			nil, map[string]string{"TF_DATA_DIR": data}, provider.Settings{Owner: dir + ", workspace staging"},
		},
		"in HCP Terraform the owner is the workspace with its organization": {
			nil, map[string]string{"TFC_WORKSPACE_NAME": "w", "TFC_WORKSPACE_SLUG": "org/w"}, provider.Settings{Owner: "HCP Terraform workspace org/w"},
		},
		"environment variables fill in": {
			nil, map[string]string{"SLIPWAY_OWNER": "me", "SLIPWAY_DATA_DIR": "/srv/x", "SLIPWAY_TARGET": "local"}, provider.Settings{Owner: "me", DataDir: "/srv/x"},
		},
		"the configuration wins": {
			map[string]any{"owner": "you", "target": "local", "local": map[string]any{"data_dir": "/srv/y", "postgres_bin_dir": "/usr/lib/pg"}},
			map[string]string{"SLIPWAY_OWNER": "me", "SLIPWAY_DATA_DIR": "/srv/x", "SLIPWAY_TARGET": "aws"},
			provider.Settings{Owner: "you", DataDir: "/srv/y", PostgresBinDir: "/usr/lib/pg"},
		},
		"a relative directory is made absolute": {
			local("data_dir", "x/../y"), map[string]string{"SLIPWAY_OWNER": "me"}, provider.Settings{Owner: "me", DataDir: filepath.Join(mustGetwd(t), "y")},
		},
		"a password comes from the environment": {
			local("postgres_url", url), map[string]string{"SLIPWAY_OWNER": "me", "SLIPWAY_POSTGRES_PASSWORD": "p"},
			provider.Settings{Owner: "me", PostgresURL: url, PostgresPassword: "p"},
		},
		"a password comes from a file": {
			map[string]any{"local": map[string]any{"postgres_url": url, "postgres_password_file": secret}}, map[string]string{"SLIPWAY_OWNER": "me", "SLIPWAY_POSTGRES_PASSWORD": "p"},
			provider.Settings{Owner: "me", PostgresURL: url, PostgresPassword: "from the file"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, validated, configured := configured(t, c.config, c.environment)
			if len(validated)+len(configured) > 0 {
				t.Fatalf("got %s %s", validated, configured)
			}
			c.want.Target, c.want.Version = "local", "9.9.9"
			if got := got.WithoutFile(); got != c.want {
				t.Errorf("got %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func mustGetwd(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestProviderRefusesWrongSettingsAtPlan(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	role := func(k string, v any) map[string]any {
		return aws("assume_role", []any{map[string]any{"role_arn": "arn:aws:iam::123456789012:role/a", k: v}})
	}
	for name, c := range map[string]struct {
		config      map[string]any
		environment map[string]string
		at, want    string
	}{
		"an AWS account that is none":          {aws("allowed_account_ids", []any{"1234"}), nil, `AttributeName("allowed_account_ids")`, "twelve digits"},
		"no AWS account at all":                {aws("allowed_account_ids", []any{}), nil, `AttributeName("allowed_account_ids")`, "is empty"},
		"AWS accounts both ways":               {map[string]any{"target": "aws", "aws": map[string]any{"allowed_account_ids": []any{"123456789012"}, "forbidden_account_ids": []any{"123456789013"}}}, nil, `AttributeName("forbidden_account_ids")`, "remove one of them"},
		"too many retries":                     {aws("max_retries", 5000), nil, `AttributeName("max_retries")`, "1 to 1000"},
		"no try at all":                        {aws("max_retries", 0), nil, `AttributeName("max_retries")`, "1 to 1000"},
		"a character that no tag has":          {aws("default_tags", map[string]any{"tags": map[string]any{"team": "bad<"}}), nil, `AttributeName("default_tags")`, "tags.team: the tag contains"},
		"a tag of Slipway's":                   {aws("default_tags", map[string]any{"tags": map[string]any{"slipway:owner": "me"}}), nil, `AttributeName("default_tags")`, "choose another key"},
		"an endpoint of no service":            {aws("endpoints", map[string]any{"dynamo": "http://localhost"}), nil, `AttributeName("endpoints")`, "rdsdata"},
		"another retry mode":                   {aws("retry_mode", "eager"), nil, `AttributeName("retry_mode")`, "adaptive"},
		"an endpoint that is no URL":           {aws("endpoints", map[string]any{"kms": "localhost"}), nil, `AttributeName("endpoints")`, "not a URL"},
		"a home that is no region":             {aws("region", "eu-centrl-1"), nil, `AttributeName("region")`, "skip_region_validation"},
		"an STS of no region":                  {aws("sts_region", "eu-nowhere-9"), nil, `AttributeName("sts_region")`, "eu-central-1"},
		"a proxy without a scheme":             {aws("https_proxy", "proxy.example.com:3128"), nil, `AttributeName("https_proxy")`, "http://proxy.example.com:3128"},
		"a proxy that is none":                 {aws("http_proxy", "not a proxy"), nil, `AttributeName("http_proxy")`, "not the URL of a proxy"},
		"a proxy with a password":              {aws("https_proxy", "http://a:hunter2@proxy:3128"), nil, `AttributeName("https_proxy")`, "environment variable HTTPS_PROXY"},
		"a metadata service that is no URL":    {aws("ec2_metadata_service_endpoint", "169.254.169.254"), nil, `AttributeName("ec2_metadata_service_endpoint")`, "not a URL"},
		"a policy that is no JSON":             {role("policy", "{"), nil, `ElementKeyInt(0).AttributeName("policy")`, "jsonencode"},
		"a policy that is no ARN":              {role("policy_arns", []any{"ReadOnlyAccess"}), nil, `ElementKeyInt(0).AttributeName("policy_arns")`, "the ARN of a policy"},
		"a session without a name":             {role("session_name", "a b"), nil, `ElementKeyInt(0).AttributeName("session_name")`, "2 to 64"},
		"an identity with blanks":              {role("source_identity", "a b"), nil, `ElementKeyInt(0).AttributeName("source_identity")`, "2 to 64"},
		"an external id of one letter":         {role("external_id", "x"), nil, `ElementKeyInt(0).AttributeName("external_id")`, "2 or more"},
		"a web identity of no role":            {aws("assume_role_with_web_identity", map[string]any{"role_arn": "admin", "web_identity_token_file": "/token"}), nil, `AttributeName("assume_role_with_web_identity").AttributeName("role_arn")`, "not the ARN of a role"},
		"a domain of this machine":             {aws("domain_name", "localhost"), nil, `AttributeName("domain_name")`, "hosted zone of Route 53"},
		"a role that is none":                  {aws("assume_role", []any{map[string]any{"role_arn": "admin"}}), nil, `AttributeName("assume_role")`, "not the ARN of a role"},
		"a session that is too long":           {aws("assume_role", []any{map[string]any{"role_arn": "arn:aws:iam::123456789012:role/a", "duration": "100h"}}), nil, `AttributeName("duration")`, "15 minutes to 12 hours"},
		"a web identity without token":         {aws("assume_role_with_web_identity", map[string]any{"role_arn": "arn:aws:iam::123456789012:role/a"}), nil, `AttributeName("assume_role_with_web_identity")`, "AWS_WEB_IDENTITY_TOKEN_FILE"},
		"an unknown target":                    {map[string]any{"target": "azure"}, nil, `AttributeName("target")`, `target: "azure" is not a target`},
		"an empty target":                      {map[string]any{"target": ""}, nil, `AttributeName("target")`, `target: the value is ""`},
		"an empty owner":                       {map[string]any{"owner": ""}, nil, `AttributeName("owner")`, `owner: the value is ""`},
		"an empty directory":                   {local("data_dir", ""), nil, `AttributeName("data_dir")`, `local.data_dir: the value is ""`},
		"a blank owner":                        {map[string]any{"owner": " "}, nil, `AttributeName("owner")`, `owner: " " is blank`},
		"a directory that is a file":           {local("data_dir", file), nil, `AttributeName("data_dir")`, "is a file"},
		"a directory with a tilde":             {local("data_dir", "~/x"), nil, `AttributeName("data_dir")`, "pathexpand"},
		"a directory of programs with a tilde": {local("postgres_bin_dir", "~/x"), nil, `AttributeName("postgres_bin_dir")`, "pathexpand"},
		"a URL that is none":                   {local("postgres_url", "db:5432"), nil, `AttributeName("postgres_url")`, "not the URL"},
		"a URL with a password":                {local("postgres_url", "postgres://a:hunter2@h/d?sslmode=verify-full"), nil, `AttributeName("postgres_url")`, "holds a password"},
		"a URL with a password at the end":     {local("postgres_url", "postgres://a@h/d?sslmode=verify-full&password=hunter2"), nil, `AttributeName("postgres_url")`, "holds a password"},
		"a URL that can't be read":             {local("postgres_url", "postgres://a:hunter2@h:x/d%zz"), nil, `AttributeName("postgres_url")`, "not the URL"},
		"a URL without a user":                 {local("postgres_url", "postgres://h/d?sslmode=verify-full"), nil, `AttributeName("postgres_url")`, "names no user"},
		"a URL without TLS":                    {local("postgres_url", "postgres://a@h/d?sslmode=disable"), nil, `AttributeName("postgres_url")`, `sslmode is "disable"`},
		"a URL with a relative certificate":    {local("postgres_url", "postgres://a@h/d?sslmode=verify-full&sslrootcert=ca.pem"), nil, `AttributeName("postgres_url")`, "relative path"},
		"a URL with TLS to anybody":            {local("postgres_url", "postgres://a@h/d"), nil, `AttributeName("postgres_url")`, "add sslmode=verify-full"},
		"a password for nothing":               {local("postgres_password_file", "/x"), nil, `AttributeName("postgres_password_file")`, "no postgres_url"},
	} {
		t.Run(name, func(t *testing.T) {
			_, validated, configured := configured(t, c.config, c.environment)
			if s := validated.String(); !validated.errors() || !strings.Contains(s, c.at) || !strings.Contains(s, c.want) || strings.Contains(s, "hunter2") {
				t.Errorf("validated with %q, want %q at %s", s, c.want, c.at)
			}
			if len(c.environment) > 0 && !configured.errors() {
				t.Errorf("configured with %q", configured)
			}
		})
	}
}

func TestProviderReadsThePasswordOnlyFromAFileOfItsOwn(t *testing.T) {
	t.Parallel()
	url := "postgres://admin@db/postgres?sslmode=verify-ca"
	dir := t.TempDir()
	files := map[string]struct {
		content string
		mode    os.FileMode
	}{"open": {"p", 0o644}, "empty": {"\n", 0o600}}
	for name, f := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(f.content), f.mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"open": "chmod 600", "empty": "is empty", "missing": "no such file"} {
		_, _, configured := configured(t, map[string]any{"local": map[string]any{
			"postgres_url": url, "postgres_password_file": filepath.Join(dir, name),
		}}, nil)
		if !strings.Contains(configured.String(), want) {
			t.Errorf("%s: got %q, want %q", name, configured, want)
		}
	}
}

// Files are looked for where a plan or an apply runs, and not by "terraform validate".
func TestProviderRefusesFilesThatAreNotThereAtPlan(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	for name, c := range map[string]struct {
		config   map[string]any
		at, want string
	}{
		"configuration":  {aws("shared_config_files", []any{awstest.File(t, "config", ""), missing}), `AttributeName("shared_config_files").ElementKeyInt(1)`, "no such file"},
		"credentials":    {aws("shared_credentials_files", []any{t.TempDir()}), `AttributeName("shared_credentials_files").ElementKeyInt(0)`, "is a directory"},
		"no profile":     {aws("shared_config_files", []any{awstest.File(t, "text", "# none\n{\"a\": 1}\n[default\n")}), `AttributeName("shared_config_files").ElementKeyInt(0)`, "no line that begins a profile"},
		"another coding": {aws("shared_credentials_files", []any{awstest.File(t, "marked", "\ufeff[default]\n")}), `AttributeName("shared_credentials_files").ElementKeyInt(0)`, "[NAME]"},
		"authorities":    {aws("custom_ca_bundle", missing), `AttributeName("custom_ca_bundle")`, "no such file"},
		"no authorities": {aws("custom_ca_bundle", awstest.File(t, "text", "no certificate")), `AttributeName("custom_ca_bundle")`, "no certificate in PEM"},
		"no name":        {aws("shared_config_files", []any{""}), `AttributeName("shared_config_files").ElementKeyInt(0)`, "it is empty"},
		"RDS's":          {aws("database_ca_bundle", missing), `AttributeName("database_ca_bundle")`, "no such file"},
		"a web identity": {aws("assume_role_with_web_identity", map[string]any{"role_arn": "arn:aws:iam::123456789012:role/a", "web_identity_token_file": missing}), `AttributeName("web_identity_token_file")`, "no such file"},
	} {
		_, validated, configured := configured(t, c.config, nil)
		if len(validated) > 0 {
			t.Errorf("%s: validated with %s", name, validated)
		}
		if s := configured.String(); !configured.errors() || !strings.Contains(s, c.at) || !strings.Contains(s, c.want) {
			t.Errorf("%s: configured with %q, want %q at %s", name, s, c.want, c.at)
		}
	}
}
