package awstest

import "testing"

func TestPolicies(t *testing.T) {
	t.Parallel()
	p, err := ReadPolicies([]byte(`{"Statement": [
		{"Effect": "Allow", "Action": ["ec2:DeleteVpc"], "Resource": ["arn:aws:ec2:*:*:*/*"], "Condition": {"StringEquals": {"aws:ResourceTag/managed-by": ["slipway"]}}},
		{"Effect": "Allow", "Action": ["ec2:CreateTags"], "Resource": ["arn:aws:ec2:*:*:*/*"], "Condition": {"Null": {"ec2:CreateAction": ["false"]}, "StringEquals": {"aws:RequestTag/managed-by": ["slipway"]}}},
		{"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": ["*"], "Condition": {"StringLike": {"kms:ViaService": ["secretsmanager.*.amazonaws.com"]}, "Bool": {"kms:GrantIsForAWSResource": ["true"]}}},
		{"Effect": "Allow", "Action": ["route53:ChangeResourceRecordSets"], "Resource": ["arn:aws:route53:::hostedzone/*"], "Condition": {"ForAllValues:StringEquals": {"types": ["A", "CNAME"]}}},
		{"Effect": "Allow", "Action": ["logs:CreateLogGroup"], "Resource": ["*"], "Condition": {"NumericLessThan": {"x": ["3"]}}},
		{"Effect": "Deny", "Action": ["iam:GetRole"], "Resource": ["*"]}
	]}`))
	if err != nil {
		t.Fatal(err)
	}
	const vpc, zone = "arn:aws:ec2:eu-central-1:1:vpc/vpc-1", "arn:aws:route53:::hostedzone/Z1"
	ours := []string{"slipway"}
	for _, c := range []struct {
		name string
		need Need
		want bool
	}{
		{"what is ours", Need{"ec2:DeleteVpc", vpc, map[string][]string{"aws:ResourceTag/managed-by": ours}}, true},
		{"what is another's", Need{"ec2:DeleteVpc", vpc, map[string][]string{"aws:ResourceTag/managed-by": {"somebody"}}}, false},
		{"what has no tag", Need{"ec2:DeleteVpc", vpc, nil}, false},
		{"another action", Need{"ec2:DeleteSubnet", vpc, map[string][]string{"aws:ResourceTag/managed-by": ours}}, false},
		{"another service's resource", Need{"ec2:DeleteVpc", zone, map[string][]string{"aws:ResourceTag/managed-by": ours}}, false},
		{"a tag at a create", Need{"ec2:CreateTags", vpc, map[string][]string{"ec2:CreateAction": {"CreateVpc"}, "aws:RequestTag/managed-by": ours}}, true},
		{"a tag on what is there", Need{"ec2:CreateTags", vpc, map[string][]string{"aws:RequestTag/managed-by": ours}}, false},
		{"a key through a service", Need{"kms:Decrypt", "k", map[string][]string{"kms:ViaService": {"secretsmanager.eu-central-1.amazonaws.com"}, "kms:GrantIsForAWSResource": {"true"}}}, true},
		{"a key through another", Need{"kms:Decrypt", "k", map[string][]string{"kms:ViaService": {"rds.eu-central-1.amazonaws.com"}, "kms:GrantIsForAWSResource": {"true"}}}, false},
		{"a key not for a resource", Need{"kms:Decrypt", "k", map[string][]string{"kms:ViaService": {"secretsmanager.eu-central-1.amazonaws.com"}, "kms:GrantIsForAWSResource": {"false"}}}, false},
		{"all of some values", Need{"route53:ChangeResourceRecordSets", zone, map[string][]string{"types": {"A", "CNAME"}}}, true},
		{"one of them too many", Need{"route53:ChangeResourceRecordSets", zone, map[string][]string{"types": {"A", "MX"}}}, false},
		{"all of none", Need{"route53:ChangeResourceRecordSets", zone, nil}, true},
		{"an operator that is not known", Need{"logs:CreateLogGroup", "g", map[string][]string{"x": {"1"}}}, false},
		{"a statement that denies", Need{"iam:GetRole", "r", nil}, false},
	} {
		if got := p.Allow(c.need); got != c.want {
			t.Errorf("%s: allowed %t, want %t", c.name, got, c.want)
		}
		if got := len(p.Denied([]Need{c.need, c.need})); got == 1 == c.want {
			t.Errorf("%s: denied %d times", c.name, got)
		}
	}
}
