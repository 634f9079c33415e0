package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

var (
	_ provider.Provider                       = (*slipway)(nil)
	_ provider.ProviderWithActions            = (*slipway)(nil)
	_ provider.ProviderWithEphemeralResources = (*slipway)(nil)
	_ provider.ProviderWithListResources      = (*slipway)(nil)
	_ provider.ProviderWithValidateConfig     = (*slipway)(nil)
)

// slipway is the provider.
type slipway struct {
	version string
	// newDriver makes the driver of the target; it must not connect.
	newDriver func(Settings) (target.Driver, error)
	clock     wait.Clock
	portTaken func(ctx context.Context, address string, port int) bool
	getenv    func(string) string
}

// Option changes what New makes.
type Option func(*slipway)

// WithDriver replaces the targets by what make returns. Make must not connect.
func WithDriver(make func(Settings) (target.Driver, error)) Option {
	return func(p *slipway) { p.newDriver = make }
}

// WithClock replaces the machine's clock.
func WithClock(c wait.Clock) Option { return func(p *slipway) { p.clock = c } }

// WithPorts replaces the look at the ports of this machine.
func WithPorts(taken func(ctx context.Context, address string, port int) bool) Option {
	return func(p *slipway) { p.portTaken = taken }
}

// WithEnvironment replaces the environment variables of this process.
func WithEnvironment(getenv func(string) string) Option {
	return func(p *slipway) { p.getenv = getenv }
}

// New returns what makes the provider, as provider servers ask for it. Version is shown to
// Terraform and to the local agent.
func New(version string, options ...Option) func() provider.Provider {
	return func() provider.Provider {
		p := &slipway{version: version, newDriver: newDriver, clock: wait.Real{}, portTaken: portTaken, getenv: environmentVariable}
		for _, o := range options {
			o(p)
		}
		return p
	}
}

func (p *slipway) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "slipway"
	resp.Version = p.version
}

func (p *slipway) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Provisions a multi-tenant platform and swaps its releases blue-green: regions, environments, a database for each account, and deployment slots in which a release takes over from the one before without a lost request.",
		Attributes: map[string]schema.Attribute{
			"aws": awsSchema(),
			"local": schema.SingleNestedAttribute{
				Optional:            true,
				MarkdownDescription: "Settings of the `local` target, which builds everything on this machine.",
				Attributes: map[string]schema.Attribute{
					"data_dir": schema.StringAttribute{
						Optional:            true,
						Validators:          []validator.String{notEmpty{}},
						MarkdownDescription: "Directory that holds the installation: its records, certificates, databases and logs. Also from `SLIPWAY_DATA_DIR`; defaults to `/var/lib/slipway` for root, else to `$XDG_DATA_HOME/slipway` or `~/.local/share/slipway`. State belongs to the installation in this directory: with another one the plan is refused.",
					},
					"postgres_bin_dir": schema.StringAttribute{
						Optional:            true,
						Validators:          []validator.String{notEmpty{}},
						MarkdownDescription: "Directory with the programs `initdb` and `postgres` of PostgreSQL 15 or newer. Defaults to what `pg_config --bindir` says, then to the usual directories, then to an archive that is downloaded once.",
					},
					"postgres_password_file": schema.StringAttribute{
						Optional:            true,
						Validators:          []validator.String{notEmpty{}},
						MarkdownDescription: "Path of a file of mode 0600 with the password that goes with `postgres_url`. The password can also come from `SLIPWAY_POSTGRES_PASSWORD`; it can't be part of the configuration, since saved plans hold that.",
					},
					"postgres_url": schema.StringAttribute{
						Optional:            true,
						Validators:          []validator.String{notEmpty{}},
						MarkdownDescription: "URL of a PostgreSQL server to use instead of one that Slipway runs, such as `postgres://admin@db.example.com:5432/postgres?sslmode=verify-full`. It holds no password, and its `sslmode` is `verify-full` or `verify-ca`. `sslrootcert`, an absolute path, names the certificates that the server's is checked with; without it those of the system are. The server has to keep accounts apart, which is tried before it is used: see the guide on the local target.",
					},
				},
			},
			"owner": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{notEmpty{}},
				MarkdownDescription: "Name of the Terraform state that owns what this configuration makes; objects of another owner are never taken over without an import. Also from `SLIPWAY_OWNER`; defaults to the HCP Terraform workspace, else to the working directory and workspace.",
			},
			"target": schema.StringAttribute{
				Optional:            true,
				Validators:          []validator.String{notEmpty{}},
				MarkdownDescription: "Where things are built: `local`, which is the default, or `aws`, which was run against emulators only. Also from `SLIPWAY_TARGET`.",
			},
		},
	}
}

// ValidateConfig refuses at plan what Configure would refuse at apply.
func (p *slipway) ValidateConfig(ctx context.Context, req provider.ValidateConfigRequest, resp *provider.ValidateConfigResponse) {
	var m providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	_, _, diags := m.settings(ctx, p.getenv)
	resp.Diagnostics.Append(diags...)
}

// Configure prepares what the resources work with. It does not connect; where part of the
// configuration is not known yet it leaves them without a target, for which they wait.
func (p *slipway) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var m providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	settings, known, diags := m.settings(ctx, p.getenv)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	c := &client{clock: p.clock, portTaken: p.portTaken, register: newRegister()}
	resp.ResourceData, resp.DataSourceData, resp.EphemeralResourceData, resp.ListResourceData, resp.ActionData = c, c, c, c, c
	if !known {
		if !m.Target.IsUnknown() {
			c.settings.Target = settings.Target
		}
		return
	}
	if settings.AWS != nil { // files are of the machine that plans and applies, which need not be the one that validates
		if m.refuse(ctx, settings.AWS.ValidateFiles(), &resp.Diagnostics); resp.Diagnostics.HasError() {
			return
		}
	}
	settings.Version = p.version
	if err := settings.readPassword(p.getenv); err != nil {
		resp.Diagnostics.AddAttributeError(pathPasswordFile, "Unable to configure the provider", sentence(err.Error()))
		return
	}
	driver, err := p.newDriver(settings)
	if err != nil {
		resp.Diagnostics.AddError("Unable to configure the provider", sentence(err.Error()))
		return
	}
	c.use(driver, settings)
}

func (p *slipway) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newRegion, newEnvironment, newAccountDatabase, newDeploymentSlot}
}

// Actions returns what can be done beside the resources, from Terraform 1.14 on.
func (p *slipway) Actions(context.Context) []func() action.Action {
	return []func() action.Action{newPromote, newRollback, newRotateCredentials}
}

// EphemeralResources returns what is read without being kept.
func (p *slipway) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{newAccountCredentials}
}

// DataSources returns the four nouns for configurations that do not look after them, and where an
// account may be placed.
func (p *slipway) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newRegionData, newEnvironmentData, newAccountDatabaseData, newDeploymentSlotData, newPlacement}
}

// ListResources returns what finds objects for an import, from Terraform 1.14 on.
func (p *slipway) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{newRegionList, newEnvironmentList, newAccountDatabaseList, newDeploymentSlotList}
}
