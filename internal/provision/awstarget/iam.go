package awstarget

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

const (
	errNoEntity = "NoSuchEntity"
	// rolePath is where all roles of Slipway are, so that a policy can name them together.
	rolePath = "/slipway/"
	// inlinePolicy is the name of the one policy that each role has.
	inlinePolicy = "slipway"
)

// Roles of an environment: what ECS does before a container runs, and what runs in it.
const (
	roleExecution = "execution"
	roleTask      = "task"
)

// roleName is at most 64 characters (CreateRole). Roles are known in all AWS regions: the
// location is part of the hash, and so is the role, which a long name cuts off.
func (n *noun) roleName(role string) string {
	const limit, hash = 64, 9
	readable := "slipway-" + n.region + "-" + n.environment + "-" + role
	return name(limit, readable[:min(len(readable), limit-hash)], n.clients.region, n.region, n.environment, role)
}

// findRole describes a role.
func findRole(ctx context.Context, c *clients, role string) (*types.Role, error) {
	out, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &role})
	if err != nil {
		return nil, failed(absent(err, errNoEntity), "find role %q", role)
	}
	return out.Role, nil
}

// putRole makes a role that ECS tasks can have, with one policy and no other. Its name is unique in the AWS
// account: a repeated create is refused. Where IAM is asked next a new role may not be known yet.
func (n *noun) putRole(ctx context.Context, part, role, rights string) error {
	trust, err := taskTrust(n.clients)
	if err != nil {
		return fmt.Errorf("write the trust policy of role %q: %w", role, err)
	}
	r, err := findRole(ctx, n.clients, role)
	if isAbsent(err) {
		_, err = n.clients.iam.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: &role, Path: aws.String(rolePath), AssumeRolePolicyDocument: &trust, Description: aws.String("Slipway: " + n.key.String()),
			Tags: tagList(n.tags(part), func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }),
		})
		if err != nil && !coded(err, "EntityAlreadyExists") {
			return failed(err, "create role %q", role)
		}
		return n.target.appearing(ctx, fmt.Sprintf("role %q", role), func(ctx context.Context) error {
			r, err := findRole(ctx, n.clients, role)
			if err != nil {
				return err
			}
			return n.settleRole(ctx, part, role, rights, trust, r)
		})
	}
	if err != nil {
		return err
	}
	return n.settleRole(ctx, part, role, rights, trust, r)
}

// settleRole makes of a role what putRole says.
func (n *noun) settleRole(ctx context.Context, part, role, rights, trust string, r *types.Role) error {
	err := n.claimRole(part, r)
	if err == nil {
		err = n.retagRole(ctx, part, r)
	}
	if err != nil {
		return err
	}
	if !sameJSON(decoded(r.AssumeRolePolicyDocument), trust) {
		if _, err := n.clients.iam.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &role, PolicyDocument: &trust}); err != nil {
			return failed(err, "write the trust policy of role %q", role)
		}
	}
	others, err := n.otherPolicies(ctx, role)
	if err == nil {
		err = n.dropPolicies(ctx, role, others)
	}
	if err != nil {
		return err
	}
	has, err := n.rightsOf(ctx, role)
	if err != nil || sameJSON(has, rights) {
		return err
	}
	_, err = n.clients.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String(inlinePolicy), PolicyDocument: &rights})
	return failed(absent(err, errNoEntity), "write the policy of role %q", role)
}

// decoded is a policy document as IAM returns it: percent-encoded.
func decoded(p *string) string {
	s, err := url.QueryUnescape(strings.ReplaceAll(text(p), "+", "%2B"))
	if err != nil {
		return ""
	}
	return s
}

// rightsOf reads a role's policy, "" where there is none.
func (n *noun) rightsOf(ctx context.Context, role string) (string, error) {
	out, err := n.clients.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &role, PolicyName: aws.String(inlinePolicy)})
	if err != nil {
		return "", failed(gone(err, errNoEntity), "read the policy of role %q", role)
	}
	return decoded(out.PolicyDocument), nil
}

