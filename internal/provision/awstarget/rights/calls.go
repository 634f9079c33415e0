package rights

import "slices"

// grant is one action that a call needs, and what it is limited to.
type grant struct {
	action string // "" is the action of the call's own name
	scope  *scope
	// planned says that a plan may do it too, though it is not told by the call's name.
	planned bool
}

// on allows the action of the call's own name.
func on(s *scope) []grant { return as(s, "") }

// as allows actions by their names.
func as(s *scope, actions ...string) []grant {
	var all []grant
	for _, a := range actions {
		all = append(all, grant{action: a, scope: s})
	}
	return all
}

// planned lets a plan do it too.
func planned(grants []grant) []grant {
	for i := range grants {
		grants[i].planned = true
	}
	return grants
}

func all(grants ...[]grant) []grant { return slices.Concat(grants...) }

// calls are the operations of AWS that the aws target calls, by the SDK's package and name, with
// the rights that each needs. An operation that only reads is in the policy for plans.
var calls = map[string][]grant{
	"acm.AddTagsToCertificate":      on(ownCertificates),
	"acm.DeleteCertificate":         on(ownCertificates),
	"acm.DescribeCertificate":       on(certificates),
	"acm.ListCertificates":          on(everything),
	"acm.ListTagsForCertificate":    on(certificates),
	"acm.RemoveTagsFromCertificate": on(ownCertificates),
	"acm.RequestCertificate":        all(on(newCertificates), as(newCertificates, "acm:AddTagsToCertificate")),

	// Scaling is allowed by what the caller may do with what is scaled ("Permissions validation
	// for Application Auto Scaling API calls on target resources").
	"applicationautoscaling.DeleteScalingPolicy":      all(on(scaling), scaled),
	"applicationautoscaling.DeleteScheduledAction":    on(scaling),
	"applicationautoscaling.DeregisterScalableTarget": all(on(scaling), scaled),
	"applicationautoscaling.DescribeScalableTargets":  on(everything),
	"applicationautoscaling.DescribeScalingPolicies":  on(everything),
	"applicationautoscaling.DescribeScheduledActions": on(everything),
	"applicationautoscaling.ListTagsForResource":      on(scaling),
	"applicationautoscaling.PutScalingPolicy":         all(on(scaling), scaled),
	"applicationautoscaling.PutScheduledAction":       on(scaling),
	"applicationautoscaling.RegisterScalableTarget":   all(on(scaling), as(scaling, "application-autoscaling:TagResource"), scaled, linkedRoles),
	"applicationautoscaling.TagResource":              on(scaling),
	"applicationautoscaling.UntagResource":            on(scaling),

	"cloudwatch.DeleteDashboards": on(dashboards),
	"cloudwatch.GetDashboard":     on(dashboards),
	"cloudwatch.GetMetricData":    on(everything),
	"cloudwatch.PutDashboard":     on(dashboards),

	"cloudwatchlogs.AssociateKmsKey":     on(logGroups),
	"cloudwatchlogs.CreateLogGroup":      all(on(logGroups), as(logGroups, "logs:TagResource")),
	"cloudwatchlogs.DeleteLogGroup":      on(logGroups),
	"cloudwatchlogs.DescribeLogGroups":   on(everything),
	"cloudwatchlogs.GetLogEvents":        on(stackLogs),
	"cloudwatchlogs.ListTagsForResource": on(logGroups),
	"cloudwatchlogs.PutRetentionPolicy":  on(logGroups),
	"cloudwatchlogs.TagResource":         on(logGroups),
	"cloudwatchlogs.UntagResource":       on(logGroups),

	"dynamodb.BatchGetItem":              on(tables),
	"dynamodb.BatchWriteItem":            on(tables),
	"dynamodb.CreateTable":               all(on(tables), as(tables, "dynamodb:TagResource")),
	"dynamodb.DeleteItem":                on(tables),
	"dynamodb.DeleteTable":               on(tables),
	"dynamodb.DescribeContinuousBackups": on(tables),
	"dynamodb.DescribeTable":             on(tables),
	"dynamodb.ListTagsOfResource":        on(tables),
	"dynamodb.PutItem":                   on(tables),
	"dynamodb.Query":                     on(tables),
	"dynamodb.TagResource":               on(tables),
	"dynamodb.TransactWriteItems":        as(tables, "dynamodb:ConditionCheckItem", "dynamodb:UpdateItem"),
	"dynamodb.UntagResource":             on(tables),
	"dynamodb.UpdateContinuousBackups":   on(tables),
	"dynamodb.UpdateItem":                on(tables),
	"dynamodb.UpdateTable":               on(tables),

	"ec2.AllocateAddress":               newInNetwork(),
	"ec2.AssociateRouteTable":           on(ownNetwork),
	"ec2.AttachInternetGateway":         on(ownNetwork),
	"ec2.AuthorizeSecurityGroupEgress":  on(ownNetwork),
	"ec2.AuthorizeSecurityGroupIngress": on(ownNetwork),
	"ec2.CreateInternetGateway":         newInNetwork(),
	"ec2.CreateNatGateway":              newInNetwork(ownNetwork), // the subnet and the address
	"ec2.CreateRoute":                   on(ownNetwork),
	"ec2.CreateRouteTable":              newInNetwork(ownNetwork), // the VPC
	"ec2.CreateSecurityGroup":           newInNetwork(ownNetwork),
	"ec2.CreateSubnet":                  newInNetwork(ownNetwork),
	// Tags of a changed definition; those of what is new come with it.
	"ec2.CreateTags": on(ownNetwork),
	"ec2.CreateVpc":  newInNetwork(),
	// Names of the service in the VPC are those of a zone that is associated with it (Actions,
	// resources, and condition keys for Amazon EC2).
	"ec2.CreateVpcEndpoint":            all(newInNetwork(ownNetwork), as(zonesOfAWS, "route53:AssociateVPCWithHostedZone")),
	"ec2.DeleteInternetGateway":        on(ownNetwork),
	"ec2.DeleteNatGateway":             on(ownNetwork),
	"ec2.DeleteRoute":                  on(ownNetwork),
	"ec2.DeleteRouteTable":             on(ownNetwork),
	"ec2.DeleteSecurityGroup":          on(ownNetwork),
	"ec2.DeleteSubnet":                 on(ownNetwork),
	"ec2.DeleteTags":                   on(ownNetwork),
	"ec2.DeleteVpc":                    on(ownNetwork),
	"ec2.DeleteVpcEndpoints":           on(ownNetwork),
	"ec2.DescribeAddresses":            on(everything),
	"ec2.DescribeAvailabilityZones":    on(everything),
	"ec2.DescribeInternetGateways":     on(everything),
	"ec2.DescribeNatGateways":          on(everything),
	"ec2.DescribeNetworkInterfaces":    on(everything),
	"ec2.DescribeRegions":              on(everything),
	"ec2.DescribeRouteTables":          on(everything),
	"ec2.DescribeSecurityGroupRules":   on(everything),
	"ec2.DescribeSecurityGroups":       on(everything),
	"ec2.DescribeSubnets":              on(everything),
	"ec2.DescribeVpcAttribute":         on(everything),
	"ec2.DescribeVpcEndpoints":         on(everything),
	"ec2.DescribeVpcs":                 on(everything),
	"ec2.DetachInternetGateway":        on(ownNetwork),
	"ec2.DisassociateRouteTable":       on(ownNetwork),
	"ec2.ModifySubnetAttribute":        on(ownNetwork),
	"ec2.ModifyVpcAttribute":           on(ownNetwork),
	"ec2.ModifyVpcEndpoint":            on(ownNetwork),
	"ec2.ReleaseAddress":               on(ownNetwork),
	"ec2.ReplaceRoute":                 on(ownNetwork),
	"ec2.ReplaceRouteTableAssociation": on(ownNetwork),
	"ec2.RevokeSecurityGroupEgress":    on(ownNetwork),
	"ec2.RevokeSecurityGroupIngress":   on(ownNetwork),

	"ecs.CreateCluster": all(on(containers), taggedContainers, linkedRoles),
	// Which target groups a service has is looked up with the rights of the caller.
	"ecs.CreateService":            all(on(containers), taggedContainers, as(everything, "elasticloadbalancing:DescribeTargetGroups")),
	"ecs.DeleteCluster":            on(containers),
	"ecs.DeleteService":            on(containers),
	"ecs.DeleteTaskDefinitions":    on(containers),
	"ecs.DeregisterTaskDefinition": on(everything), // can't be limited
	"ecs.DescribeClusters":         on(containers),
	"ecs.DescribeServices":         on(containers),
	"ecs.DescribeTasks":            on(containers),
	"ecs.ListServices":             on(everything),
	"ecs.ListTagsForResource":      on(containers),
	"ecs.ListTaskDefinitions":      on(everything),
	"ecs.ListTasks":                on(everything),
	"ecs.RegisterTaskDefinition":   all(on(containers), taggedContainers, passedRoles),
	"ecs.RunTask":                  all(on(containers), taggedContainers, passedRoles),
	"ecs.StopTask":                 on(containers),
	"ecs.UpdateCluster":            on(containers),
	"ecs.UpdateService":            on(containers),
	"ecs.TagResource":              on(containers),
	"ecs.UntagResource":            on(containers),

	"elasticloadbalancingv2.CreateListener": all(on(ownBalancers), taggedBalancers),
	// What the load balancer is made of is looked up with the rights of the caller (Elastic Load Balancing API
	// permissions), and the security groups of its VPC are as well, by the policy ElasticLoadBalancingFullAccess.
	"elasticloadbalancingv2.CreateLoadBalancer": all(on(newBalancers), taggedBalancers, linkedRoles, as(everything,
		"ec2:DescribeAccountAttributes", "ec2:DescribeAddresses", "ec2:DescribeInternetGateways", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
		"ec2:GetSecurityGroupsForVpc")),
	"elasticloadbalancingv2.CreateRule":                     all(on(ownBalancers), taggedBalancers),
	"elasticloadbalancingv2.CreateTargetGroup":              all(on(newBalancers), taggedBalancers),
	"elasticloadbalancingv2.DeleteListener":                 on(ownBalancers),
	"elasticloadbalancingv2.DeleteLoadBalancer":             on(ownBalancers),
	"elasticloadbalancingv2.DeleteRule":                     on(ownBalancers),
	"elasticloadbalancingv2.DeleteTargetGroup":              on(ownBalancers),
	"elasticloadbalancingv2.DescribeAccountLimits":          on(everything),
	"elasticloadbalancingv2.AddTags":                        on(ownBalancers),
	"elasticloadbalancingv2.DescribeListeners":              on(everything),
	"elasticloadbalancingv2.DescribeLoadBalancerAttributes": on(everything),
	"elasticloadbalancingv2.DescribeLoadBalancers":          on(everything),
	"elasticloadbalancingv2.DescribeRules":                  on(everything),
	"elasticloadbalancingv2.DescribeTags":                   on(everything),
	"elasticloadbalancingv2.DescribeTargetGroupAttributes":  on(everything),
	"elasticloadbalancingv2.DescribeTargetGroups":           on(everything),
	"elasticloadbalancingv2.DescribeTargetHealth":           on(everything),
	"elasticloadbalancingv2.ModifyListener":                 on(ownBalancers),
	"elasticloadbalancingv2.ModifyLoadBalancerAttributes":   on(ownBalancers),
	"elasticloadbalancingv2.ModifyRule":                     on(ownBalancers),
	"elasticloadbalancingv2.ModifyTargetGroup":              on(ownBalancers),
	"elasticloadbalancingv2.ModifyTargetGroupAttributes":    on(ownBalancers),
	"elasticloadbalancingv2.SetRulePriorities":              on(ownBalancers),
	"elasticloadbalancingv2.SetSecurityGroups":              all(on(ownBalancers), as(everything, "ec2:GetSecurityGroupsForVpc")),
	"elasticloadbalancingv2.RemoveTags":                     on(ownBalancers),
	"elasticloadbalancingv2.SetSubnets":                     on(ownBalancers),

	"iam.CreateRole":               all(on(roles), as(roles, "iam:TagRole")),
	"iam.DeleteRole":               on(roles),
	"iam.DeleteRolePolicy":         on(roles),
	"iam.DetachRolePolicy":         on(roles),
	"iam.GetRole":                  on(roles),
	"iam.GetRolePolicy":            on(roles),
	"iam.ListAttachedRolePolicies": on(roles),
	"iam.ListRolePolicies":         on(roles),
	"iam.PutRolePolicy":            on(roles),
	"iam.TagRole":                  on(roles),
	"iam.UntagRole":                on(roles),
	"iam.UpdateAssumeRolePolicy":   on(roles),

	"kms.CancelKeyDeletion":    on(ownKeys),
	"kms.CreateAlias":          all(on(aliases), on(ownKeys)),
	"kms.CreateKey":            all(on(newKeys), as(newKeys, "kms:TagResource")),
	"kms.DeleteAlias":          all(on(aliases), on(ownKeys)),
	"kms.DescribeKey":          on(keys),
	"kms.EnableKey":            on(ownKeys),
	"kms.EnableKeyRotation":    on(ownKeys),
	"kms.GetKeyPolicy":         on(keys),
	"kms.GetKeyRotationStatus": on(keys),
	"kms.ListKeys":             on(everything),
	"kms.ListResourceTags":     on(keys),
	"kms.PutKeyPolicy":         on(ownKeys),
	"kms.ScheduleKeyDeletion":  on(ownKeys),
	"kms.TagResource":          on(ownKeys),
	"kms.UntagResource":        on(ownKeys),

	"rds.CreateDBCluster":                  all(on(databases), on(defaultGroups), taggedDatabases, managedSecret, linkedRoles),
	"rds.CreateDBClusterSnapshot":          all(on(databases), taggedDatabases),
	"rds.CreateDBClusterParameterGroup":    all(on(databases), taggedDatabases),
	"rds.CreateDBInstance":                 all(on(databases), on(defaultGroups), taggedDatabases, databaseKey),
	"rds.CreateDBSubnetGroup":              all(on(databases), taggedDatabases),
	"rds.AddTagsToResource":                on(databases),
	"rds.DeleteDBCluster":                  all(on(databases), as(databases, "rds:CreateDBClusterSnapshot"), taggedDatabases),
	"rds.DeleteDBClusterParameterGroup":    on(databases),
	"rds.DeleteDBInstance":                 on(databases),
	"rds.DeleteDBSubnetGroup":              on(databases),
	"rds.DescribeDBClusterParameterGroups": on(databases),
	"rds.DescribeDBClusterParameters":      on(databases),
	"rds.DescribeDBClusterSnapshots":       on(listedDatabases),
	"rds.DescribeDBClusters":               on(listedDatabases),
	"rds.DescribeDBEngineVersions":         on(everything),
	"rds.DescribeDBInstances":              on(everything),
	"rds.DescribeDBSubnetGroups":           on(databases),
	"rds.DisableHttpEndpoint":              on(databases),
	"rds.EnableHttpEndpoint":               on(databases),
	"rds.ListTagsForResource":              on(databases),
	"rds.ModifyDBCluster":                  all(on(databases), on(defaultGroups), as(databases, "rds:ModifyDBInstance"), managedSecret),
	"rds.ModifyDBClusterParameterGroup":    on(databases),
	"rds.ModifyDBInstance":                 on(databases),
	"rds.ModifyDBSubnetGroup":              on(databases),
	"rds.RemoveTagsFromResource":           on(databases),

	// A statement comes with a secret, which is read with the rights of the caller: a plan has
	// that of a login which can read the catalogue only, an apply the administrator's.
	"rdsdata.BeginTransaction":    all(on(databases), as(managedSecrets, "secretsmanager:GetSecretValue"), openSecret),
	"rdsdata.CommitTransaction":   on(databases),
	"rdsdata.ExecuteStatement":    all(planned(all(on(databases), as(readerSecrets, "secretsmanager:GetSecretValue"), openSecret)), as(managedSecrets, "secretsmanager:GetSecretValue")),
	"rdsdata.RollbackTransaction": on(databases),

	"route53.ChangeResourceRecordSets": on(zoneRecords),
	"route53.GetChange":                on(zoneChanges),
	"route53.GetHostedZone":            on(zones),
	"route53.ListHostedZonesByName":    on(everything),
	"route53.ListResourceRecordSets":   on(zones),

	// Many operations of S3 go by actions of other names.
	"s3.CreateBucket":                    all(on(buckets), as(buckets, "s3:TagResource")),
	"s3.DeleteBucket":                    on(buckets),
	"s3.DeleteObjects":                   as(objects, "s3:DeleteObject"),
	"s3.GetBucketEncryption":             as(buckets, "s3:GetEncryptionConfiguration"),
	"s3.GetBucketLifecycleConfiguration": as(buckets, "s3:GetLifecycleConfiguration"),
	"s3.GetBucketOwnershipControls":      on(buckets),
	"s3.GetBucketPolicy":                 on(buckets),
	"s3.GetBucketTagging":                on(buckets),
	"s3.GetPublicAccessBlock":            as(buckets, "s3:GetBucketPublicAccessBlock"),
	"s3.HeadBucket":                      as(buckets, "s3:ListBucket"),
	"s3.ListObjectsV2":                   as(buckets, "s3:ListBucket"),
	"s3.PutBucketEncryption":             as(buckets, "s3:PutEncryptionConfiguration"),
	"s3.PutBucketLifecycleConfiguration": as(buckets, "s3:PutLifecycleConfiguration"),
	"s3.PutBucketOwnershipControls":      on(buckets),
	"s3.PutBucketPolicy":                 on(buckets),
	"s3.PutBucketTagging":                on(buckets),
	"s3.PutPublicAccessBlock":            as(buckets, "s3:PutBucketPublicAccessBlock"),

	"secretsmanager.CreateSecret":   all(on(secrets), as(secrets, "secretsmanager:TagResource"), sealSecret),
	"secretsmanager.DeleteSecret":   on(secrets),
	"secretsmanager.DescribeSecret": on(secrets),
	// Over a direct connection a login's secret is read as for a statement of the Data API.
	"secretsmanager.GetSecretValue":           all(on(secrets), openSecret, planned(all(on(readerSecrets), openSecret)), on(managedSecrets)),
	"secretsmanager.ListSecrets":              on(everything),
	"secretsmanager.PutSecretValue":           all(on(secrets), sealSecret),
	"secretsmanager.RestoreSecret":            on(secrets),
	"secretsmanager.TagResource":              on(secrets),
	"secretsmanager.UntagResource":            on(secrets),
	"secretsmanager.UpdateSecret":             all(on(secrets), sealSecret),
	"secretsmanager.UpdateSecretVersionStage": on(secrets),
}

