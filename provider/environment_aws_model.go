package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

type environmentAWSModel struct {
	CertificateARN types.String `tfsdk:"certificate_arn"`
	CIDRs          types.Set    `tfsdk:"cidr_blocks"`
	Database       types.Object `tfsdk:"database"`
	HostedZoneID   types.String `tfsdk:"hosted_zone_id"`
	Internal       types.Bool   `tfsdk:"internal"`
	NAT            types.String `tfsdk:"nat"`
	PreviewCIDRs   types.Set    `tfsdk:"preview_cidr_blocks"`
	ProbeImage     types.String `tfsdk:"probe_image"`
	VPC            types.Object `tfsdk:"vpc"`
	VPCBlock       types.String `tfsdk:"vpc_cidr_block"`
	Zones          types.Int64  `tfsdk:"zones"`
}

type environmentAWSDatabaseModel struct {
	Access        types.String  `tfsdk:"access"`
	BackupDays    types.Int64   `tfsdk:"backup_retention_days"`
	CIDRs         types.Set     `tfsdk:"cidr_blocks"`
	EngineVersion types.String  `tfsdk:"engine_version"`
	Instances     types.Int64   `tfsdk:"instances"`
	MaxCapacity   types.Float64 `tfsdk:"max_capacity_units"`
	MinCapacity   types.Float64 `tfsdk:"min_capacity_units"`
}

type environmentVPCModel struct {
	ID              types.String `tfsdk:"id"`
	DatabaseSubnets types.Set    `tfsdk:"database_subnet_ids"`
	PrivateSubnets  types.Set    `tfsdk:"private_subnet_ids"`
	PublicSubnets   types.Set    `tfsdk:"public_subnet_ids"`
}

// onAWS are an environment's settings for the aws target: what is said, and the defaults of its
// kind for the rest. What is not known yet has its default, in which no check finds fault.
func (m environmentModel) onAWS(ctx context.Context, kind string, diags *diag.Diagnostics) *target.AWS {
	out := target.DefaultAWS(kind)
	c := nested[environmentAWSModel](ctx, m.AWS, diags)
	if c == nil {
		return &out
	}
	out.CertificateARN, out.HostedZoneID = c.CertificateARN.ValueString(), c.HostedZoneID.ValueString()
	out.ProbeImage = c.ProbeImage.ValueString()
	if c.ProbeImage.IsUnknown() {
		out.ProbeImage = "image"
	}
	out.Internal = c.Internal.ValueBool()
	out.CIDRs = sortedSet(c.CIDRs, "192.0.2.0/24")
	out.PreviewCIDRs = sortedSet(c.PreviewCIDRs, "192.0.2.0/24")
	out.VPC, out.VPCBlock = c.vpc(ctx, diags), text(c.VPCBlock, "")
	if out.VPC != nil {
		out.NAT, out.Zones = "", 0
	}
	if given(c.NAT) {
		out.NAT = c.NAT.ValueString()
	}
	out.Zones = number(c.Zones, out.Zones, out.Zones)
	if d := nested[environmentAWSDatabaseModel](ctx, c.Database, diags); d != nil {
		of := &out.Database
		of.Access, of.CIDRs = text(d.Access, of.Access), sortedSet(d.CIDRs, "192.0.2.0/24")
		if d.Access.IsUnknown() && len(of.CIDRs) > 0 {
			of.Access = target.AccessDirect // which alone has them
		}
		of.BackupDays = number(d.BackupDays, of.BackupDays, of.BackupDays)
		of.EngineVersion = text(d.EngineVersion, of.EngineVersion)
		of.Instances = number(d.Instances, of.Instances, of.Instances)
		// A capacity that is not known fits the other, whatever that is.
		if given(d.MinCapacity) {
			of.MinCapacity = d.MinCapacity.ValueFloat64()
		}
		if given(d.MaxCapacity) {
			of.MaxCapacity = d.MaxCapacity.ValueFloat64()
		}
		if d.MaxCapacity.IsUnknown() {
			of.MaxCapacity = max(1, of.MinCapacity)
		}
		if d.MinCapacity.IsUnknown() {
			of.MinCapacity = min(of.MinCapacity, of.MaxCapacity)
		}
	}
	return &out
}

