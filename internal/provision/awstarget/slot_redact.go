package awstarget

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// passwordRegexp matches what looks like a password of ours (accountdb.NewPassword). Where there is
// none, no secret of an account needs to be read.
var passwordRegexp = regexp.MustCompile(`[A-Z2-7]{26}`)

// stagePrevious is the version of a secret that was read before the current one.
const stagePrevious = "AWSPREVIOUS"

// redacted are lines of a log in which passwords of accounts, and the secrets that their program was
// given, are replaced. Where these can't be read no line is shown.
func (w *slotWork) redacted(ctx context.Context, lines []string, secrets map[string]string) []string {
	if len(lines) == 0 {
		return nil
	}
	all := strings.Join(lines, "\n")
	known, err := w.known(ctx, all, secrets)
	if err != nil {
		return []string{fmt.Sprintf("(%d lines are not shown, for what must not be in them could not be read: %v)", len(lines), err)}
	}
	return strings.Split(target.Redact(all, known), "\n")
}

// known are the texts that must not be shown in a text.
func (w *slotWork) known(ctx context.Context, in string, secrets map[string]string) ([]string, error) {
	var refs []string
	for _, ref := range secrets {
		refs = append(refs, ref)
	}
	if passwordRegexp.MatchString(in) {
		accounts, err := w.accountSecrets(ctx)
		if err != nil {
			return nil, err
		}
		refs = append(refs, accounts...)
	}
	var mu sync.Mutex
	var all []string
	const atOnce = 20
	for some := range slices.Chunk(refs, atOnce) {
		err := each(some, func(ref string) error {
			values, err := w.target.secretTexts(ctx, w.clients, ref)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, values...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// accountSecrets are the ARNs of the secrets of the environment's accounts.
func (w *slotWork) accountSecrets(ctx context.Context) ([]string, error) {
	rows, err := w.table.list(ctx, databaseKind(w.id.Environment))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, r := range rows {
		doc, err := decode[document](r)
		if err != nil {
			return nil, err
		}
		rec, err := recordOf[target.AccountDatabaseRecord](doc)
		if err != nil {
			return nil, err
		}
		if rec.Status.SecretID != "" {
			all = append(all, rec.Status.SecretID)
		}
	}
	return all, nil
}

// readTexts are the texts of a secret, for as long as they need not be read again.
type readTexts struct {
	texts []string
	until time.Time
}

// secretTexts are the texts of a secret that must not be shown: now, and before it was changed, as
// what runs may still have that. Ref is an ARN, or one with the name of a member behind it.
func (t *Target) secretTexts(ctx context.Context, c *clients, ref string) ([]string, error) {
	const goodFor = time.Minute
	if has, ok := t.texts.Load(ref); ok && t.now().Before(has.(readTexts).until) {
		return has.(readTexts).texts, nil
	}
	parts := append(strings.SplitN(ref, ":", 8), "") // arn:PARTITION:secretsmanager:LOCATION:ACCOUNT:secret:NAME[:MEMBER:…]
	arn := strings.Join(parts[:min(7, len(parts)-1)], ":")
	member, _, _ := strings.Cut(parts[min(7, len(parts)-1)], ":")
	var all []string
	for _, stage := range []string{stageCurrent, stagePrevious} {
		out, err := c.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String(stage)})
		switch {
		case err == nil:
			all = append(all, textsOf(text(out.SecretString), member)...)
		case gone(err, errNoSecret) != nil:
			return nil, failed(err, "read secret %q", arn)
		}
	}
	t.texts.Store(ref, readTexts{all, t.now().Add(goodFor)})
	return all, nil
}

// textsOf are the texts in a secret that must not be shown: a member of it, or all of it and its
// password.
func textsOf(secret, member string) []string {
	var members map[string]any
	_ = json.Unmarshal([]byte(secret), &members) // what is no object has no members
	var all []string
	if member == "" {
		all, member = append(all, secret), "password"
	}
	if v, ok := members[member].(string); ok {
		all = append(all, v)
	}
	return all
}
