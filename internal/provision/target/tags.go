package target

import (
	"maps"
	"regexp"
	"strings"
	"unicode/utf8"
)

// mostTags is how many tags people may give a thing: AWS allows 50, and up to 10 are Slipway's.
const mostTags = 40

// tagRegexp is what AWS allows in keys and values of tags (Tag naming limits and requirements).
var tagRegexp = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// ValidateTags returns every fault of tags that everything is to bear.
func ValidateTags(tags map[string]string) Faults {
	var f Faults
	f.tags(tags)
	f.roleTags(tags)
	return f
}

// roleTags applies what IAM has for the tags of its roles, of which environments have some: of keys that differ
// in case only there may be one.
func (f *Faults) roleTags(tags map[string]string) {
	for _, k := range SortedKeys(tags) {
		if like := alike(k, tags); like != "" && like < k {
			f.addf("tags."+k, "the keys %q and %q differ in case only, and are one for AWS: remove one of them", k, like)
		}
	}
}

// tags applies the AWS limits, which are the tighter.
func (f *Faults) tags(tags map[string]string) {
	for _, k := range SortedKeys(tags) {
		switch keyLength, valueLength := utf8.RuneCountInString(k), utf8.RuneCountInString(tags[k]); {
		case keyLength < 1 || keyLength > 128:
			f.addf("tags."+k, "the key %q has %d characters: a tag key has 1 to 128", k, keyLength)
		case reservedPrefix(k) != "":
			f.addf("tags."+k, "the key %q has the prefix %q, which is AWS's own: choose another key", k, reservedPrefix(k))
		case reservedPrefix(tags[k]) != "":
			f.addf("tags."+k, "the value %q has the prefix %q, which is AWS's own: choose another value", tags[k], reservedPrefix(tags[k]))
		case strings.HasPrefix(strings.ToLower(k), "slipway:") || strings.EqualFold(k, "managed-by"):
			f.addf("tags."+k, "the key %q is one that Slipway sets: choose another key", k)
		case valueLength > 256:
			f.addf("tags."+k, "the value has %d characters: a tag value has at most 256", valueLength)
		case !tagRegexp.MatchString(k + tags[k]):
			bad := outside(k+tags[k], func(r rune) bool { return tagRegexp.MatchString(string(r)) })
			f.addf("tags."+k, "the tag contains %s: tags may contain letters and digits of any script, spaces and \"_.:/=+-@\"", bad)
		}
	}
	if len(tags) > mostTags {
		f.addf("tags", "%d tags; at most %d are possible beside those that Slipway sets", len(tags), mostTags)
	}
}

// TagsBeside returns the faults of tags that only show beside others which the same things bear: those of
// the provider and of what a definition lies in.
func TagsBeside(tags map[string]string, others ...map[string]string) Faults {
	var f Faults
	all := map[string]string{}
	for _, o := range others {
		maps.Copy(all, o)
	}
	maps.Copy(all, tags)
	if len(tags) > 0 && len(tags) <= mostTags && len(all) > mostTags {
		f.addf("tags", "%d tags, with default_tags of the provider and the tags of what this lies in; at most %d are possible beside those that Slipway sets", len(all), mostTags)
	}
	return f
}

// RoleTagsBeside returns those of tags that roles bear, too, beside the provider's.
func RoleTagsBeside(tags, defaults map[string]string) Faults {
	f := TagsBeside(tags, defaults)
	for _, k := range SortedKeys(tags) {
		if like := alike(k, defaults); like != "" {
			f.addf("tags."+k, "the key %q and %q, which default_tags of the provider have, differ in case only, and are one for AWS: write both the same way", k, like)
		}
	}
	return f
}

// alike is a key that differs from another in case only, "" for none: IAM takes them for one.
func alike(key string, tags map[string]string) string {
	for _, k := range SortedKeys(tags) {
		if k != key && strings.EqualFold(k, key) {
			return k
		}
	}
	return ""
}

// reservedPrefix is the one of AWS's own that a key or value has, "" for none (RDS API, Tag).
func reservedPrefix(s string) string {
	for _, p := range []string{"aws:", "rds:"} {
		if len(s) >= len(p) && strings.EqualFold(s[:len(p)], p) {
			return p
		}
	}
	return ""
}