// vpc is the network that is given; what is not known of it looks as it should.
func (m environmentAWSModel) vpc(ctx context.Context, diags *diag.Diagnostics) *target.AWSVPC {
	v := nested[environmentVPCModel](ctx, m.VPC, diags)
	if v == nil {
		return nil
	}
	subnets := func(s types.Set) []string {
		if s.IsUnknown() {
			return []string{"subnet-00000000", "subnet-00000001"}
		}
		ids := sortedSet(s, "")
		for i, e := range ids {
			if e == "" {
				ids[i] = "subnet-0000000" + string("23456789"[i%8])
			}
		}
		return ids
	}
	return &target.AWSVPC{
		ID:            text(v.ID, "vpc-00000000"),
		PublicSubnets: subnets(v.PublicSubnets), PrivateSubnets: subnets(v.PrivateSubnets), DatabaseSubnets: subnets(v.DatabaseSubnets),
	}
}

// sortedSet are the strings of a set in order, nil for none.
func sortedSet(s types.Set, harmless string) []string {
	var out []string
	for _, e := range s.Elements() {
		if v, ok := e.(types.String); ok {
			out = append(out, text(v, harmless))
		}
	}
	slices.Sort(out)
	return out
}

// fillAWS replaces what the configuration leaves out by the defaults of the environment's kind.
func (m *environmentModel) fillAWS(ctx context.Context, config, was environmentModel, diags *diag.Diagnostics) {
	if config.AWS.IsUnknown() {
		return
	}
	c := nested[environmentAWSModel](ctx, config.AWS, diags)
	if c == nil {
		c = &environmentAWSModel{Database: types.ObjectNull(environmentDatabaseType().AttrTypes), VPC: types.ObjectNull(environmentVPCType().AttrTypes)}
	}
	known := given(config.Kind)
	d := target.DefaultAWS(config.Kind.ValueString())
	if c.Internal.IsNull() {
		c.Internal = types.BoolValue(false)
	}
	for _, blocks := range []*types.Set{&c.CIDRs, &c.PreviewCIDRs} {
		if blocks.IsNull() {
			*blocks = toSet(nil)
		}
	}
	switch {
	case c.VPC.IsUnknown():
		c.NAT, c.Zones = orUnknown(c.NAT, types.StringUnknown()), orUnknown(c.Zones, types.Int64Unknown())
		c.VPCBlock = orUnknown(c.VPCBlock, types.StringUnknown())
	case c.VPC.IsNull():
		id := target.EnvironmentID{Region: config.RegionID.ValueString(), Name: config.Name.ValueString()}
		c.VPCBlock = byKind(c.VPCBlock, given(config.RegionID) && given(config.Name), types.StringValue(id.DefaultVPCBlock()), types.StringUnknown())
		c.NAT = byKind(c.NAT, known, types.StringValue(d.NAT), types.StringUnknown())
		c.Zones = byKind(c.Zones, known, types.Int64Value(int64(d.Zones)), types.Int64Unknown())
	}
	if !c.Database.IsUnknown() {
		of := nested[environmentAWSDatabaseModel](ctx, c.Database, diags)
		if of == nil {
			of = &environmentAWSDatabaseModel{CIDRs: types.SetNull(types.StringType)}
		}
		of.Access = orUnknown(of.Access, types.StringValue(d.Database.Access))
		if of.CIDRs.IsNull() {
			of.CIDRs = toSet(nil)
		}
		of.BackupDays = byKind(of.BackupDays, known, types.Int64Value(int64(d.Database.BackupDays)), types.Int64Unknown())
		of.EngineVersion = orUnknown(orUnknown(of.EngineVersion, was.engine(ctx, diags)), types.StringValue(d.Database.EngineVersion))
		of.Instances = byKind(of.Instances, known, types.Int64Value(int64(d.Database.Instances)), types.Int64Unknown())
		of.MaxCapacity = byKind(of.MaxCapacity, known, types.Float64Value(d.Database.MaxCapacity), types.Float64Unknown())
		of.MinCapacity = byKind(of.MinCapacity, known, types.Float64Value(d.Database.MinCapacity), types.Float64Unknown())
		c.Database = toObject(ctx, environmentDatabaseType(), of, diags)
	}
	m.AWS = toObject(ctx, environmentAWSType(), c, diags)
}

