package awstarget

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

const (
	errNoKey = "NotFoundException"
	// keyDeletionDays is how long a key can be taken back: final snapshots need it.
	keyDeletionDays = 30
	factKey         = "key"
	factKeyBegun    = "key_begun" // when; of earlier versions that alone
)

// findKey describes a key by its id or alias.
func findKey(ctx context.Context, c *clients, id string) (*types.KeyMetadata, error) {
	out, err := c.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
	if err != nil {
		return nil, failed(absent(err, errNoKey), "find key %q", id)
	}
	return out.KeyMetadata, nil
}

// putKey makes a key with an alias, rotation and a policy, and takes back its deletion.
func (n *noun) putKey(ctx context.Context, part, alias, policy string) error {
	id, err := n.keyID(ctx, part, alias)
	if err != nil {
		return err
	}
	if err := n.save(ctx, factKey, id); err != nil {
		return err
	}
	return n.withKey(ctx, id, func(ctx context.Context) error { return n.settleKey(ctx, part, id, alias, policy) })
}

// settleKey makes of a key what putKey says.
func (n *noun) settleKey(ctx context.Context, part, id, alias, policy string) error {
	if err := n.reviveKey(ctx, id); err != nil {
		return err
	}
	return n.revived(ctx, id, func(ctx context.Context) error { return n.equipKey(ctx, part, id, alias, policy) })
}

// revived does something with a key that was disabled or to be deleted a moment ago, and may still be taken
// for that ("AWS KMS eventual consistency"). It must bear to be done again.
func (n *noun) revived(ctx context.Context, id string, do func(context.Context) error) error {
	end := n.target.now().Add(appearLag)
	return n.target.while(ctx, fmt.Sprintf("key %q to be taken for one in use again", id), func(outcome error) bool {
		return coded(outcome, "KMSInvalidStateException", "DisabledException") && n.target.now().Before(end)
	}, do)
}

// equipKey gives a key that is enabled its alias, tags, rotation and policy.
func (n *noun) equipKey(ctx context.Context, part, id, alias, policy string) error {
	if err := n.putAlias(ctx, alias, id); err != nil {
		return err
	}
	if err := n.retagKey(ctx, part, id); err != nil {
		return err
	}
	rotates, current, err := n.keySettings(ctx, id)
	if err != nil {
		return err
	}
	if !rotates {
		if _, err := n.clients.kms.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: &id}); err != nil {
			return failed(err, "enable the rotation of key %q", id)
		}
	}
	if !sameJSON(current, policy) {
		_, err := n.clients.kms.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &id, PolicyName: aws.String("default"), Policy: &policy})
		return failed(err, "write the policy of key %q", id)
	}
	return nil
}

// keyID is the id of the noun's key. KMS has neither a token nor a unique name for a key: a
// create is sent once, and looked up by its tags before it is sent again. It is sent without a
// policy: with one, KMS asks whether the caller may write it, which goes by tags that it may not
// know yet; settleKey writes it then.
func (n *noun) keyID(ctx context.Context, part, alias string) (string, error) {
	if id := n.fact(factKey); id != "" {
		err := n.withKey(ctx, id, func(ctx context.Context) error {
			_, err := findKey(ctx, n.clients, id)
			return err
		})
		if !isAbsent(err) {
			return id, err
		}
	}
	if k, err := findKey(ctx, n.clients, alias); err == nil {
		tags, err := n.keyTags(ctx, text(k.KeyId))
		if err == nil && !n.ours(part, tags) {
			err = foreign("KMS key with alias", alias)
		}
		return text(k.KeyId), err
	} else if !isAbsent(err) {
		return "", err
	}
	if n.fact(factKeyBegun) != "" {
		if id, err := n.keyByTags(ctx, part); !isAbsent(err) {
			return id, err
		}
	}
	if err := n.save(ctx, factKeyBegun, n.target.now().Format(time.RFC3339)); err != nil {
		return "", err
	}
	ctx, cancel := uninterrupted(ctx)
	defer cancel()
	out, err := n.clients.kms.CreateKey(ctx, &kms.CreateKeyInput{
		Description: aws.String("Slipway: " + n.key.String()),
		Tags:        tagList(n.tags(part), func(k, v string) types.Tag { return types.Tag{TagKey: &k, TagValue: &v} }),
	}, func(o *kms.Options) { o.Retryer = unlessThrottled(o.Retryer) })
	if err != nil {
		return "", failed(err, "create key")
	}
	id := text(out.KeyMetadata.KeyId)
	return id, n.save(ctx, factKey, id)
}

