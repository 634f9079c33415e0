package awstarget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

// credential is a login to a database cluster whose password is in a secret. A password is
// stored before the server has it, and is the one that is read only after.
type credential struct {
	// n is whose row keeps what was begun.
	n *noun
	// part is the secret's mark, name its name.
	part, name string
	// login is what is in the secret beside the role and the password.
	login accessSecret
	// roles are used in turn: a new password is another role's, so that the one before it opens
	// the database still, until the next.
	roles []string
	// version tells passwords apart: another one makes another password.
	version string
}

// Facts of a credential: the ARN of its secret, and what is in effect, a version and its role.
func (c credential) factARN() string    { return c.part + "_arn" }
func (c credential) factEffect() string { return c.part + "_effect" }

// arn is the secret's ARN, "" before it was made.
func (c credential) arn() string { return c.n.fact(c.factARN()) }

// effect is the version that the server has and that is read, and its role; "" before there is one.
func (c credential) effect() (version, role string) {
	version, role, _ = strings.Cut(c.n.fact(c.factEffect()), " ")
	return version, role
}

// begin returns the login that the server is to be given. Its password is empty where the server
// has it already.
func (c credential) begin(ctx context.Context) (accessSecret, error) {
	d, err := findSecret(ctx, c.n.clients, c.name)
	if isAbsent(err) {
		return c.create(ctx)
	}
	if err == nil {
		err = c.claim(ctx, d)
	}
	if err != nil {
		return accessSecret{}, err
	}
	if altered(d.VersionIdsToStages) {
		return c.renew(ctx)
	}
	switch version, role := c.effect(); version {
	case c.version:
		return accessSecret{Username: role}, nil
	case "":
		return readSecret(ctx, c.n.clients, c.arn(), "")
	}
	return c.pending(ctx)
}

// versionLost is what is in effect of a login that does not work: somebody else has changed it.
const versionLost = "lost"

// renew gives up the login that is in effect. The next one's password is ours again.
func (c credential) renew(ctx context.Context) (accessSecret, error) {
	_, role := c.effect()
	if err := c.n.save(ctx, c.factEffect(), versionLost+" "+role); err != nil {
		return accessSecret{}, err
	}
	return c.pending(ctx)
}

// versionPrefix is what the ids of our versions of secrets begin with.
const versionPrefix = "slipway-"

// altered says whether somebody else has written the version of a secret that is read.
func altered(versions map[string][]string) bool {
	for id, stages := range versions {
		if slices.Contains(stages, stageCurrent) {
			return !strings.HasPrefix(id, versionPrefix)
		}
	}
	return false
}

// create makes the secret. Whatever the server has is not in it.
func (c credential) create(ctx context.Context) (accessSecret, error) {
	if err := c.n.save(ctx, c.factEffect(), ""); err != nil {
		return accessSecret{}, err
	}
	token, err := c.token(ctx)
	if err == nil {
		first := c.fresh(c.roles[0])
		err = c.n.withKey(ctx, c.n.regionKey, func(ctx context.Context) error { return c.n.createSecret(ctx, c.part, c.name, token, first) })
	}
	if err != nil {
		return accessSecret{}, err
	}
	var v accessSecret
	err = c.n.target.appearing(ctx, fmt.Sprintf("secret %q", c.name), func(ctx context.Context) (err error) {
		v, err = c.made(ctx)
		return err
	})
	return v, err
}

// made is the login in the secret that was just made.
func (c credential) made(ctx context.Context) (accessSecret, error) {
	d, err := findSecret(ctx, c.n.clients, c.name)
	if err == nil {
		err = c.claim(ctx, d)
	}
	if err != nil {
		return accessSecret{}, err
	}
	return readSecret(ctx, c.n.clients, c.arn(), "")
}

// fresh is a login of a role with a new password.
func (c credential) fresh(role string) accessSecret {
	v := c.login
	v.Username, v.Password = role, accountdb.NewPassword()
	return v
}

