package awstarget

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	errNoSecret = "ResourceNotFoundException"
	// stageCurrent is the version of a secret that is read, stagePending one that is to become it.
	stageCurrent, stagePending = "AWSCURRENT", "AWSPENDING"
)

// accessSecret is what is in a secret (JSON structure of AWS Secrets Manager secrets).
type accessSecret struct {
	Engine   string `json:"engine"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Username string `json:"username"`
	Password string `json:"password"`
	DBName   string `json:"dbname"`
	// Cluster is the cluster's name; AWS's console finds the network by it.
	Cluster string `json:"dbClusterIdentifier"`
}

// findSecret describes a secret, by its name or ARN.
func findSecret(ctx context.Context, c *clients, id string) (*secretsmanager.DescribeSecretOutput, error) {
	out, err := c.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
	if err != nil {
		return nil, failed(absent(err, errNoSecret), "find secret %q", id)
	}
	return out, nil
}

// listSecrets lists the secrets whose names begin in the same way, by name, with those that are to be
// deleted.
func listSecrets(ctx context.Context, c *clients, prefix string) (map[string]types.SecretListEntry, error) {
	all := map[string]types.SecretListEntry{}
	pages := secretsmanager.NewListSecretsPaginator(c.secrets, &secretsmanager.ListSecretsInput{
		Filters:                []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{prefix}}},
		IncludePlannedDeletion: aws.Bool(true), MaxResults: aws.Int32(100),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "list secrets %q", prefix)
		}
		for _, s := range page.SecretList {
			all[text(s.Name)] = s
		}
	}
	return all, nil
}

// claimSecret refuses a secret that is not ours.
func (n *noun) claimSecret(part string, d *secretsmanager.DescribeSecretOutput) error {
	return n.claim(part, "secret", text(d.Name), secretTags(d))
}

// retagSecret does so too, and gives one that is ours the tags of the definition.
func (n *noun) retagSecret(ctx context.Context, part string, d *secretsmanager.DescribeSecretOutput) error {
	if err := n.claimSecret(part, d); err != nil {
		return err
	}
	return n.putTags(part, fmt.Sprintf("secret %q", text(d.Name)), secretTags(d), func(tags map[string]string) error {
		_, err := n.clients.secrets.TagResource(ctx, &secretsmanager.TagResourceInput{SecretId: d.ARN, Tags: tagList(tags, func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} })})
		return err
	}, func(keys []string) error {
		_, err := n.clients.secrets.UntagResource(ctx, &secretsmanager.UntagResourceInput{SecretId: d.ARN, TagKeys: keys})
		return err
	})
}

func secretTags(d *secretsmanager.DescribeSecretOutput) map[string]string {
	return tagMap(d.Tags, func(t types.Tag) (*string, *string) { return t.Key, t.Value })
}

// createSecret makes a secret. Its name is unique in the AWS region, and stays taken for a while
// after one was deleted.
func (n *noun) createSecret(ctx context.Context, part, name, token string, c accessSecret) error {
	value, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode secret %q: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, secretEnd)
	defer cancel()
	return n.target.until(ctx, fmt.Sprintf("the name of secret %q", name), func(ctx context.Context) (status, bool, error) {
		_, err := n.clients.secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
			Name: &name, ClientRequestToken: &token, Description: aws.String("Slipway: " + n.key.String()), KmsKeyId: aws.String(n.regionKeyARN()),
			SecretString: aws.String(string(value)), Tags: tagList(n.tags(part), func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }),
		})
		switch {
		case coded(err, "InvalidRequestException"):
			return "still that of a deleted one", false, nil
		case coded(err, "ResourceExistsException"):
			return "there", true, nil // made by the call whose answer was lost; its tags are read next
		}
		return "made", err == nil, failed(err, "create secret %q", name)
	})
}

// secretEnd bounds the wait for the end of a secret that was deleted at once.
const secretEnd = 2 * time.Minute

// readSecret reads a version of a secret: the current one, or that with an id.
func readSecret(ctx context.Context, c *clients, id, version string) (accessSecret, error) {
	in := &secretsmanager.GetSecretValueInput{SecretId: &id, VersionStage: aws.String(stageCurrent)}
	if version != "" {
		in.VersionId, in.VersionStage = &version, nil
	}
	out, err := c.secrets.GetSecretValue(ctx, in)
	if err != nil {
		return accessSecret{}, failed(absent(err, errNoSecret), "read secret %q", id)
	}
	var v accessSecret
	if err := json.Unmarshal([]byte(text(out.SecretString)), &v); err != nil || v.Username == "" || v.Password == "" {
		return accessSecret{}, fmt.Errorf("read secret %q: it %w", id, errNoLogin)
	}
	return v, nil
}

// errNoLogin is of a secret in which no login is that a database lets in.
var errNoLogin = errors.New("holds no login that works")

// stageSecret adds a version of a secret that nobody reads yet.
func (n *noun) stageSecret(ctx context.Context, arn, version string, c accessSecret) error {
	value, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode secret %q: %w", arn, err)
	}
	_, err = n.clients.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: &arn, ClientRequestToken: &version, SecretString: aws.String(string(value)), VersionStages: []string{stagePending},
	})
	return failed(gone(err, "ResourceExistsException"), "write secret %q", arn)
}

// promoteSecret makes a version the one that is read.
func (n *noun) promoteSecret(ctx context.Context, arn, version string) error {
	d, err := findSecret(ctx, n.clients, arn)
	if err != nil {
		return err
	}
	in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &arn, VersionStage: aws.String(stageCurrent), MoveToVersionId: &version}
	for id, stages := range d.VersionIdsToStages {
		if slices.Contains(stages, stageCurrent) {
			in.RemoveFromVersionId = &id
		}
	}
	if text(in.RemoveFromVersionId) == version {
		return nil
	}
	_, err = n.clients.secrets.UpdateSecretVersionStage(ctx, in)
	return failed(err, "promote the new version of secret %q", arn)
}

// deleteSecret removes a secret at once: what it opens is gone.
func (n *noun) deleteSecret(ctx context.Context, part, name string) error {
	d, err := findSecret(ctx, n.clients, name)
	if err == nil {
		err = n.claimSecret(part, d)
	}
	if err != nil {
		return gone(err)
	}
	_, err = n.clients.secrets.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: d.ARN, ForceDeleteWithoutRecovery: aws.Bool(true)})
	return failed(gone(err, errNoSecret), "delete secret %q", name)
}

var _ target.Secrets = (*Target)(nil)

// ReadSecret implements target.Secrets. The id is an ARN.
func (t *Target) ReadSecret(ctx context.Context, id string) (target.Login, error) {
	a, err := arn.Parse(id)
	if err != nil || a.Service != "secretsmanager" {
		return target.Login{}, target.Errorf(target.ErrInvalid, "%q is not the ARN of a secret", id)
	}
	c, err := t.session.in(ctx, a.Region)
	if err != nil {
		return target.Login{}, err
	}
	v, err := readSecret(ctx, c, id, "")
	if isAbsent(err) {
		return target.Login{}, target.Errorf(target.ErrNotFound, "there is no secret %s", id)
	}
	return target.Login{Role: v.Username, Password: v.Password}, err
}