// engine is the version that an environment was given or got by default: another default changes none that stands.
func (m environmentModel) engine(ctx context.Context, diags *diag.Diagnostics) types.String {
	if c := nested[environmentAWSModel](ctx, m.AWS, diags); c != nil {
		if of := nested[environmentAWSDatabaseModel](ctx, c.Database, diags); of != nil {
			return of.EngineVersion
		}
	}
	return types.StringNull()
}

// byKind is a value that is given, else the default where that is known which it follows from, as
// a rule the kind.
func byKind[T attr.Value](given T, known bool, value, unknown T) T {
	if known {
		return orUnknown(given, value)
	}
	return orUnknown(given, unknown)
}

// orUnknown is a value, or another one where it is null.
func orUnknown[T attr.Value](v, other T) T {
	if v.IsNull() {
		return other
	}
	return v
}

func environmentDatabaseType() types.ObjectType {
	return nestedType(environmentAWSDatabaseAttributes())
}

func environmentVPCType() types.ObjectType { return nestedType(environmentVPCAttributes()) }

// fromAWS encodes an environment's settings for the aws target; none are null.
func fromAWS(ctx context.Context, e target.Environment, diags *diag.Diagnostics) types.Object {
	a := e.AWS
	if a == nil {
		return types.ObjectNull(environmentAWSType().AttrTypes)
	}
	vpc, block := types.ObjectNull(environmentVPCType().AttrTypes), a.VPCBlock
	if block == "" && a.VPC == nil { // made before a block could be chosen
		block = e.ID().DefaultVPCBlock()
	}
	if v := a.VPC; v != nil {
		public := types.SetNull(types.StringType)
		if len(v.PublicSubnets) > 0 {
			public = toSet(v.PublicSubnets)
		}
		vpc = toObject(ctx, environmentVPCType(), &environmentVPCModel{
			ID: types.StringValue(v.ID), DatabaseSubnets: toSet(v.DatabaseSubnets), PrivateSubnets: toSet(v.PrivateSubnets), PublicSubnets: public,
		}, diags)
	}
	d := a.Database
	return toObject(ctx, environmentAWSType(), &environmentAWSModel{
		CertificateARN: toText(a.CertificateARN),
		Database: toObject(ctx, environmentDatabaseType(), &environmentAWSDatabaseModel{
			Access: types.StringValue(d.Access), CIDRs: toSet(d.CIDRs),
			BackupDays: types.Int64Value(int64(d.BackupDays)), EngineVersion: types.StringValue(d.EngineVersion), Instances: types.Int64Value(int64(d.Instances)),
			MaxCapacity: types.Float64Value(d.MaxCapacity), MinCapacity: types.Float64Value(d.MinCapacity),
		}, diags),
		HostedZoneID: toText(a.HostedZoneID),
		CIDRs:        toSet(a.CIDRs),
		Internal:     types.BoolValue(a.Internal),
		NAT:          toText(a.NAT),
		PreviewCIDRs: toSet(a.PreviewCIDRs),
		ProbeImage:   toText(a.ProbeImage),
		VPC:          vpc,
		VPCBlock:     toText(block),
		Zones:        toNumber(a.Zones),
	}, diags)
}

func toSet(values []string) types.Set {
	return types.SetValueMust(types.StringType, toElements(values))
}