// policies are those that a role has beside ours.
type policies struct {
	inline   []string // names
	attached []string // ARNs
}

// otherPolicies lists the policies of a role beside ours: each lets it do more.
func (n *noun) otherPolicies(ctx context.Context, role string) (policies, error) {
	var all policies
	inline := iam.NewListRolePoliciesPaginator(n.clients.iam, &iam.ListRolePoliciesInput{RoleName: &role})
	for inline.HasMorePages() {
		page, err := inline.NextPage(ctx)
		if err != nil {
			return all, failed(absent(err, errNoEntity), "list the policies of role %q", role)
		}
		for _, name := range page.PolicyNames {
			if name != inlinePolicy {
				all.inline = append(all.inline, name)
			}
		}
	}
	attached := iam.NewListAttachedRolePoliciesPaginator(n.clients.iam, &iam.ListAttachedRolePoliciesInput{RoleName: &role})
	for attached.HasMorePages() {
		page, err := attached.NextPage(ctx)
		if err != nil {
			return all, failed(absent(err, errNoEntity), "list the policies that are attached to role %q", role)
		}
		for _, p := range page.AttachedPolicies {
			all.attached = append(all.attached, text(p.PolicyArn))
		}
	}
	return all, nil
}

// dropPolicies takes policies from a role.
func (n *noun) dropPolicies(ctx context.Context, role string, all policies) error {
	for _, name := range all.inline {
		if _, err := n.clients.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: &name}); gone(err, errNoEntity) != nil {
			return failed(err, "delete policy %q of role %q", name, role)
		}
	}
	for _, arn := range all.attached {
		if _, err := n.clients.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &role, PolicyArn: &arn}); gone(err, errNoEntity) != nil {
			return failed(err, "detach policy %q from role %q", arn, role)
		}
	}
	return nil
}

// retagRole gives a role the tags of the definition.
func (n *noun) retagRole(ctx context.Context, part string, r *types.Role) error {
	return n.putTags(part, fmt.Sprintf("role %q", text(r.RoleName)), roleTags(r), func(tags map[string]string) error {
		_, err := n.clients.iam.TagRole(ctx, &iam.TagRoleInput{RoleName: r.RoleName, Tags: tagList(tags, func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })})
		return err
	}, func(keys []string) error {
		_, err := n.clients.iam.UntagRole(ctx, &iam.UntagRoleInput{RoleName: r.RoleName, TagKeys: keys})
		return err
	})
}

func roleTags(r *types.Role) map[string]string {
	return tagMap(r.Tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value })
}

func (n *noun) claimRole(part string, r *types.Role) error {
	return n.claim(part, "IAM role", text(r.RoleName), roleTags(r))
}

// checkRole says how a role differs from what putRole makes.
func (n *noun) checkRole(ctx context.Context, part, role, rights string) ([]string, error) {
	trust, err := taskTrust(n.clients)
	if err != nil {
		return nil, fmt.Errorf("write the trust policy of role %q: %w", role, err)
	}
	r, err := findRole(ctx, n.clients, role)
	if isAbsent(err) {
		return []string{fmt.Sprintf("role %q is gone", role)}, nil
	}
	if err != nil {
		return nil, err
	}
	drift := n.tagDrift(part, fmt.Sprintf("role %q", role), roleTags(r))
	if !sameJSON(decoded(r.AssumeRolePolicyDocument), trust) {
		drift = append(drift, fmt.Sprintf("others than ECS tasks may have role %q", role))
	}
	has, err := n.rightsOf(ctx, role)
	if err == nil && !sameJSON(has, rights) {
		drift = append(drift, fmt.Sprintf("role %q has other rights", role))
	}
	if err != nil {
		return drift, err
	}
	others, err := n.otherPolicies(ctx, role)
	for _, p := range slices.Concat(others.inline, others.attached) {
		drift = append(drift, fmt.Sprintf("role %q has a policy beside its own, %q", role, p))
	}
	return drift, gone(err)
}

