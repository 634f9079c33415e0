package awstarget

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Tags that everything bears which Slipway makes. What bears another installation's is not ours.
const (
	tagManagedBy    = "managed-by"
	tagInstallation = "slipway:installation"
	tagRegion       = "slipway:region"
	tagEnvironment  = "slipway:environment"
	tagAccount      = "slipway:account"
	tagPart         = "slipway:part"

	managedBy = "slipway"
)

// tags are a part's tags: the provider's defaults, then the user's, then ours.
func (n *noun) tags(part string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, n.target.tags)
	maps.Copy(all, n.userTags())
	maps.Copy(all, n.marks(part))
	return all
}

// marks are the tags that a part is looked up by.
func (n *noun) marks(part string) map[string]string {
	m := map[string]string{tagManagedBy: managedBy, tagPart: part}
	for k, v := range map[string]string{tagInstallation: n.installation, tagRegion: n.region, tagEnvironment: n.environment, tagAccount: n.account} {
		if v != "" {
			m[k] = v
		}
	}
	return m
}

// ours says whether tags bear the marks of a part. A thing with the name of ours and without
// its marks is somebody else's.
func (n *noun) ours(part string, tags map[string]string) bool {
	for k, v := range n.marks(part) {
		if tags[k] != v {
			return false
		}
	}
	return true
}

// factTagKeys are the keys of the tags that the definition and the provider's defaults had when
// it was last put.
const factTagKeys = "tag_keys"

// retag says which tags a thing lacks, and which it has of an earlier definition. Tags that
// somebody else put on it stay.
func (n *noun) retag(part string, has map[string]string) (lacks map[string]string, surplus []string) {
	wanted := n.tags(part)
	lacks = map[string]string{}
	for k, v := range wanted {
		if was, ok := has[k]; !ok || was != v {
			lacks[k] = v
		}
	}
	for _, k := range n.factList(factTagKeys) {
		_, wants := wanted[k]
		if _, ok := has[k]; ok && !wants {
			surplus = append(surplus, k)
		}
	}
	return lacks, surplus
}

// tagDrift says which tags of a thing are not as they should be.
func (n *noun) tagDrift(part, what string, has map[string]string) []string {
	lacks, surplus := n.retag(part, has)
	if keys := append(target.SortedKeys(lacks), surplus...); len(keys) > 0 {
		return []string{fmt.Sprintf("%s has not the tags of its definition: %s", what, strings.Join(keys, ", "))}
	}
	return nil
}

// putTags gives a thing the tags of the definition, by what its service has for it.
func (n *noun) putTags(part, what string, has map[string]string, add func(map[string]string) error, remove func(keys []string) error) error {
	lacks, surplus := n.retag(part, has)
	if len(lacks) > 0 {
		if err := add(lacks); err != nil {
			return failed(err, "tag %s", what)
		}
	}
	if len(surplus) == 0 {
		return nil
	}
	return failed(remove(surplus), "take tags off %s", what)
}

// saveTagKeys remembers the keys of the tags as they are now on everything.
func (n *noun) saveTagKeys(ctx context.Context) error {
	keys := map[string]string{}
	maps.Copy(keys, n.target.tags)
	maps.Copy(keys, n.userTags())
	return n.saveList(ctx, factTagKeys, target.SortedKeys(keys))
}

// foreign refuses a thing that bears no mark of ours.
func foreign(what, name string) error {
	return target.Errorf(target.ErrForeign, "%s %q is there and was not made by this installation: it is left alone; remove or rename it, then apply again", what, name)
}

// tagList converts tags to a service's type, in the order of their keys.
func tagList[T any](tags map[string]string, convert func(key, value string) T) []T {
	out := make([]T, 0, len(tags))
	for _, k := range target.SortedKeys(tags) {
		out = append(out, convert(k, tags[k]))
	}
	return out
}

// tagMap is the reverse.
func tagMap[T any](tags []T, convert func(T) (key, value *string)) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		k, v := convert(t)
		out[text(k)] = text(v)
	}
	return out
}