type environmentResourcesModel struct {
	AccountSecretsPrefix types.String `tfsdk:"account_secrets_prefix"`
	CertificateARN       types.String `tfsdk:"certificate_arn"`
	ClusterARN           types.String `tfsdk:"cluster_arn"`
	DatabaseClusterARN   types.String `tfsdk:"database_cluster_arn"`
	DatabaseGroup        types.String `tfsdk:"database_security_group_id"`
	DatabaseRoutes       types.List   `tfsdk:"database_route_table_ids"`
	DatabaseSubnets      types.List   `tfsdk:"database_subnet_ids"`
	ExecutionRoleARN     types.String `tfsdk:"execution_role_arn"`
	HostedZone           types.String `tfsdk:"hosted_zone_id"`
	HTTPSListenerARN     types.String `tfsdk:"https_listener_arn"`
	KeyARN               types.String `tfsdk:"kms_key_arn"`
	BalancerARN          types.String `tfsdk:"load_balancer_arn"`
	BalancerDNSName      types.String `tfsdk:"load_balancer_dns_name"`
	BalancerGroup        types.String `tfsdk:"load_balancer_security_group_id"`
	BalancerZone         types.String `tfsdk:"load_balancer_zone_id"`
	LogGroup             types.String `tfsdk:"log_group_name"`
	NATAddresses         types.List   `tfsdk:"nat_addresses"`
	PreviewListenerARN   types.String `tfsdk:"preview_listener_arn"`
	PrivateRoutes        types.List   `tfsdk:"private_route_table_ids"`
	PrivateSubnets       types.List   `tfsdk:"private_subnet_ids"`
	PublicRoutes         types.List   `tfsdk:"public_route_table_ids"`
	PublicSubnets        types.List   `tfsdk:"public_subnet_ids"`
	StackGroup           types.String `tfsdk:"stack_security_group_id"`
	TaskRoleARN          types.String `tfsdk:"task_role_arn"`
	VPCBlock             types.String `tfsdk:"vpc_cidr_block"`
	VPC                  types.String `tfsdk:"vpc_id"`
}

// fromResources encodes what an environment is made of on the aws target; nil is null.
func fromResources(ctx context.Context, r *target.AWSResources, diags *diag.Diagnostics) types.Object {
	if r == nil {
		return types.ObjectNull(environmentResourcesType().AttrTypes)
	}
	list := func(values []string) types.List {
		return types.ListValueMust(types.StringType, toElements(values))
	}
	return toObject(ctx, environmentResourcesType(), &environmentResourcesModel{
		AccountSecretsPrefix: toText(r.AccountSecretsPrefix), CertificateARN: toText(r.CertificateARN), ClusterARN: toText(r.ClusterARN),
		DatabaseClusterARN: toText(r.DatabaseClusterARN), DatabaseGroup: toText(r.DatabaseGroup), DatabaseSubnets: list(r.DatabaseSubnets),
		DatabaseRoutes: list(r.DatabaseRoutes), PrivateRoutes: list(r.PrivateRoutes), PublicRoutes: list(r.PublicRoutes),
		ExecutionRoleARN: toText(r.ExecutionRoleARN), KeyARN: toText(r.KeyARN), BalancerARN: toText(r.BalancerARN),
		BalancerDNSName: toText(r.BalancerDNSName), BalancerGroup: toText(r.BalancerGroup), BalancerZone: toText(r.BalancerZone),
		HostedZone: toText(r.HostedZone), HTTPSListenerARN: toText(r.HTTPSListenerARN), PreviewListenerARN: toText(r.PreviewListenerARN),
		LogGroup: toText(r.LogGroup), NATAddresses: list(r.NATAddresses), PrivateSubnets: list(r.PrivateSubnets),
		PublicSubnets: list(r.PublicSubnets), StackGroup: toText(r.StackGroup), TaskRoleARN: toText(r.TaskRoleARN), VPCBlock: toText(r.VPCBlock), VPC: toText(r.VPC),
	}, diags)
}
