package awstest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// roles says what tasks may do by the policies in their roles; those that are attached to them
// and conditions are not looked at ("Policy evaluation logic").
type roles struct {
	*cloud
	mu    sync.Mutex
	known map[string][]statement // by the role's name
}

// statement is one of a policy.
type statement struct {
	Effect           string
	Action, Resource oneOrMore
}

// oneOrMore is a text or a list of such.
type oneOrMore []string

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// piece forgets what roles may do when anything changes.
func (x *roles) piece(c Call, moto http.Handler) http.Handler {
	if c.Service != "iam" || reads(c.Operation) {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		moto.ServeHTTP(w, r)
		x.mu.Lock()
		defer x.mu.Unlock()
		clear(x.known)
	})
}

// may says whether a role, by its ARN, may do something with a resource. A role that is not
// there is an error.
func (x *roles) may(ctx context.Context, role, action, resource string) (bool, error) {
	statements, err := x.statements(ctx, lastPart(role))
	if err != nil {
		return false, err
	}
	holds := func(effect string) bool {
		return slices.ContainsFunc(statements, func(s statement) bool {
			return s.Effect == effect && slices.ContainsFunc(s.Action, func(p string) bool { return like(p, action) }) &&
				slices.ContainsFunc(s.Resource, func(p string) bool { return like(p, resource) })
		})
	}
	return holds("Allow") && !holds("Deny"), nil
}

func (x *roles) statements(ctx context.Context, role string) ([]statement, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if known, ok := x.known[role]; ok {
		return known, nil
	}
	client := iam.NewFromConfig(x.config("us-east-1"))
	list, err := client.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &role})
	if err != nil {
		return nil, fmt.Errorf("list the policies of role %q: %w", role, err)
	}
	var all []statement
	for _, name := range list.PolicyNames {
		out, err := client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
		if err != nil {
			return nil, fmt.Errorf("read policy %q of role %q: %w", name, role, err)
		}
		text, err := url.PathUnescape(aws.ToString(out.PolicyDocument))
		if err != nil {
			return nil, fmt.Errorf("read policy %q of role %q: %w", name, role, err)
		}
		var policy struct{ Statement []statement }
		if err := json.Unmarshal([]byte(text), &policy); err != nil {
			return nil, fmt.Errorf("read policy %q of role %q: %w", name, role, err)
		}
		all = append(all, policy.Statement...)
	}
	x.known[role] = all
	return all, nil
}
