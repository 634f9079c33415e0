package rights

// scope is what rights are limited to.
type scope struct {
	sid       string
	resources []string
	condition condition
}

// condition is by operator and key.
type condition map[string]map[string][]string

// tag is what everything of Slipway bears.
const (
	tag   = "managed-by"
	value = "slipway"
)

// Conditions.
var (
	isOurs = condition{"StringEquals": {"aws:ResourceTag/" + tag: {value}}}
	willBe = condition{"StringEquals": {"aws:RequestTag/" + tag: {value}}}
)

// atCreate holds while something is made, and not when a tag is put on what is there.
func atCreate(key string) condition {
	return condition{"Null": {key: {"false"}}, "StringEquals": willBe["StringEquals"]}
}

// Scopes. What has a name of ours is limited by it, other things by the tag "managed-by"; what
// can't be limited, listing and describing, is on everything.
var (
	everything = &scope{sid: "Everything", resources: []string{"*"}}

	certificates    = &scope{sid: "Certificates", resources: arns("acm", "certificate/*")}
	ownCertificates = &scope{sid: "OwnCertificates", resources: arns("acm", "certificate/*"), condition: isOurs}
	newCertificates = &scope{sid: "NewCertificates", resources: []string{"*"}, condition: willBe}

	newNetwork       = &scope{sid: "NewNetwork", resources: arns("ec2", "elastic-ip/*", "internet-gateway/*", "natgateway/*", "route-table/*", "security-group/*", "subnet/*", "vpc/*", "vpc-endpoint/*"), condition: willBe}
	ownNetwork       = &scope{sid: "OwnNetwork", resources: arns("ec2", "*/*"), condition: isOurs}
	tagsOfNewNetwork = &scope{sid: "TagsOfNewNetwork", resources: arns("ec2", "*/*"), condition: atCreate("ec2:CreateAction")}

	newBalancers       = &scope{sid: "NewBalancers", resources: arns("elasticloadbalancing", "loadbalancer/app/*", "targetgroup/*"), condition: willBe}
	ownBalancers       = &scope{sid: "OwnBalancers", resources: arns("elasticloadbalancing", "*"), condition: isOurs}
	tagsOfNewBalancers = &scope{sid: "TagsOfNewBalancers", resources: arns("elasticloadbalancing", "*"), condition: atCreate("elasticloadbalancing:CreateAction")}

	// Put the ids of your zones in place of the asterisk.
	zones = &scope{sid: "Zones", resources: []string{"arn:aws:route53:::hostedzone/*"}}
	// The names of services in a VPC are in zones of AWS's own, whose ids nobody knows: "?*", which is as
	// much as "*", stays where that is put.
	zonesOfAWS  = &scope{sid: "ZonesOfAWS", resources: []string{"arn:aws:route53:::hostedzone/?*"}}
	zoneChanges = &scope{sid: "ZoneChanges", resources: []string{"arn:aws:route53:::change/*"}}
	zoneRecords = &scope{
		sid: "ZoneRecords", resources: []string{"arn:aws:route53:::hostedzone/*"},
		condition: condition{"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": {"A", "AAAA", "CNAME"}}},
	}

	containers          = &scope{sid: "Containers", resources: arns("ecs", "cluster/slipway-*", "service/slipway-*/*", "task/slipway-*/*", "task-definition/slipway-*:*")}
	tagsOfNewContainers = &scope{sid: "TagsOfNewContainers", resources: arns("ecs", "*"), condition: atCreate("ecs:CreateAction")}

	// The alarms of scaling policies have names that Application Auto Scaling gives them.
	alarms  = &scope{sid: "Alarms", resources: arns("cloudwatch", "alarm:TargetTracking-service/slipway-*")}
	scaling = &scope{sid: "Scaling", resources: arns("application-autoscaling", "scalable-target/*")}

	// Dashboards belong to no AWS region.
	dashboards = &scope{sid: "Dashboards", resources: []string{"arn:aws:cloudwatch::*:dashboard/slipway-*"}}

	// Those of clusters have names that AWS gives them, with the cluster's in it.
	logGroups = &scope{sid: "LogGroups", resources: arns("logs", "log-group:/slipway/*", "log-group:/aws/rds/cluster/slipway-*", "log-group:/aws/ecs/containerinsights/slipway-*")}
	stackLogs = &scope{sid: "StackLogs", resources: arns("logs", "log-group:/slipway/*")}

	rolesOfTasks = &scope{
		sid: "RolesOfTasks", resources: []string{"arn:aws:iam::*:role/slipway/*"},
		condition: condition{"StringEquals": {"iam:PassedToService": {"ecs-tasks.amazonaws.com"}}},
	}
	roles              = &scope{sid: "Roles", resources: []string{"arn:aws:iam::*:role/slipway/*"}}
	serviceLinkedRoles = &scope{
		sid: "ServiceLinkedRoles", resources: []string{"arn:aws:iam::*:role/aws-service-role/*"},
		condition: condition{"StringEquals": {"iam:AWSServiceName": {"ecs.amazonaws.com", "ecs.application-autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com", "rds.amazonaws.com"}}},
	}

	tables  = &scope{sid: "Tables", resources: arns("dynamodb", "table/slipway-*")}
	buckets = &scope{sid: "Buckets", resources: []string{"arn:aws:s3:::slipway-logs-*"}}
	objects = &scope{sid: "Objects", resources: []string{"arn:aws:s3:::slipway-logs-*/*"}}

	keys            = &scope{sid: "Keys", resources: arns("kms", "key/*")}
	newKeys         = &scope{sid: "NewKeys", resources: []string{"*"}, condition: willBe}
	ownKeys         = &scope{sid: "OwnKeys", resources: arns("kms", "key/*"), condition: isOurs}
	grantsOfOwnKeys = &scope{
		sid: "GrantsOfOwnKeys", resources: arns("kms", "key/*"),
		condition: condition{"Bool": {"kms:GrantIsForAWSResource": {"true"}}, "StringEquals": isOurs["StringEquals"]},
	}
	aliases = &scope{sid: "Aliases", resources: arns("kms", "alias/slipway-*")}

	databases = &scope{sid: "Databases", resources: arns("rds", "cluster:slipway-*", "cluster-pg:slipway-*", "cluster-snapshot:slipway-*", "db:slipway-*", "subgrp:slipway-*")}
	// A list is on all, whatever filter it has.
	listedDatabases = &scope{sid: "ListedDatabases", resources: arns("rds", "cluster:*", "cluster-snapshot:*")}
	defaultGroups   = &scope{sid: "DefaultGroups", resources: arns("rds", "og:default*", "pg:default*")}
	managedSecrets  = &scope{sid: "ManagedSecrets", resources: arns("secretsmanager", "secret:rds!cluster-*")}

	secrets       = &scope{sid: "Secrets", resources: arns("secretsmanager", "secret:slipway/*", "secret:slipway-reader/*")}
	readerSecrets = &scope{sid: "ReaderSecrets", resources: arns("secretsmanager", "secret:slipway-reader/*")}
	keysOfSecrets = &scope{
		sid: "KeysOfSecrets", resources: arns("kms", "key/*"),
		condition: condition{"StringEquals": isOurs["StringEquals"], "StringLike": {"kms:ViaService": {"secretsmanager.*.amazonaws.com"}}},
	}
)

// arns names resources in every AWS region of whichever AWS account the policy is in.
func arns(service string, resources ...string) []string {
	var all []string
	for _, r := range resources {
		all = append(all, "arn:aws:"+service+":*:*:"+r)
	}
	return all
}