// deleteRole removes a role with all of its policies: IAM keeps one that has any (DeleteRole).
func (n *noun) deleteRole(ctx context.Context, part, role string) error {
	r, err := findRole(ctx, n.clients, role)
	if err == nil {
		err = n.claimRole(part, r)
	}
	if err != nil {
		return gone(err)
	}
	others, err := n.otherPolicies(ctx, role)
	if err == nil {
		others.inline = append(others.inline, inlinePolicy)
		err = n.dropPolicies(ctx, role, others)
	}
	if err != nil {
		return gone(err)
	}
	_, err = n.clients.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &role})
	return failed(gone(err, errNoEntity), "delete role %q", role)
}

// taskTrust lets ECS tasks of this AWS account have a role.
func taskTrust(c *clients) (string, error) {
	return policyText(statement{
		Effect: "Allow", Action: []string{"sts:AssumeRole"}, Principal: principals{"Service": {"ecs-tasks.amazonaws.com"}},
		Condition: map[string]map[string][]string{
			"ArnLike":      {"aws:SourceArn": {c.arn("ecs", "*")}},
			"StringEquals": {"aws:SourceAccount": {c.account}},
		},
	})
}

// secretsPrefix begins the names of the environment's secrets.
func (n *noun) secretsPrefix() string { return "slipway/" + n.region + "/" + n.environment + "/" }

// accountsPrefix begins the names of the secrets of accounts.
func (n *noun) accountsPrefix() string { return n.secretsPrefix() + "accounts/" }

// rights are what each role may do: the execution role fetches images, writes logs and hands
// over the environment's secrets; the task reads the environment's account secrets.
func (n *noun) rights() (map[string]string, error) {
	c := n.clients
	decrypt := statement{
		Sid: "Decrypt", Effect: "Allow", Action: []string{"kms:Decrypt"}, Resource: []string{n.regionKeyARN()},
		Condition: map[string]map[string][]string{"StringEquals": {"kms:ViaService": {"secretsmanager." + c.region + ".amazonaws.com"}}},
	}
	read := func(path string) statement {
		return statement{Sid: "Secrets", Effect: "Allow", Action: []string{"secretsmanager:GetSecretValue"}, Resource: []string{c.arn("secretsmanager", "secret:"+path+"*")}}
	}
	execution, err := policyText(
		statement{Sid: "Login", Effect: "Allow", Action: []string{"ecr:GetAuthorizationToken"}, Resource: []string{"*"}}, // has no resource
		statement{
			Sid: "Images", Effect: "Allow", Resource: []string{"arn:" + c.partition + ":ecr:*:*:repository/*"},
			Action: []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
		},
		statement{
			Sid: "Logs", Effect: "Allow", Action: []string{"logs:CreateLogStream", "logs:PutLogEvents"},
			Resource: []string{c.arn("logs", "log-group:"+n.logGroup()+":*")},
		},
		read(n.secretsPrefix()), decrypt,
	)
	if err != nil {
		return nil, err
	}
	task, err := policyText(read(n.accountsPrefix()), decrypt)
	return map[string]string{roleExecution: execution, roleTask: task}, err
}

// rolesPart is the roles of an environment.
func (n *noun) rolesPart() part {
	each := func(do func(role, rights string) error) error {
		all, err := n.rights()
		if err != nil {
			return fmt.Errorf("write the policies of roles: %w", err)
		}
		for _, role := range []string{roleExecution, roleTask} {
			if err := do(role, all[role]); err != nil {
				return err
			}
		}
		return nil
	}
	return part{
		name: partRoles,
		put: func(ctx context.Context) error {
			return each(func(role, rights string) error { return n.putRole(ctx, markRole(role), n.roleName(role), rights) })
		},
		check: func(ctx context.Context) (drift []string, err error) {
			err = each(func(role, rights string) error {
				more, err := n.checkRole(ctx, markRole(role), n.roleName(role), rights)
				drift = append(drift, more...)
				return err
			})
			return drift, err
		},
		delete: func(ctx context.Context) error {
			return each(func(role, _ string) error { return n.deleteRole(ctx, markRole(role), n.roleName(role)) })
		},
	}
}

func markRole(role string) string { return "role-" + role }
