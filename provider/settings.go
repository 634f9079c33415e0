package provider

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/awstarget"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/targets"
)

// Targets that the provider block can name.
const (
	targetLocal = targets.Local
	targetAWS   = targets.AWS
)

// Settings is the provider block with its environment variables and defaults.
type Settings struct {
	// Target is where things are built, Owner the Terraform state they belong to.
	Target, Owner string
	// Version is the provider's.
	Version string
	// DataDir is absolute, or empty for the target's own default.
	DataDir string
	// PostgresBinDir is absolute, or empty to search.
	PostgresBinDir string
	// PostgresURL never holds a password.
	PostgresURL          string
	PostgresPassword     string
	postgresPasswordFile string
	// AWS is how the aws target reaches AWS; nil for another target.
	AWS *awstarget.Settings
	// AWSDomainName is what environments on aws without a name of their own are under, or "".
	AWSDomainName string
}

var (
	pathTarget       = path.Root("target")
	pathDataDir      = path.Root("local").AtName("data_dir")
	pathPostgresBin  = path.Root("local").AtName("postgres_bin_dir")
	pathPostgresURL  = path.Root("local").AtName("postgres_url")
	pathPasswordFile = path.Root("local").AtName("postgres_password_file")
)

type providerModel struct {
	AWS    types.Object `tfsdk:"aws"`
	Local  types.Object `tfsdk:"local"`
	Owner  types.String `tfsdk:"owner"`
	Target types.String `tfsdk:"target"`
}

type localModel struct {
	DataDir              types.String `tfsdk:"data_dir"`
	PostgresBinDir       types.String `tfsdk:"postgres_bin_dir"`
	PostgresPasswordFile types.String `tfsdk:"postgres_password_file"`
	PostgresURL          types.String `tfsdk:"postgres_url"`
}

func environmentVariable(name string) string { return os.Getenv(name) }

// settings resolves the provider block. Known is false where a part of it is not known yet:
// then the rest is checked all the same.
func (m providerModel) settings(ctx context.Context, getenv func(string) string) (s Settings, known bool, diags diag.Diagnostics) {
	var local localModel
	if !m.Local.IsNull() && !m.Local.IsUnknown() {
		diags.Append(m.Local.As(ctx, &local, basetypes.ObjectAsOptions{})...)
	}
	known = !m.Local.IsUnknown()
	value := func(v types.String, variable string) string {
		known = known && !v.IsUnknown()
		if v.IsNull() && variable != "" {
			return getenv(variable)
		}
		return v.ValueString()
	}
	s = Settings{
		Target:               value(m.Target, "SLIPWAY_TARGET"),
		Owner:                value(m.Owner, "SLIPWAY_OWNER"),
		DataDir:              value(local.DataDir, "SLIPWAY_DATA_DIR"),
		PostgresBinDir:       value(local.PostgresBinDir, ""),
		PostgresURL:          value(local.PostgresURL, ""),
		postgresPasswordFile: value(local.PostgresPasswordFile, ""),
	}
	switch s.Target {
	case "":
		s.Target = targetLocal
	case targetLocal:
	case targetAWS:
		if known = known && fullyKnown(ctx, m.AWS); known {
			var aws awsModel
			if !m.AWS.IsNull() {
				diags.Append(m.AWS.As(ctx, &aws, basetypes.ObjectAsOptions{})...)
			}
			s.AWS, s.AWSDomainName = aws.settings(ctx, getenv, &diags), aws.DomainName.ValueString()
			if err := target.ValidateDomainName(s.AWSDomainName); s.AWSDomainName != "" && err != nil {
				invalid(&diags, "Invalid domain_name", path.Root("aws").AtName("domain_name"), "%s", err)
			} else if strings.HasSuffix("."+s.AWSDomainName, ".localhost") {
				invalid(&diags, "Invalid domain_name", path.Root("aws").AtName("domain_name"), "%q lies under \"localhost\", which is this machine: name a domain in a hosted zone of Route 53", s.AWSDomainName)
			}
			m.refuse(ctx, s.AWS.Validate(), &diags)
		}
	default:
		diags.AddAttributeError(pathTarget, "Invalid target", fmt.Sprintf(`%s: %q is not a target: expected "local" or "aws".`, fromWhere(m.Target, "target", "SLIPWAY_TARGET"), s.Target))
	}
	var err error
	if s.DataDir, err = absolute(s.DataDir); err != nil {
		diags.AddAttributeError(pathDataDir, "Invalid data_dir", sentence(fromWhere(local.DataDir, "local.data_dir", "SLIPWAY_DATA_DIR")+": "+err.Error()))
	}
	if info, err := os.Stat(s.DataDir); s.DataDir != "" && err == nil && !info.IsDir() {
		diags.AddAttributeError(pathDataDir, "Invalid data_dir", fmt.Sprintf("%s: %q is a file: name a directory, which Slipway makes where it is missing.", fromWhere(local.DataDir, "local.data_dir", "SLIPWAY_DATA_DIR"), s.DataDir))
	}
	if s.PostgresBinDir, err = absolute(s.PostgresBinDir); err != nil {
		invalid(&diags, "Invalid postgres_bin_dir", pathPostgresBin, "%s", err)
	}
	if err := checkPostgresURL(s.PostgresURL); err != nil {
		invalid(&diags, "Invalid postgres_url", pathPostgresURL, "%s", err)
	}
	if s.postgresPasswordFile != "" && s.PostgresURL == "" && !local.PostgresURL.IsUnknown() {
		invalid(&diags, "Invalid postgres_password_file", pathPasswordFile, "there is no postgres_url for the password to go with: set it, or remove postgres_password_file")
	}
	if s.Owner != "" && strings.TrimSpace(s.Owner) == "" {
		diags.AddAttributeError(path.Root("owner"), "Invalid owner", fmt.Sprintf("%s: %q is blank: name the state that owns what is made, or leave it out for the default.", fromWhere(m.Owner, "owner", "SLIPWAY_OWNER"), s.Owner))
	}
	if s.Owner == "" && !m.Owner.IsUnknown() {
		if s.Owner, err = defaultOwner(getenv); err != nil {
			diags.AddAttributeError(path.Root("owner"), "Unable to tell the owner", sentence(err.Error())+" Set owner or SLIPWAY_OWNER.")
		}
	}
	return s, known, diags
}

