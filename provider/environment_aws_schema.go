package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// environmentAWSAttributes are what an environment has on the aws target only.
func environmentAWSAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"certificate_arn": givenText("ARN of a certificate of ACM for the domain name and every label under it; defaults to one that is made, and proved through the hosted zone. It changes in place."),
		"database": schema.SingleNestedAttribute{
			Optional: true, Computed: true, Attributes: environmentAWSDatabaseAttributes(),
			MarkdownDescription: "Cluster of Aurora PostgreSQL Serverless v2: its size, and the way to it. It changes in place.",
		},
		"hosted_zone_id": givenText("Hosted zone of Route 53 for the environment's names; defaults to the public one in the AWS account that the domain name lies in. With the id of a zone that this configuration makes, the plan waits for it."),
		"internal": schema.BoolAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "Whether the load balancer is reached from the VPC only; defaults to `false`. A change replaces the environment, and is refused while it holds databases or slots.",
		},
		"nat": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "How private subnets reach the outside: `per_zone`, a NAT gateway in each zone; `single`, one for all; or `none`, where stacks reach nothing but the AWS services that they need, through endpoints, and test suites only an `internal` load balancer. Defaults to `per_zone` for `production` and `single` for `sandbox`; it changes in place, and is left out with `vpc`.",
		},
		"cidr_blocks": schema.SetAttribute{
			ElementType: types.StringType, Optional: true, Computed: true,
			Validators:          []validator.Set{noNulls{}, someBlocks{"leave cidr_blocks out to let everybody in, or set internal = true to let in the VPC only"}},
			MarkdownDescription: "IPv4 blocks that may reach the front door beside the VPC itself, at least one; defaults to everybody, and where it is `internal` to nobody else. A security group has room for 60 rules, of which each block takes two. It changes in place.",
		},
		"preview_cidr_blocks": schema.SetAttribute{
			ElementType: types.StringType, Optional: true, Computed: true, Validators: []validator.Set{noNulls{}},
			MarkdownDescription: "IPv4 blocks that may reach the preview entrance beside the VPC itself, such as `203.0.113.0/24`; defaults to none, and changes in place.",
		},
		"probe_image": givenText("Image with a shell and `curl` for the task that asks the front door from inside the VPC after a switch, where it is `internal` or has `cidr_blocks` and where Terraform runs is not let in. Defaults to `public.ecr.aws/amazonlinux/amazonlinux:2023`; with `nat = \"none\"` it has to be one in your Amazon ECR. It changes in place."),
		"vpc": schema.SingleNestedAttribute{
			Optional:            true,
			Attributes:          environmentVPCAttributes(),
			MarkdownDescription: "Network that is there already and that somebody else looks after; defaults to one that is made. A change replaces the environment, and is refused while it holds databases or slots.",
		},
		"vpc_cidr_block": schema.StringAttribute{
			Optional: true, Computed: true, Validators: []validator.String{notEmpty{}},
			MarkdownDescription: "IPv4 block of the VPC that is made, such as `10.20.0.0/20`: a private one of RFC 1918 or RFC 6598 (`100.64.0.0/10`), `/16` to `/24`, not in `172.17.0.0/16`. Defaults to a `10.x.0.0/16` that follows from the environment's id, and is left out with `vpc`. Choose one where the network is to be peered, or reached over a VPN or a transit gateway, with networks that must not overlap. A change replaces the environment, and is refused while it holds databases or slots.",
		},
		"zones": schema.Int64Attribute{
			Optional: true, Computed: true,
			MarkdownDescription: "How many availability zones the network spans, 2 or 3; defaults to 3 for `production` and 2 for `sandbox`, and is left out with `vpc`. Those in which Fargate runs are taken by their ids, the lowest first, and stay. A change replaces the environment, and is refused while it holds databases or slots.",
		},
	}
}

func environmentVPCAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":                  schema.StringAttribute{Required: true, MarkdownDescription: "Id of the VPC, which has DNS support and DNS host names on."},
		"database_subnet_ids": subnetsAttribute("Subnets for database servers, at least two in different zones.", true),
		"private_subnet_ids":  subnetsAttribute("Subnets for what runs, at least two in different zones, with a way to AWS's services and to the images. An `internal` load balancer is in one of each zone, that with the lowest id.", true),
		"public_subnet_ids":   subnetsAttribute("Subnets for the load balancer, at least two, each in another zone; not needed where it is `internal`.", false),
	}
}

func environmentAWSDatabaseAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"access": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "How account databases are made on the cluster: `data_api`, by the RDS Data API, from wherever AWS is reached; or `direct`, over a TLS connection from where Terraform runs, which has to reach the database subnets. A location without the Data API needs `direct`. With it the Data API is off, the provider needs `database_ca_bundle`, and a new environment needs a `vpc` that Terraform reaches. Defaults to `data_api`; it changes in place.",
		},
		"backup_retention_days": schema.Int64Attribute{
			Optional: true, Computed: true,
			MarkdownDescription: "How many days automated backups are kept, 1 to 35; defaults to 14 for `production` and 1 for `sandbox`.",
		},
		"cidr_blocks": schema.SetAttribute{
			ElementType: types.StringType, Optional: true, Computed: true,
			Validators:          []validator.Set{noNulls{}, someBlocks{"leave cidr_blocks out to let in the whole VPC"}},
			MarkdownDescription: "IPv4 blocks that may connect to the cluster beside stacks where `access` is `direct`: those that Terraform runs in, at least one. Defaults to the whole VPC, and changes in place.",
		},
		"engine_version": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "Oldest version of Aurora PostgreSQL that will do, such as `17.7`, the default; an environment that stands keeps the one that it was made with when the default changes. Minor versions move on by themselves; another major version is refused while the environment stands.",
		},
		"instances": schema.Int64Attribute{
			Optional: true, Computed: true,
			MarkdownDescription: "How many instances the cluster has, 1 to 16: one that writes, and its readers, of which one takes over where it fails. Each new one is in the zone of the database subnets that has the fewest of them. Defaults to 2 for `production` and 1 for `sandbox`.",
		},
		"max_capacity_units": schema.Float64Attribute{
			Optional: true, Computed: true,
			MarkdownDescription: "Most capacity of an instance in Aurora capacity units, 1 to 256 in steps of 0.5; defaults to 16 for `production` and 4 for `sandbox`.",
		},
		"min_capacity_units": schema.Float64Attribute{
			Optional: true, Computed: true,
			MarkdownDescription: "Least capacity of an instance in Aurora capacity units, 0 to 256 in steps of 0.5, at least 0.5 for `production`; 0 lets an idle cluster pause. Defaults to 0.5 for `production` and 0 for `sandbox`.",
		},
	}
}

// environmentResourcesAttributes are what modules need to attach infrastructure of their own.
func environmentResourcesAttributes() map[string]schema.Attribute {
	texts := func(says string) schema.Attribute {
		return schema.ListAttribute{ElementType: types.StringType, Computed: true, MarkdownDescription: says}
	}
	return map[string]schema.Attribute{
		"account_secrets_prefix":          computedString("What the names of the accounts' secrets in Secrets Manager begin with."),
		"certificate_arn":                 computedString("ARN of the certificate that the entrances show."),
		"cluster_arn":                     computedString("ARN of the ECS cluster that stacks run in."),
		"database_cluster_arn":            computedString("ARN of the cluster of Aurora PostgreSQL."),
		"database_security_group_id":      computedString("Id of the security group of database servers."),
		"database_route_table_ids":        texts("Id of the route table of the subnets for database servers; none with `vpc`."),
		"database_subnet_ids":             texts("Ids of the subnets for database servers."),
		"execution_role_arn":              computedString("ARN of the role with which ECS starts what runs. Policies that are added to it are taken away."),
		"hosted_zone_id":                  computedString("Id of the hosted zone of Route 53 that the domain name lies in."),
		"https_listener_arn":              computedString("ARN of the load balancer's listener for production; rules and certificates that are added to it are left alone."),
		"kms_key_arn":                     computedString("ARN of the region's key: database clusters, secrets and log groups are encrypted with it."),
		"load_balancer_arn":               computedString("ARN of the load balancer."),
		"load_balancer_dns_name":          computedString("DNS name of the load balancer."),
		"load_balancer_security_group_id": computedString("Id of the load balancer's security group."),
		"load_balancer_zone_id":           computedString("Hosted zone of the load balancer's DNS name, for alias records."),
		"log_group_name":                  computedString("Name of the log group in CloudWatch."),
		"nat_addresses":                   texts("Public addresses that stacks reach the outside from."),
		"preview_listener_arn":            computedString("ARN of the load balancer's listener for previews."),
		"private_route_table_ids":         texts("Ids of the route tables of the subnets for what runs, one in each zone; none with `vpc`."),
		"private_subnet_ids":              texts("Ids of the subnets for what runs."),
		"public_route_table_ids":          texts("Id of the route table of the subnets for load balancers; none with `vpc`."),
		"public_subnet_ids":               texts("Ids of the subnets for load balancers."),
		"stack_security_group_id":         computedString("Id of the security group of what runs."),
		"task_role_arn":                   computedString("ARN of the role that what runs has. Policies that are added to it are taken away: name it in those of what it is to use, or in the trust policy of a role that it is to take."),
		"vpc_cidr_block":                  computedString("IPv4 block of the VPC; of one that is given, its first."),
		"vpc_id":                          computedString("Id of the VPC that the environment is in."),
	}
}

func environmentAWSType() types.ObjectType       { return nestedType(environmentAWSAttributes()) }
func environmentResourcesType() types.ObjectType { return nestedType(environmentResourcesAttributes()) }

// givenText is a string that has no default.
func givenText(description string) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, Validators: []validator.String{notEmpty{}}, MarkdownDescription: description}
}

func subnetsAttribute(description string, required bool) schema.SetAttribute {
	return schema.SetAttribute{ElementType: types.StringType, Required: required, Optional: !required, Validators: []validator.Set{noNulls{}}, MarkdownDescription: description}
}