// What is tagged as it is made needs the right to tag it, in that call only.
var (
	taggedBalancers  = as(tagsOfNewBalancers, "elasticloadbalancing:AddTags")
	taggedContainers = as(tagsOfNewContainers, "ecs:TagResource")
	taggedDatabases  = as(databases, "rds:AddTagsToResource")
)

// newInNetwork is for what EC2 makes, out of what is limited by the other scopes.
func newInNetwork(outOf ...*scope) []grant {
	grants := all(on(newNetwork), as(tagsOfNewNetwork, "ec2:CreateTags"))
	for _, s := range outOf {
		grants = append(grants, on(s)...)
	}
	return grants
}

// linkedRoles are made by AWS when a service is first used in an AWS account.
var linkedRoles = as(serviceLinkedRoles, "iam:CreateServiceLinkedRole")

// scaled is what Application Auto Scaling does in the name of the caller, passedRoles lets ECS give
// a task its roles.
var (
	scaled = all(as(containers, "ecs:DescribeServices", "ecs:UpdateService"),
		as(alarms, "cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"), as(everything, "cloudwatch:DescribeAlarms"))
	passedRoles = as(rolesOfTasks, "iam:PassRole")
)

// Secrets Manager uses the region's key in the name of the caller.
var (
	openSecret = as(keysOfSecrets, "kms:Decrypt")
	sealSecret = as(keysOfSecrets, "kms:Decrypt", "kms:GenerateDataKey")
)

// databaseKey lets RDS use the region's key in the name of the caller, and managedSecret keep
// the administrator's password, encrypted with it.
var (
	databaseKey   = all(as(ownKeys, "kms:Decrypt", "kms:GenerateDataKey"), as(keys, "kms:DescribeKey"), as(grantsOfOwnKeys, "kms:CreateGrant"))
	managedSecret = all(databaseKey, as(managedSecrets, "secretsmanager:CreateSecret", "secretsmanager:RotateSecret", "secretsmanager:TagResource"))
)