// refuse adds faults of the settings for AWS, each at the attribute of the aws block that it is about.
func (m providerModel) refuse(ctx context.Context, faults target.Faults, diags *diag.Diagnostics) {
	if len(faults) == 0 {
		return
	}
	given, err := m.AWS.ToTerraformValue(ctx)
	if err != nil {
		diags.AddError("Unable to configure the provider", sentence(err.Error()))
		return
	}
	for _, f := range faults {
		at, v, beyond := descend(path.Root("aws"), given, f.Path)
		name, _, _ := strings.Cut(f.Path, ".")
		diags.AddAttributeError(at, "Invalid "+name, sentence(at.String()+notation(v.Type(), beyond)+": "+f.Message))
	}
}

// fromWhere names what a setting came from.
func fromWhere(v types.String, attribute, variable string) string {
	if v.IsNull() {
		return variable
	}
	return attribute
}

// absolute makes dir absolute from the working directory; empty stays empty.
func absolute(dir string) (string, error) {
	switch {
	case dir == "":
		return "", nil
	case dir == "~" || strings.HasPrefix(dir, "~/"):
		return "", fmt.Errorf(`%q starts with "~", which only a shell replaces: write pathexpand(%q)`, dir, dir)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the absolute path of %q: %w", dir, err)
	}
	return abs, nil
}

// checkPostgresURL refuses a URL that is none, that holds a password, or under which the
// server could be an impostor. No error repeats the URL: it may hold a password.
func checkPostgresURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return errors.New(`this is not the URL of a PostgreSQL server: expected such as "postgres://admin@db.example.com:5432/postgres?sslmode=verify-full"`)
	}
	q := u.Query()
	if _, password := u.User.Password(); password || q.Has("password") {
		return errors.New("the URL holds a password, and saved plans would hold it too: move it to the environment variable SLIPWAY_POSTGRES_PASSWORD or to a file named by postgres_password_file")
	}
	if u.User.Username() == "" && q.Get("user") == "" {
		return errors.New(`the URL names no user: expected such as "postgres://admin@…"`)
	}
	if m := q.Get("sslmode"); m != "verify-full" && m != "verify-ca" {
		return fmt.Errorf("its sslmode is %q: add sslmode=verify-full, or verify-ca where the server's certificate does not carry its name; account data never travels to a server that could be another one", m)
	}
	if root := q.Get("sslrootcert"); root != "" && root != "system" && !filepath.IsAbs(root) {
		return fmt.Errorf("its sslrootcert %q is a relative path, and the agent that reads it works in another directory: write the absolute path, such as ${abspath(%q)}", root, root)
	}
	return nil
}

// readPassword takes the PostgreSQL password from the file, else from the environment.
func (s *Settings) readPassword(getenv func(string) string) error {
	if s.postgresPasswordFile == "" {
		s.PostgresPassword = getenv("SLIPWAY_POSTGRES_PASSWORD")
		return nil
	}
	info, err := os.Stat(s.postgresPasswordFile)
	if err != nil {
		return fmt.Errorf("read postgres_password_file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("postgres_password_file %q has mode %04o: others can read it; run chmod 600 on it", s.postgresPasswordFile, mode)
	}
	b, err := os.ReadFile(s.postgresPasswordFile)
	if err != nil {
		return fmt.Errorf("read postgres_password_file: %w", err)
	}
	if s.PostgresPassword = strings.TrimRight(string(b), "\r\n"); s.PostgresPassword == "" {
		return fmt.Errorf("postgres_password_file %q is empty", s.postgresPasswordFile)
	}
	return nil
}