// claim sees to it that a secret is ours and that it stays.
func (c credential) claim(ctx context.Context, d *secretsmanager.DescribeSecretOutput) error {
	if err := c.n.claimSecret(c.part, d); err != nil {
		return err
	}
	if d.DeletedDate != nil {
		if _, err := c.n.clients.secrets.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: d.ARN}); err != nil {
			return failed(err, "restore secret %q", c.name)
		}
	}
	if !c.sealed(text(d.KmsKeyId)) {
		in := &secretsmanager.UpdateSecretInput{SecretId: d.ARN, KmsKeyId: aws.String(c.n.regionKeyARN())}
		err := c.n.withKey(ctx, c.n.regionKey, func(ctx context.Context) error {
			_, err := c.n.clients.secrets.UpdateSecret(ctx, in)
			return err
		})
		if err != nil {
			return failed(err, "encrypt secret %q with the region's key", c.name)
		}
	}
	if err := c.n.retagSecret(ctx, c.part, d); err != nil {
		return err
	}
	return c.n.save(ctx, c.factARN(), text(d.ARN))
}

// sealed says whether a key is the region's.
func (c credential) sealed(key string) bool { return key == c.n.regionKeyARN() || key == c.n.regionKey }

// drift says how the secret differs from what begin makes.
func (c credential) drift(ctx context.Context) ([]string, error) {
	what := fmt.Sprintf("secret %q", c.name)
	d, err := findSecret(ctx, c.n.clients, c.name)
	switch {
	case isAbsent(err):
		return []string{what + " is gone"}, nil
	case err != nil:
		return nil, err
	case d.DeletedDate != nil:
		return []string{what + " is to be deleted"}, nil
	}
	var drift []string
	if !c.sealed(text(d.KmsKeyId)) {
		drift = append(drift, what+" is not encrypted with the region's key")
	}
	if altered(d.VersionIdsToStages) {
		drift = append(drift, fmt.Sprintf("the value of %s was changed by somebody else", what))
	}
	return append(drift, c.n.tagDrift(c.part, what, secretTags(d))...), nil
}

// pending is the login that is to be read next; nobody reads it yet.
func (c credential) pending(ctx context.Context) (accessSecret, error) {
	token, err := c.token(ctx)
	if err != nil {
		return accessSecret{}, err
	}
	v, err := readSecret(ctx, c.n.clients, c.arn(), token)
	if !isAbsent(err) {
		return v, err
	}
	_, role := c.effect()
	next := c.roles[(slices.Index(c.roles, role)+1)%len(c.roles)]
	if err := c.n.stageSecret(ctx, c.arn(), token, c.fresh(next)); err != nil {
		return accessSecret{}, err
	}
	err = c.n.target.appearing(ctx, fmt.Sprintf("the next version of secret %q", c.name), func(ctx context.Context) (err error) {
		v, err = readSecret(ctx, c.n.clients, c.arn(), token)
		return err
	})
	return v, err
}

// token is the version's id; it is the same until the version is in effect.
func (c credential) token(ctx context.Context) (string, error) {
	token, err := c.n.request(ctx, c.part)
	return versionPrefix + token, err // 32 characters at least
}

// commit says that the server has the login: it becomes the one that is read.
func (c credential) commit(ctx context.Context, role string) error {
	version, _ := c.effect()
	if version == c.version {
		return nil
	}
	if version != "" {
		token, err := c.token(ctx)
		if err == nil {
			err = c.n.promoteSecret(ctx, c.arn(), token)
		}
		if err != nil {
			return err
		}
	}
	return c.n.requested(ctx, c.part, c.factEffect(), c.version+" "+role)
}

// apply gives a server a role and its password, which is empty where the server has it.
type apply func(ctx context.Context, role, password string) error

// give gives the server the login.
func (c credential) give(ctx context.Context, to apply) error {
	v, err := c.begin(ctx)
	if err != nil {
		return err
	}
	err = to(ctx, v.Username, v.Password)
	if errors.Is(err, accountdb.ErrNoPassword) { // the role was removed by somebody else
		return c.giveAgain(ctx, to)
	}
	return c.given(ctx, v.Username, err)
}

// giveAgain gives the server the login that is read.
func (c credential) giveAgain(ctx context.Context, to apply) error {
	v, err := readSecret(ctx, c.n.clients, c.arn(), "")
	if err != nil {
		return err
	}
	return c.given(ctx, v.Username, to(ctx, v.Username, v.Password))
}

func (c credential) given(ctx context.Context, role string, err error) error {
	if err != nil {
		return fmt.Errorf("set up role %q: %w", role, err)
	}
	return c.commit(ctx, role)
}
