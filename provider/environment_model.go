package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

type environmentModel struct {
	ID                   types.String   `tfsdk:"id"`
	Account              types.String   `tfsdk:"account"`
	AccountsDirectory    types.String   `tfsdk:"accounts_directory"`
	AWS                  types.Object   `tfsdk:"aws"`
	AWSResources         types.Object   `tfsdk:"aws_resources"`
	CertificateAuthority types.String   `tfsdk:"certificate_authority"`
	Database             types.Object   `tfsdk:"database"`
	DatabaseHost         types.String   `tfsdk:"database_host"`
	DatabasePort         types.Int64    `tfsdk:"database_port"`
	DeletionProtection   types.Bool     `tfsdk:"deletion_protection"`
	DomainName           types.String   `tfsdk:"domain_name"`
	Drift                types.List     `tfsdk:"drift"`
	Kind                 types.String   `tfsdk:"kind"`
	Mirrors              types.String   `tfsdk:"mirrors"`
	Name                 types.String   `tfsdk:"name"`
	Network              types.Object   `tfsdk:"network"`
	PreviewURL           types.String   `tfsdk:"preview_url"`
	RegionID             types.String   `tfsdk:"region_id"`
	Tags                 types.Map      `tfsdk:"tags"`
	Tenancy              types.String   `tfsdk:"tenancy"`
	Timeouts             timeouts.Value `tfsdk:"timeouts"`
	URL                  types.String   `tfsdk:"url"`
}

type networkModel struct {
	HTTPSPort     types.Int64  `tfsdk:"https_port"`
	ListenAddress types.String `tfsdk:"listen_address"`
	PreviewPort   types.Int64  `tfsdk:"preview_port"`
}

type databaseSizeModel struct {
	MaxConnections types.Int64 `tfsdk:"max_connections"`
}

// toDomain converts a plan or a configuration for a target, "" for one that is not known: then
// it is aws where aws is set. See values.go for what is not known.
func (m environmentModel) toDomain(ctx context.Context, on string, diags *diag.Diagnostics) target.Environment {
	e := target.Environment{
		Region:  text(m.RegionID, placeholder),
		Name:    text(m.Name, placeholder),
		Mirrors: text(m.Mirrors, ""),
		Tags:    stringMap(ctx, m.Tags, diags),
	}
	switch {
	case given(m.Kind):
		e.Kind = m.Kind.ValueString()
	case given(m.Mirrors):
		e.Kind = target.KindSandbox
	default:
		e.Kind = target.KindProduction
	}
	switch {
	case given(m.Tenancy):
		e.Tenancy = m.Tenancy.ValueString()
	case given(m.Account):
		e.Tenancy = target.TenancySingleTenant
	default:
		e.Tenancy = target.TenancyMultiTenant
	}
	e.Account = m.Account.ValueString()
	if m.Account.IsUnknown() && e.Tenancy == target.TenancySingleTenant {
		e.Account = placeholder
	}
	e.DeletionProtection = m.DeletionProtection.ValueBool()
	if m.DeletionProtection.IsNull() {
		e.DeletionProtection = e.Kind == target.KindProduction
	}
	e.DomainName = text(m.DomainName, placeholder)
	d := defaultsOn(on, e.ID(), "")
	if on == targetAWS || on == "" && given(m.AWS) {
		d, e.AWS = defaultsOn(targetAWS, e.ID(), ""), m.onAWS(ctx, e.Kind, diags)
		d.domainName = placeholder // what it is under, the provider's block says
	}
	if m.DomainName.IsNull() {
		e.DomainName = d.domainName
	}
	e.Network = m.network(ctx, d.network, diags)
	e.Database.MaxConnections = d.maxConnections
	if c := nested[databaseSizeModel](ctx, m.Database, diags); c != nil {
		e.Database.MaxConnections = number(c.MaxConnections, d.maxConnections, d.maxConnections)
	}
	return e
}

func (m environmentModel) network(ctx context.Context, n target.Network, diags *diag.Diagnostics) target.Network {
	c := nested[networkModel](ctx, m.Network, diags)
	if c == nil {
		return n
	}
	if given(c.ListenAddress) {
		n.ListenAddress = c.ListenAddress.ValueString()
	}
	n.HTTPSPort = number(c.HTTPSPort, n.HTTPSPort, 0)
	n.PreviewPort = number(c.PreviewPort, n.PreviewPort, 0)
	// A port that is not known must differ from the other, whatever that is.
	if n.HTTPSPort == 0 && c.HTTPSPort.IsUnknown() {
		n.HTTPSPort = n.PreviewPort%65535 + 1
	}
	if n.PreviewPort == 0 && c.PreviewPort.IsUnknown() {
		n.PreviewPort = n.HTTPSPort%65535 + 1
	}
	return n
}

// fromDomain takes over everything that the target says. Timeouts stay: it knows none.
func (m *environmentModel) fromDomain(ctx context.Context, rec target.EnvironmentRecord, diags *diag.Diagnostics) {
	e, s := rec.Spec, rec.Status
	m.ID = types.StringValue(e.ID().String())
	m.Account = toText(e.Account)
	m.AccountsDirectory = toText(s.AccountsDirectory)
	m.CertificateAuthority = toText(s.CertificateAuthority)
	m.AWS = fromAWS(ctx, e, diags)
	m.AWSResources = fromResources(ctx, s.AWS, diags)
	m.Database = toObject(ctx, databaseSizeType(), &databaseSizeModel{toNumber(e.Database.MaxConnections)}, diags)
	m.DatabaseHost = toText(s.DatabaseHost)
	m.DatabasePort = toNumber(s.DatabasePort)
	// Protection is armed by the last step of a create.
	m.DeletionProtection = types.BoolValue(e.DeletionProtection && rec.Meta.Ready)
	m.DomainName = types.StringValue(e.DomainName)
	m.Drift = driftOf(rec.Meta)
	m.Kind = types.StringValue(e.Kind)
	m.Mirrors = toText(e.Mirrors)
	m.Name = types.StringValue(e.Name)
	m.Network = fromNetwork(ctx, e.Network, diags)
	m.RegionID = types.StringValue(e.Region)
	m.Tags = toMap(e.Tags)
	m.Tenancy = types.StringValue(e.Tenancy)
	m.URL, m.PreviewURL = entrances(e)
}

func fromNetwork(ctx context.Context, n target.Network, diags *diag.Diagnostics) types.Object {
	return toObject(ctx, networkType(), &networkModel{
		HTTPSPort:     types.Int64Value(int64(n.HTTPSPort)),
		ListenAddress: toText(n.ListenAddress),
		PreviewPort:   types.Int64Value(int64(n.PreviewPort)),
	}, diags)
}

// entrances are the URLs of an environment, which follow from its definition alone.
func entrances(e target.Environment) (url, preview types.String) {
	return types.StringValue(e.URL()), types.StringValue(e.PreviewURL())
}

// driftOf is what keeps an object from being what was asked, each in words.
func driftOf(m target.Meta) types.List {
	var all []string
	if m.Problem != "" {
		all = strings.Split(m.Problem, "; ")
	}
	return types.ListValueMust(types.StringType, toElements(all))
}

// unfinished says that a definition was stored and is not in effect yet.
func unfinished(m target.Meta) bool { return !m.Ready || m.Problem != "" }