// keyByTags looks through all keys: the tagging service would not know a new one yet.
func (n *noun) keyByTags(ctx context.Context, part string) (string, error) {
	pages := kms.NewListKeysPaginator(n.clients.kms, &kms.ListKeysInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", failed(err, "list keys")
		}
		for _, k := range page.Keys {
			tags, err := n.keyTags(ctx, text(k.KeyId))
			if coded(err, "AccessDeniedException", errNoKey) {
				continue // somebody else's
			}
			if err != nil {
				return "", err
			}
			if !n.ours(part, tags) {
				continue
			}
			// One that is on its way out was the key of a region that was removed.
			m, err := findKey(ctx, n.clients, text(k.KeyId))
			if err != nil {
				return "", err
			}
			if m.KeyState != types.KeyStatePendingDeletion {
				return text(k.KeyId), nil
			}
		}
	}
	return "", errAbsent
}

func (n *noun) keyTags(ctx context.Context, id string) (map[string]string, error) {
	all := map[string]string{}
	pages := kms.NewListResourceTagsPaginator(n.clients.kms, &kms.ListResourceTagsInput{KeyId: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "read the tags of key %q", id)
		}
		for k, v := range tagMap(page.Tags, func(t types.Tag) (*string, *string) { return t.TagKey, t.TagValue }) {
			all[k] = v
		}
	}
	return all, nil
}

// retagKey gives a key the tags of the definition.
func (n *noun) retagKey(ctx context.Context, part, id string) error {
	has, err := n.keyTags(ctx, id)
	if err != nil {
		return err
	}
	return n.putTags(part, fmt.Sprintf("key %q", id), has, func(tags map[string]string) error {
		_, err := n.clients.kms.TagResource(ctx, &kms.TagResourceInput{KeyId: &id, Tags: tagList(tags, func(k, v string) types.Tag { return types.Tag{TagKey: &k, TagValue: &v} })})
		return err
	}, func(keys []string) error {
		_, err := n.clients.kms.UntagResource(ctx, &kms.UntagResourceInput{KeyId: &id, TagKeys: keys})
		return err
	})
}

// reviveKey makes a key usable that was disabled or is to be deleted.
func (n *noun) reviveKey(ctx context.Context, id string) error {
	k, err := findKey(ctx, n.clients, id)
	if err != nil || k.KeyState == types.KeyStateEnabled {
		return err
	}
	if k.KeyState == types.KeyStatePendingDeletion {
		if _, err := n.clients.kms.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: &id}); err != nil {
			return failed(err, "take back the deletion of key %q", id)
		}
	}
	return n.revived(ctx, id, func(ctx context.Context) error {
		_, err := n.clients.kms.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &id})
		return failed(err, "enable key %q", id)
	})
}

func (n *noun) putAlias(ctx context.Context, alias, id string) error {
	k, err := findKey(ctx, n.clients, alias)
	switch {
	case err == nil && text(k.KeyId) == id:
		return nil
	case err == nil:
		return foreign("KMS alias", alias)
	case !isAbsent(err):
		return err
	}
	_, err = n.clients.kms.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &alias, TargetKeyId: &id})
	if coded(err, "AlreadyExistsException") { // by the call whose answer was lost
		return n.putAliasAgain(ctx, alias, id)
	}
	return failed(err, "create alias %q", alias)
}

func (n *noun) putAliasAgain(ctx context.Context, alias, id string) error {
	k, err := findKey(ctx, n.clients, alias)
	if err == nil && text(k.KeyId) != id {
		return foreign("KMS alias", alias)
	}
	return err
}

