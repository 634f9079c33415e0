package awstest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// ready does what Fargate does before a container starts, as the task's execution role: it gets
// the secrets and opens the log ("Amazon ECS task execution IAM role", "Resolve Amazon ECS
// ResourceInitializationError errors").
func (f *fleet) ready(ctx context.Context, t *task, p *process) error {
	for _, s := range t.definition.Secrets {
		value, err := f.secret(ctx, t, aws.ToString(s.ValueFrom))
		if err != nil {
			return fmt.Errorf("ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: %w", err)
		}
		t.container.Environment[aws.ToString(s.Name)] = value
	}
	if l := t.definition.LogConfiguration; l != nil && l.LogDriver == types.LogDriverAwslogs {
		p.logs = cloudwatchlogs.NewFromConfig(f.config(t.place.region))
		p.group, p.stream = l.Options["awslogs-group"], strings.Join([]string{l.Options["awslogs-stream-prefix"], aws.ToString(t.definition.Name), t.id()}, "/")
		err := f.permitted(ctx, t, "logs:CreateLogStream", fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s:log-stream:%s", t.place.region, f.account, p.group, p.stream))
		if err == nil {
			_, err = p.logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &p.group, LogStreamName: &p.stream})
		}
		if err != nil {
			return fmt.Errorf("ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: %w", err)
		}
	}
	return nil
}

// permitted refuses what the task's execution role may not do.
func (f *fleet) permitted(ctx context.Context, t *task, action, resource string) error {
	may, err := f.roles.may(ctx, t.executionRole, action, resource)
	switch {
	case err != nil:
		return fmt.Errorf("ECS was unable to assume the role '%s' that was provided for this task: %w", t.executionRole, err)
	case !may:
		return fmt.Errorf("AccessDeniedException: %s is not authorized to perform: %s on resource: %s", t.executionRole, action, resource)
	}
	return nil
}

// secret is what a secret's ARN names, or a member of it: "Pass Secrets Manager secrets through
// Amazon ECS environment variables", ARN:json-key:version-stage:version-id.
func (f *fleet) secret(ctx context.Context, t *task, from string) (string, error) {
	parts := strings.Split(from, ":")
	if len(parts) < 7 || parts[2] != "secretsmanager" {
		return "", fmt.Errorf("invalid secret ARN %s", from)
	}
	arn, rest := strings.Join(parts[:7], ":"), append(parts[7:], "", "", "")
	if err := f.permitted(ctx, t, "secretsmanager:GetSecretValue", arn); err != nil {
		return "", err
	}
	in := &secretsmanager.GetSecretValueInput{SecretId: &arn}
	if rest[1] != "" {
		in.VersionStage = &rest[1]
	}
	if rest[2] != "" {
		in.VersionId = &rest[2]
	}
	out, err := secretsmanager.NewFromConfig(f.config(parts[3])).GetSecretValue(ctx, in)
	if err != nil {
		return "", fmt.Errorf("failed to fetch secret %s: %w", arn, err)
	}
	if rest[0] == "" {
		return aws.ToString(out.SecretString), nil
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &members); err != nil {
		return "", fmt.Errorf("the secret %s is no JSON: %w", arn, err)
	}
	value, ok := members[rest[0]]
	if !ok {
		return "", fmt.Errorf("retrieved secret from Secrets Manager did not contain json key %s", rest[0])
	}
	return fmt.Sprint(value), nil
}
