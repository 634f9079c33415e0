package awstarget

import (
	"context"
	"fmt"
)

// Parts of a region.
const (
	partControl = "control"
	partKey     = "key"
	partLogs    = "logs"
)

func controlName(region string) string { return name(255, "slipway", region) }
func keyAlias(region string) string    { return "alias/" + name(240, "slipway", region) }

// logsName names the bucket for the logs of load balancers. Buckets share their names with
// those of everybody: the AWS account and region are part of the hash.
func logsName(c *clients, region string) string {
	const limit, hash = 63, 9
	readable := "slipway-logs-" + region
	whole := name(limit, readable[:min(len(readable), limit-hash)], c.account, c.region)
	return whole
}

// regionParts is all that a region is made of beside its row in the directory.
func (n *noun) regionParts() (graph, error) {
	control, alias, logs := controlName(n.region), keyAlias(n.region), logsName(n.clients, n.region)
	keyPolicy, err := n.keyPolicy()
	if err != nil {
		return nil, fmt.Errorf("write the key's policy: %w", err)
	}
	logsPolicy, err := n.logsPolicy(logs)
	if err != nil {
		return nil, fmt.Errorf("write the log bucket's policy: %w", err)
	}
	return graph{{
		name:   partControl,
		put:    func(ctx context.Context) error { return n.putTable(ctx, partControl, control, true) },
		check:  func(ctx context.Context) ([]string, error) { return n.checkTable(ctx, partControl, control, true) },
		delete: func(ctx context.Context) error { return n.deleteTable(ctx, partControl, control) },
	}, {
		name:   partKey,
		put:    func(ctx context.Context) error { return n.putKey(ctx, partKey, alias, keyPolicy) },
		check:  func(ctx context.Context) ([]string, error) { return n.checkKey(ctx, partKey, alias, keyPolicy) },
		delete: func(ctx context.Context) error { return n.deleteKey(ctx, partKey, alias) },
	}, {
		name:   partLogs,
		put:    func(ctx context.Context) error { return n.putBucket(ctx, partLogs, logs, logsPolicy) },
		check:  func(ctx context.Context) ([]string, error) { return n.checkBucket(ctx, partLogs, logs, logsPolicy) },
		delete: func(ctx context.Context) error { return n.deleteBucket(ctx, partLogs, logs) },
	}}, nil
}

// keyPolicy lets the AWS account's own policies decide, and CloudWatch Logs encrypt the log
// groups of Slipway, also those that AWS writes about its clusters to (Encrypt log data in CloudWatch Logs using AWS KMS). Other services act
// with the rights of whoever calls them.
func (n *noun) keyPolicy() (string, error) {
	c := n.clients
	return policyText(statement{
		Sid: "Account", Effect: "Allow", Action: []string{"kms:*"}, Resource: []string{"*"},
		Principal: principals{"AWS": {"arn:" + c.partition + ":iam::" + c.account + ":root"}},
	}, statement{
		Sid: "Logs", Effect: "Allow", Resource: []string{"*"},
		Principal: principals{"Service": {"logs." + c.region + ".amazonaws.com"}},
		Action:    []string{"kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"},
		Condition: map[string]map[string][]string{"ArnLike": {"kms:EncryptionContext:aws:logs:arn": {
			c.arn("logs", "log-group:/slipway/"+n.region+"/*"),
			c.arn("logs", "log-group:/aws/rds/cluster/slipway-"+singly(n.region)+"-*"), c.arn("logs", "log-group:/aws/ecs/containerinsights/slipway-"+n.region+"-*"),
		}}},
	})
}

// logsPolicy lets load balancers of this AWS account deliver, and nobody come without TLS. The path
// names the account: AWS documents no condition on who asks for load balancers with HTTP, and one
// whose key is not sent would keep every load balancer from being made.
func (n *noun) logsPolicy(bucket string) (string, error) {
	c := n.clients
	arn := "arn:" + c.partition + ":s3:::" + bucket
	return policyText(statement{
		Sid: "Delivery", Effect: "Allow", Action: []string{"s3:PutObject"}, Resource: []string{arn + "/*/AWSLogs/" + c.account + "/*"},
		Principal: principals{"Service": {"logdelivery.elasticloadbalancing.amazonaws.com"}},
	}, statement{
		Sid: "OnlyTLS", Effect: "Deny", Action: []string{"s3:*"}, Resource: []string{arn, arn + "/*"}, Principal: "*",
		Condition: map[string]map[string][]string{"Bool": {"aws:SecureTransport": {"false"}}},
	})
}
