package awstest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// logGroups gives log groups other keys, which moto can't (AssociateKmsKey, DisassociateKmsKey), and only
// those that let CloudWatch Logs use them (Encrypt log data in CloudWatch Logs using AWS KMS). It answers
// with the groups that are asked for by name (DescribeLogGroups: LogGroupIdentifiers).
type logGroups struct {
	*cloud
	keys sync.Map // by the region and the group's name
}

func (l *logGroups) piece(c Call, moto http.Handler) http.Handler {
	if c.Service != "logs" {
		return nil
	}
	var in struct {
		LogGroupName, KmsKeyID string
		LogGroupIdentifiers    []string
	}
	if json.Unmarshal(c.Body, &in) != nil {
		return nil
	}
	switch c.Operation {
	case "AssociateKmsKey", "CreateLogGroup", "DisassociateKmsKey":
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := l.usable(r.Context(), c.Region, in.KmsKeyID, in.LogGroupName); err != nil {
				c.send(w, nil, err)
				return
			}
			if c.Operation == "CreateLogGroup" {
				l.keys.Delete(c.Region + " " + in.LogGroupName)
				moto.ServeHTTP(w, r)
				return
			}
			l.keys.Store(c.Region+" "+in.LogGroupName, in.KmsKeyID)
			c.send(w, &struct{}{}, nil)
		})
	case "DescribeLogGroups":
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			moto.ServeHTTP(answer, r)
			maps.Copy(w.Header(), answer.Header())
			w.Header().Del("Content-Length")
			w.WriteHeader(answer.Code)
			_, _ = w.Write(l.rewrite(c.Region, in.LogGroupIdentifiers, answer.Body.Bytes()))
		})
	}
	return nil
}

// usable refuses a key whose policy does not let CloudWatch Logs encrypt a group with it.
func (l *logGroups) usable(ctx context.Context, region, key, group string) error {
	if key == "" {
		return nil
	}
	out, err := kms.NewFromConfig(l.config(region)).GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &key, PolicyName: aws.String("default")})
	if err != nil {
		return fmt.Errorf("read the policy of key %q: %w", key, err)
	}
	var policy struct {
		Statement []struct {
			Principal struct{ Service oneOrMore }
			Condition struct{ ArnLike map[string]oneOrMore }
		}
	}
	if err := json.Unmarshal([]byte(aws.ToString(out.Policy)), &policy); err != nil {
		return fmt.Errorf("read the policy of key %q: %w", key, err)
	}
	arn := fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s", region, l.account, group)
	for _, s := range policy.Statement {
		may := s.Condition.ArnLike["kms:EncryptionContext:aws:logs:arn"]
		if slices.Contains(s.Principal.Service, "logs."+region+".amazonaws.com") && slices.ContainsFunc(may, func(p string) bool { return like(p, arn) }) {
			return nil
		}
	}
	return refuse("AccessDeniedException", "The specified KMS key does not exist or is not allowed to be used with Arn '%s'", arn)
}

// rewrite puts the keys into a list of groups, and leaves out those that were not asked for.
func (l *logGroups) rewrite(region string, names []string, body []byte) []byte {
	var out map[string]any
	if json.Unmarshal(body, &out) != nil {
		return body
	}
	groups, _ := out["logGroups"].([]any)
	groups = slices.DeleteFunc(groups, func(g any) bool {
		group, _ := g.(map[string]any)
		name, _ := group["logGroupName"].(string)
		if key, changed := l.keys.Load(region + " " + name); changed {
			delete(group, "kmsKeyId")
			if key != "" {
				group["kmsKeyId"] = key
			}
		}
		return len(names) > 0 && !slices.Contains(names, name)
	})
	out["logGroups"] = groups
	again, err := json.Marshal(out)
	if err != nil {
		return body
	}
	return again
}