// keySettings reads whether a key rotates, and its policy.
func (n *noun) keySettings(ctx context.Context, id string) (rotates bool, policy string, err error) {
	r, err := n.clients.kms.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: &id})
	if err != nil {
		return false, "", failed(err, "read the rotation of key %q", id)
	}
	p, err := n.clients.kms.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &id, PolicyName: aws.String("default")})
	if err != nil {
		return false, "", failed(err, "read the policy of key %q", id)
	}
	return r.KeyRotationEnabled, text(p.Policy), nil
}

// checkKey says how a key differs from what putKey makes.
func (n *noun) checkKey(ctx context.Context, part, alias, policy string) ([]string, error) {
	id := n.fact(factKey)
	k, err := findKey(ctx, n.clients, alias)
	switch {
	case isAbsent(err):
		if _, err = findKey(ctx, n.clients, id); isAbsent(err) {
			n.lose(factKey)
			return []string{fmt.Sprintf("key %q is gone, and what was encrypted with it can't be read any more", alias)}, nil
		}
		return []string{fmt.Sprintf("key alias %q is gone", alias)}, err
	case err != nil:
		return nil, err
	case text(k.KeyId) != id:
		return []string{fmt.Sprintf("key alias %q leads to another key", alias)}, nil
	case k.KeyState != types.KeyStateEnabled:
		return []string{fmt.Sprintf("key %q is %s", alias, k.KeyState)}, nil
	}
	var drift []string
	rotates, current, err := n.keySettings(ctx, id)
	if err == nil && !rotates {
		drift = append(drift, fmt.Sprintf("the rotation of key %q is off", alias))
	}
	if err == nil && !sameJSON(current, policy) {
		drift = append(drift, fmt.Sprintf("the policy of key %q was changed", alias))
	}
	if err != nil {
		return drift, err
	}
	has, err := n.keyTags(ctx, id)
	return append(drift, n.tagDrift(part, fmt.Sprintf("key %q", alias), has)...), err
}

// keyEnds says what the removal of the noun's key means, "" of a noun without one.
func (n *noun) keyEnds() string {
	id := n.fact(factKey)
	if id == "" {
		return ""
	}
	return fmt.Sprintf("Its KMS key %s in %s is scheduled for deletion, and is deleted %d days later. What is encrypted with it can't be read by anybody from then on: final snapshots of databases, others that were taken by hand, and automated backups that were kept. "+
		"Where one of them is to be kept, take the deletion back before that day with \"aws kms cancel-key-deletion --region %s --key-id %s\" and \"aws kms enable-key\" with the same arguments, or copy the snapshot with another key.",
		id, n.clients.region, keyDeletionDays, n.clients.region, id)
}

// deleteKey frees the alias at once and has the key deleted at the end of its window.
func (n *noun) deleteKey(ctx context.Context, part, alias string) error {
	id := n.fact(factKey)
	if id == "" && n.fact(factKeyBegun) != "" {
		var err error
		if id, err = n.keyByTags(ctx, part); err != nil && !isAbsent(err) {
			return err
		}
	}
	if id == "" {
		return nil
	}
	return gone(n.withKey(ctx, id, func(ctx context.Context) error { return n.endKey(ctx, id, alias) }))
}

// endKey does so with the key of an id.
func (n *noun) endKey(ctx context.Context, id, alias string) error {
	if k, err := findKey(ctx, n.clients, alias); err == nil && text(k.KeyId) == id {
		if _, err := n.clients.kms.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: &alias}); gone(err, errNoKey) != nil {
			return failed(err, "delete alias %q", alias)
		}
	} else if err != nil && !isAbsent(err) {
		return err
	}
	k, err := findKey(ctx, n.clients, id)
	if err != nil || k.KeyState == types.KeyStatePendingDeletion {
		return err
	}
	_, err = n.clients.kms.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &id, PendingWindowInDays: aws.Int32(keyDeletionDays)})
	return failed(absent(err, errNoKey), "schedule the deletion of key %q", id)
}
