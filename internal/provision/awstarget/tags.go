package awstarget

import (
	"context"
	"encoding/json"
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

	// tagName is what the console of AWS shows: the user's, else what createThing gives.
	tagName = "Name"
)

// tags are a part's tags: the provider's defaults, then the user's, then ours.
func (n *noun) tags(part string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, n.target.tags)
	maps.Copy(all, n.userTags())
	maps.Copy(all, n.marks(part))
	return all
}

// TagFaults implements target.Tagging.
func (t *Target) TagFaults(tags map[string]string, roles bool) target.Faults {
	if roles {
		return target.RoleTagsBeside(tags, t.tags)
	}
	return target.TagsBeside(tags, t.tags)
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

// ours says whether tags bear all marks of a part: what is searched for has no other sign.
func (n *noun) ours(part string, tags map[string]string) bool {
	for k, v := range n.marks(part) {
		if tags[k] != v {
			return false
		}
	}
	return true
}

// bears says whether tags tell that something is a part, whatever other mark was taken off: people add things
// beside it.
func (n *noun) bears(part string, tags map[string]string) bool {
	return tags[tagPart] == part && !n.contradicted(part, tags)
}

// contradicted says whether tags bear a mark of a part with another value. Other tools have managed-by too.
func (n *noun) contradicted(part string, tags map[string]string) bool {
	for k, v := range n.marks(part) {
		if has := tags[k]; k != tagManagedBy && has != "" && has != v {
			return true
		}
	}
	return false
}

// claim refuses what has the name of a part of ours and is not ours. What bears the installation's id is,
// whatever other mark was taken off or changed. What bears no installation's is ours once the record says that
// the part was made: somebody has taken the mark off, or has restored it from a backup, and names are unique.
// What was there before we made anything has to bear the id.
func (n *noun) claim(part, what, name string, tags map[string]string) error {
	switch id := tags[tagInstallation]; {
	case n.ours(part, tags), id != "" && id == n.installation:
		return nil
	case id != "":
		return target.Errorf(target.ErrForeign, "%s %q is left alone: its tag %s is %q, and that of this installation is %q", what, name, tagInstallation, id, n.installation)
	}
	if n.made() && !n.contradicted(part, tags) {
		return nil
	}
	return target.Errorf(target.ErrForeign, "%s %q is there and bears no tag of this installation: it is left alone; if it is this installation's, put the tags back that say so: %s", what, name, tagWords(n.marks(part)))
}

// made says whether all of the noun was made once.
func (n *noun) made() bool {
	var rec struct {
		Meta target.Meta `json:"meta"`
	}
	// What is no record was not finished; it is refused where it is read.
	_ = json.Unmarshal(n.document.Record, &rec)
	return rec.Meta.Ready || n.known
}

// tagWords are tags as people read them.
func tagWords(tags map[string]string) string {
	var all []string
	for _, k := range target.SortedKeys(tags) {
		all = append(all, fmt.Sprintf("%s = %q", k, tags[k]))
	}
	return strings.Join(all, ", ")
}

// factTagKeys are the keys of the tags that the definition and the provider's defaults had when
// it was last put.
const factTagKeys = "tag_keys"

// retag says which tags a thing lacks, and which it has of an earlier definition. Tags that
// somebody else put on it stay, and all of them where the provider's defaults are not known.
func (n *noun) retag(part string, has map[string]string) retagging {
	before := n.factList(factTagKeys)
	if n.target.keepTags {
		before = nil
	}
	return retagged(n.tags(part), has, before)
}

// retagging is what makes a thing's tags what they are to be.
type retagging struct {
	lacks   map[string]string
	surplus []string // keys
	has     map[string]string
}

// retagged compares tags. Before are the keys that earlier definitions had.
func retagged(wanted, has map[string]string, before []string) retagging {
	r := retagging{lacks: map[string]string{}, has: has}
	for k, v := range wanted {
		if was, ok := has[k]; !ok || was != v {
			r.lacks[k] = v
		}
	}
	for _, k := range before {
		_, wants := wanted[k]
		if _, ok := has[k]; ok && !wants {
			r.surplus = append(r.surplus, k)
		}
	}
	return r
}

// words say what differs, nil for nothing.
func (r retagging) words(what string) []string {
	var all []string
	for _, k := range target.SortedKeys(r.lacks) {
		if was, ok := r.has[k]; ok {
			all = append(all, fmt.Sprintf("%s (%q, and is to be %q)", k, was, r.lacks[k]))
		} else {
			all = append(all, fmt.Sprintf("%s (none, and is to be %q)", k, r.lacks[k]))
		}
	}
	for _, k := range r.surplus {
		all = append(all, fmt.Sprintf("%s (%q, and is to be none)", k, r.has[k]))
	}
	if len(all) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s has not the tags of its definition: %s", what, strings.Join(all, ", "))}
}

// put gives a thing its tags, by what its service has for it.
func (r retagging) put(what string, add func(map[string]string) error, remove func(keys []string) error) error {
	if len(r.lacks) > 0 {
		if err := add(r.lacks); err != nil {
			return failed(err, "tag %s", what)
		}
	}
	if len(r.surplus) == 0 {
		return nil
	}
	return failed(remove(r.surplus), "take tags off %s", what)
}

// tagDrift says which tags of a thing are not as they should be.
func (n *noun) tagDrift(part, what string, has map[string]string) []string {
	return n.retag(part, has).words(what)
}

// putTags gives a thing the tags of the definition, by what its service has for it.
func (n *noun) putTags(part, what string, has map[string]string, add func(map[string]string) error, remove func(keys []string) error) error {
	return n.retag(part, has).put(what, add, remove)
}

// saveTagKeys remembers the keys of the tags as they are now on everything.
func (n *noun) saveTagKeys(ctx context.Context) error {
	keys := map[string]string{}
	maps.Copy(keys, n.target.tags)
	maps.Copy(keys, n.userTags())
	return n.saveList(ctx, factTagKeys, target.SortedKeys(keys))
}

// foreign refuses a thing that has the name of ours and nothing that says that it is.
func foreign(what, name string) error {
	return target.Errorf(target.ErrForeign, "%s %q is there and was not made by this installation: it is left alone", what, name)
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
