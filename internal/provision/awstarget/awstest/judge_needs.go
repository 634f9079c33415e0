package awstest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// needs are what IAM must allow for a request.
func (j *Judge) needs(c judged) ([]Need, error) {
	by := map[string]func(judged) []Need{
		"ACM": j.acm, "Application Auto Scaling": j.scaling, "CloudWatch": j.metrics, "CloudWatch Logs": j.logs, "DynamoDB": j.tables,
		"EC2": j.network, "ECS": j.containers, "Elastic Load Balancing v2": j.balancers, "IAM": j.roles, "KMS": j.kms, "RDS": j.databases,
		"RDS Data": j.statements, "Route 53": j.names, "S3": j.buckets, "Secrets Manager": j.secrets,
		"STS": func(judged) []Need { return nil }, // who calls needs no right
	}[c.service]
	if by == nil {
		return nil, fmt.Errorf("the judge does not know %s", c.service)
	}
	needs := by(c)
	if len(needs) == 0 && c.service != "STS" {
		return nil, fmt.Errorf("the judge does not know what %s %s needs", c.service, c.operation)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.asked = append(j.asked, needs...)
	return needs, nil
}

// on is a need about something that is there, with its tags.
func (j *Judge) on(action, resource string) Need {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := Need{Action: action, Resource: resource, Context: map[string][]string{}}
	tags := j.tags[resource]
	if tags == nil && strings.HasPrefix(resource, "arn:aws:ec2:") {
		tags = j.tags[resource[strings.LastIndex(resource, "/")+1:]]
	}
	for k, v := range tags {
		n.Context["aws:ResourceTag/"+k] = []string{v}
	}
	return n
}

// making is a need about something that the request makes, with the tags that it is given.
func (c judged) making(action, resource string, more ...string) Need {
	n := Need{Action: action, Resource: resource, Context: map[string][]string{}}
	for k, v := range tagsIn(c.in) {
		n.Context["aws:RequestTag/"+k] = []string{v}
	}
	for i := 0; i+1 < len(more); i += 2 {
		n.Context[more[i]] = append(n.Context[more[i]], more[i+1])
	}
	return n
}

func plainNeed(action, resource string, more ...string) Need {
	return judged{}.making(action, resource, more...)
}

func (j *Judge) each(action string, resources ...string) []Need {
	var all []Need
	for _, r := range resources {
		if r != "" {
			all = append(all, j.on(action, r))
		}
	}
	return all
}

// linked is the right to have a service's role made.
func (c judged) linked(service string) Need {
	return plainNeed("iam:CreateServiceLinkedRole", "arn:aws:iam::"+c.account+":role/aws-service-role/"+service+"/role", "iam:AWSServiceName", service)
}

func (j *Judge) acm(c judged) []Need {
	action := "acm:" + c.operation
	switch c.operation {
	case "RequestCertificate":
		made := c.arn("acm", "certificate/", "new")
		return []Need{c.making(action, made), c.making("acm:AddTagsToCertificate", made)}
	case "ListCertificates":
		return []Need{plainNeed(action, "*")}
	}
	return j.each(action, c.text("CertificateArn"))
}

func (j *Judge) network(c judged) []Need {
	action := "ec2:" + c.operation
	if c.lists() {
		return []Need{plainNeed(action, "*")}
	}
	var all []Need
	for _, id := range ids(c.in) {
		kind, _, _ := strings.Cut(id, "-")
		all = append(all, j.on(action, c.arn("ec2", ec2Kinds[kind]+"/", id)))
	}
	if prefix, made := ec2Made[c.operation]; made {
		resource := c.arn("ec2", ec2Kinds[prefix]+"/", "new")
		all = append(all, c.making(action, resource), c.making("ec2:CreateTags", resource, "ec2:CreateAction", c.operation))
	}
	if c.operation == "DisassociateRouteTable" { // of a table that the association does not tell
		all = append(all, plainNeed(action, c.arn("ec2", "route-table/", "its"), "aws:ResourceTag/managed-by", "slipway"))
	}
	if on, _ := c.in["PrivateDnsEnabled"].(bool); on {
		all = append(all, plainNeed("route53:AssociateVPCWithHostedZone", "arn:aws:route53:::hostedzone/ofAWS"))
	}
	return all
}

func (j *Judge) balancers(c judged) []Need {
	action := "elasticloadbalancing:" + c.operation
	tagging := func(resource string) Need {
		return c.making("elasticloadbalancing:AddTags", c.arn("elasticloadbalancing", resource, "new"), "elasticloadbalancing:CreateAction", c.operation)
	}
	switch c.operation {
	case "CreateLoadBalancer":
		return []Need{c.making(action, c.arn("elasticloadbalancing", "loadbalancer/app/"+c.text("Name")+"/", "new")), tagging("loadbalancer/app/x/"), c.linked("elasticloadbalancing.amazonaws.com"), plainNeed("ec2:GetSecurityGroupsForVpc", "*")}
	case "SetSecurityGroups":
		return append(j.each(action, c.text("LoadBalancerArn")), plainNeed("ec2:GetSecurityGroupsForVpc", "*"))
	case "CreateTargetGroup":
		return []Need{c.making(action, c.arn("elasticloadbalancing", "targetgroup/"+c.text("Name")+"/", "new")), tagging("targetgroup/x/")}
	case "CreateListener":
		return append(j.each(action, c.text("LoadBalancerArn")), tagging("listener/app/x/y/"))
	case "CreateRule":
		return append(j.each(action, c.text("ListenerArn")), tagging("listener-rule/app/x/y/z/"))
	case "SetRulePriorities":
		var all []Need
		pairs, _ := c.in["RulePriorities"].([]any)
		for _, pair := range pairs {
			if pair, ok := pair.(map[string]any); ok {
				all = append(all, j.each(action, fmt.Sprint(pair["RuleArn"]))...)
			}
		}
		return all
	}
	if c.lists() {
		return []Need{plainNeed(action, "*")}
	}
	return append(j.each(action, c.text("LoadBalancerArn"), c.text("ListenerArn"), c.text("RuleArn"), c.text("TargetGroupArn")), j.each(action, c.texts("ResourceArns")...)...)
}

func (j *Judge) containers(c judged) []Need {
	action, cluster := "ecs:"+c.operation, c.text("Cluster")
	cluster = cluster[strings.LastIndex(cluster, "/")+1:]
	named := func(kind string, names ...string) []Need {
		var all []Need
		for _, n := range names {
			all = append(all, j.on(action, c.arn("ecs", kind, n)))
		}
		return all
	}
	tagging := func(kind, name string) Need {
		return c.making("ecs:TagResource", c.arn("ecs", kind, name), "ecs:CreateAction", c.operation)
	}
	switch c.operation {
	case "CreateCluster":
		return append(named("cluster/", c.text("ClusterName")), tagging("cluster/", c.text("ClusterName")), c.linked("ecs.amazonaws.com"))
	case "DescribeClusters":
		return named("cluster/", c.texts("Clusters")...)
	case "UpdateCluster", "DeleteCluster":
		return named("cluster/", cluster)
	case "CreateService":
		return append(named("service/"+cluster+"/", c.text("ServiceName")), tagging("service/"+cluster+"/", c.text("ServiceName")))
	case "UpdateService", "DeleteService":
		return named("service/"+cluster+"/", c.text("Service"))
	case "DescribeServices":
		return named("service/"+cluster+"/", c.texts("Services")...)
	case "RegisterTaskDefinition":
		return append(append(named("task-definition/", c.text("Family")+":1"), tagging("task-definition/", c.text("Family")+":1")), c.passed()...)
	case "RunTask":
		return append(named("task-definition/", c.text("TaskDefinition")), tagging("task/"+cluster+"/", "new"))
	case "StopTask":
		return named("task/"+cluster+"/", c.text("Task"))
	case "DescribeTasks":
		return named("task/"+cluster+"/", c.texts("Tasks")...)
	case "DeleteTaskDefinitions":
		return named("task-definition/", c.texts("TaskDefinitions")...)
	case "TagResource", "UntagResource", "ListTagsForResource":
		return named("", c.text("ResourceArn"))
	case "DeregisterTaskDefinition", "ListServices", "ListTasks", "ListTaskDefinitions":
		return []Need{plainNeed(action, "*")}
	}
	return nil
}

// passed are the roles that a task definition gives to tasks.
func (c judged) passed() []Need {
	var all []Need
	for _, role := range []string{c.text("TaskRoleArn"), c.text("ExecutionRoleArn")} {
		if role != "" {
			all = append(all, plainNeed("iam:PassRole", role, "iam:PassedToService", "ecs-tasks.amazonaws.com"))
		}
	}
	return all
}

func (j *Judge) scaling(c judged) []Need {
	action := "application-autoscaling:" + c.operation
	switch {
	case c.text("ResourceARN") != "":
		return []Need{plainNeed(action, c.text("ResourceARN"))}
	case c.lists():
		return []Need{plainNeed(action, "*")}
	}
	target := c.arn("application-autoscaling", "scalable-target/", "0123")
	all := []Need{plainNeed(action, target)}
	if c.operation == "PutScheduledAction" || c.operation == "DeleteScheduledAction" {
		return all
	}
	service := c.text("ResourceId")
	all = append(
		all, j.on("ecs:DescribeServices", c.arn("ecs", service, "")), j.on("ecs:UpdateService", c.arn("ecs", service, "")),
		plainNeed("cloudwatch:DescribeAlarms", c.arn("cloudwatch", "alarm:", "*")),
		plainNeed("cloudwatch:PutMetricAlarm", c.arn("cloudwatch", "alarm:", "TargetTracking-"+service+"-AlarmHigh-1")),
		plainNeed("cloudwatch:DeleteAlarms", c.arn("cloudwatch", "alarm:", "TargetTracking-"+service+"-AlarmHigh-1")),
	)
	if c.operation == "RegisterScalableTarget" {
		all = append(all, c.making("application-autoscaling:TagResource", target), c.linked("ecs.application-autoscaling.amazonaws.com"))
	}
	return all
}

func (j *Judge) metrics(c judged) []Need {
	action := "cloudwatch:" + c.operation
	dashboard := "arn:aws:cloudwatch::" + c.account + ":dashboard/"
	switch c.operation {
	case "GetMetricData":
		return []Need{plainNeed(action, "*")}
	case "DeleteDashboards":
		return j.each(action, dashboard+strings.Join(c.texts("DashboardNames"), ""))
	}
	return j.each(action, dashboard+c.text("DashboardName"))
}

func (j *Judge) logs(c judged) []Need {
	action, group := "logs:"+c.operation, c.arn("logs", "log-group:", c.text("LogGroupName"))
	switch c.operation {
	case "DescribeLogGroups":
		return []Need{plainNeed(action, c.arn("logs", "log-group:", ":log-stream:"))}
	case "CreateLogGroup":
		return []Need{plainNeed(action, group), c.making("logs:TagResource", group)}
	case "TagResource", "UntagResource", "ListTagsForResource":
		return j.each(action, c.text("ResourceArn"))
	case "GetLogEvents":
		return j.each(action, group+":log-stream:"+c.text("LogStreamName"))
	}
	return j.each(action, group)
}

func (j *Judge) roles(c judged) []Need {
	role := "arn:aws:iam::" + c.account + ":role/slipway/" + c.text("RoleName")
	all := j.each("iam:"+c.operation, role)
	if c.operation == "CreateRole" {
		all = []Need{c.making("iam:CreateRole", "arn:aws:iam::"+c.account+":role"+c.text("Path")+c.text("RoleName")), c.making("iam:TagRole", role)}
	}
	return all
}

func (j *Judge) names(c judged) []Need {
	action := "route53:" + c.operation
	switch c.operation {
	case "ListHostedZonesByName":
		return []Need{plainNeed(action, "*")}
	case "GetChange":
		return []Need{plainNeed(action, "arn:aws:route53:::change/"+c.text("Id"))}
	case "GetHostedZone":
		return []Need{plainNeed(action, "arn:aws:route53:::hostedzone/"+c.text("Id"))}
	}
	n := plainNeed(action, "arn:aws:route53:::hostedzone/"+c.text("HostedZoneId"))
	batch, _ := c.in["ChangeBatch"].(map[string]any)
	changes, _ := batch["Changes"].([]any)
	for _, v := range changes {
		change, _ := v.(map[string]any)
		set, _ := change["ResourceRecordSet"].(map[string]any)
		kind, _ := set["Type"].(string)
		n.Context["route53:ChangeResourceRecordSetsRecordTypes"] = append(n.Context["route53:ChangeResourceRecordSetsRecordTypes"], kind)
	}
	return []Need{n}
}

// s3Actions are those that have other names than their operations.
var s3Actions = map[string]string{
	"HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket", "DeleteObjects": "DeleteObject",
	"GetBucketEncryption": "GetEncryptionConfiguration", "PutBucketEncryption": "PutEncryptionConfiguration",
	"GetBucketLifecycleConfiguration": "GetLifecycleConfiguration", "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
	"GetPublicAccessBlock": "GetBucketPublicAccessBlock", "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}

func (j *Judge) buckets(c judged) []Need {
	action, bucket := c.operation, "arn:aws:s3:::"+c.text("Bucket")
	if other, ok := s3Actions[action]; ok {
		action = other
	}
	switch c.operation {
	case "CreateBucket":
		return []Need{c.making("s3:CreateBucket", bucket), c.making("s3:TagResource", bucket)}
	case "DeleteObjects":
		bucket += "/a/log"
	}
	return j.each("s3:"+action, bucket)
}

func (j *Judge) tables(c judged) []Need {
	table := func(name string) string { return c.arn("dynamodb", "table/", name) }
	action := "dynamodb:" + c.operation
	switch c.operation {
	case "CreateTable":
		return []Need{plainNeed(action, table(c.text("TableName"))), c.making("dynamodb:TagResource", table(c.text("TableName")))}
	case "BatchGetItem", "BatchWriteItem":
		items, _ := c.in["RequestItems"].(map[string]any)
		var all []Need
		for name := range items {
			all = append(all, plainNeed(action, table(name)))
		}
		return all
	case "TransactWriteItems":
		return j.transaction(c, table)
	case "TagResource", "UntagResource", "ListTagsOfResource":
		return j.each(action, c.text("ResourceArn"))
	}
	return j.each(action, table(c.text("TableName")))
}

func (j *Judge) transaction(c judged, table func(string) string) []Need {
	items, _ := c.in["TransactItems"].([]any)
	var all []Need
	for _, v := range items {
		item, _ := v.(map[string]any)
		for part, action := range map[string]string{"ConditionCheck": "ConditionCheckItem", "Delete": "DeleteItem", "Put": "PutItem", "Update": "UpdateItem"} {
			if of, ok := item[part].(map[string]any); ok {
				name, _ := of["TableName"].(string)
				all = append(all, plainNeed("dynamodb:"+action, table(name)))
			}
		}
	}
	return all
}

func (j *Judge) kms(c judged) []Need {
	action, key := "kms:"+c.operation, j.key(c, c.text("KeyId"))
	switch c.operation {
	case "ListKeys":
		return []Need{plainNeed(action, "*")}
	case "CreateKey":
		return []Need{c.making(action, "*"), c.making("kms:TagResource", c.arn("kms", "key/", "new"))}
	case "CreateAlias":
		return []Need{plainNeed(action, c.arn("kms", "", c.text("AliasName"))), j.on(action, j.key(c, c.text("TargetKeyId")))}
	case "DeleteAlias":
		return []Need{plainNeed(action, c.arn("kms", "", c.text("AliasName"))), j.on(action, j.key(c, ""))}
	}
	return j.each(action, key)
}

// key is a key's ARN; without an id, or by its alias, it is the one that was made last.
func (j *Judge) key(c judged, id string) string {
	if id != "" && !strings.HasPrefix(id, "alias/") {
		return c.arn("kms", "key/", id)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if key := j.keys[c.region]; key != "" {
		return key
	}
	return c.arn("kms", "key/", "of-an-alias")
}

// via are uses of the region's key through another service, in the name of the caller.
func (j *Judge) via(c judged, service string, actions ...string) []Need {
	var all []Need
	for _, a := range actions {
		n := j.on("kms:"+a, j.key(c, ""))
		n.Context["kms:ViaService"] = []string{service + "." + c.region + ".amazonaws.com"}
		if a == "CreateGrant" {
			n.Context["kms:GrantIsForAWSResource"] = []string{"true"}
		}
		all = append(all, n)
	}
	return all
}

func (j *Judge) secrets(c judged) []Need {
	action, secret := "secretsmanager:"+c.operation, c.text("SecretId")
	if c.operation == "ListSecrets" {
		return []Need{plainNeed(action, "*")}
	}
	if c.operation == "CreateSecret" {
		secret = c.text("Name")
	}
	if !strings.HasPrefix(secret, "arn:") {
		secret = c.arn("secretsmanager", "secret:", secret+"-AbCdEf")
	}
	all := []Need{j.on(action, secret)}
	switch c.operation {
	case "CreateSecret":
		all = append(append(all, c.making("secretsmanager:TagResource", secret)), j.via(c, "secretsmanager", "GenerateDataKey", "Decrypt")...)
	case "PutSecretValue", "UpdateSecret":
		all = append(all, j.via(c, "secretsmanager", "GenerateDataKey", "Decrypt")...)
	case "GetSecretValue":
		all = append(all, j.via(c, "secretsmanager", "Decrypt")...)
	}
	return all
}

func (j *Judge) statements(c judged) []Need {
	all := j.each("rds-data:"+c.operation, c.text("ResourceArn"))
	if c.operation == "ExecuteStatement" || c.operation == "BeginTransaction" {
		all = append(append(all, j.on("secretsmanager:GetSecretValue", c.text("SecretArn"))), j.via(c, "secretsmanager", "Decrypt")...)
	}
	return all
}

// rdsNames are the fields that name resources of RDS.
var rdsNames = map[string]string{
	"DBClusterIdentifier": "cluster:", "DBInstanceIdentifier": "db:", "DBSubnetGroupName": "subgrp:", "DBClusterParameterGroupName": "cluster-pg:",
	"ResourceArn": "", "ResourceName": "", "FinalDBSnapshotIdentifier": "cluster-snapshot:",
	"DBClusterSnapshotIdentifier": "cluster-snapshot:",
}

// unless is a need of a list that names nothing.
func unless(named []Need, all Need) []Need {
	if len(named) == 0 {
		return []Need{all}
	}
	return named
}

func (j *Judge) databases(c judged) []Need {
	action := "rds:" + c.operation
	var all []Need
	for field, prefix := range rdsNames {
		if name := c.text(field); name != "" {
			all = append(all, j.on(action, c.arn("rds", prefix, name)))
		}
	}
	switch c.operation {
	case "CreateDBCluster":
		secret := c.arn("secretsmanager", "secret:", "rds!cluster-1234-AbCdEf")
		all = append(all, plainNeed("secretsmanager:CreateSecret", secret), plainNeed("secretsmanager:TagResource", secret), c.linked("rds.amazonaws.com"))
		all = append(all, j.via(c, "rds", "DescribeKey", "CreateGrant", "Decrypt", "GenerateDataKey")...)
	case "CreateDBInstance":
		all = append(all, j.via(c, "rds", "DescribeKey", "CreateGrant")...)
	case "DescribeDBEngineVersions":
		all = append(all, plainNeed(action, "*"))
	case "DescribeDBInstances":
		all = unless(all, plainNeed(action, c.arn("rds", "db:", "*")))
	case "DescribeDBClusters":
		all = unless(all, plainNeed(action, c.arn("rds", "cluster:", "*")))
	case "DescribeDBClusterSnapshots":
		all = unless(all, plainNeed(action, c.arn("rds", "cluster-snapshot:", "*")))
	case "DeleteDBCluster":
		if name := c.text("FinalDBSnapshotIdentifier"); name != "" {
			all = append(all, plainNeed("rds:CreateDBClusterSnapshot", c.arn("rds", "cluster-snapshot:", name)))
		}
	}
	if strings.HasPrefix(c.operation, "Create") {
		b, _ := json.Marshal(c.in) // of what was JSON
		if strings.Contains(string(b), `"Tags":[`) {
			all = append(all, c.making("rds:AddTagsToResource", all[0].Resource))
		}
	}
	return all
}
