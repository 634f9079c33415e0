package target

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Fault is one thing wrong with a definition.
type Fault struct {
	// Path names the attribute, its parts joined by ".": "components.api.port",
	// "components.api.routes.1.path_prefix".
	Path string
	// Message says what was found, what was expected and what to do.
	Message string
}

// Faults is everything wrong with a definition.
type Faults []Fault

// Err joins the faults into one error that matches [ErrInvalid], nil if there are none.
func (f Faults) Err() error {
	errs := make([]error, 0, len(f))
	for _, v := range f {
		errs = append(errs, Errorf(ErrInvalid, "%s: %s", v.Path, v.Message))
	}
	return errors.Join(errs...)
}

func (f *Faults) addf(path, format string, args ...any) {
	*f = append(*f, Fault{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (f *Faults) check(path string, err error) {
	if err != nil {
		f.addf(path, "%s", err)
	}
}

func (f *Faults) positive(path string, n int, unit string, most int) {
	if n < 1 || n > most {
		f.addf(path, "%d is out of range: expected 1 to %d %s", n, most, unit)
	}
}

func (f *Faults) oneOf(path, value string, allowed ...string) {
	for _, a := range allowed {
		if a == value {
			return
		}
	}
	f.addf(path, "%q is not allowed: expected one of %s", value, strings.Join(quoted(allowed), ", "))
}

// tagRegexp is what AWS allows in keys and values of tags (Tag naming limits and requirements).
var tagRegexp = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// ValidateTags returns every fault of tags that everything is to bear.
func ValidateTags(tags map[string]string) Faults {
	var f Faults
	f.tags(tags)
	return f
}

// tags applies the AWS limits, which are the tighter.
func (f *Faults) tags(tags map[string]string) {
	for _, k := range SortedKeys(tags) {
		switch keyLength, valueLength := utf8.RuneCountInString(k), utf8.RuneCountInString(tags[k]); {
		case keyLength < 1 || keyLength > 128:
			f.addf("tags."+k, "the key %q has %d characters: a tag key has 1 to 128", k, keyLength)
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			f.addf("tags."+k, "the key %q has the prefix \"aws:\", which is AWS's own: choose another key", k)
		case strings.HasPrefix(strings.ToLower(k), "slipway:") || k == "managed-by":
			f.addf("tags."+k, "the key %q is one that Slipway sets: choose another key", k)
		case valueLength > 256:
			f.addf("tags."+k, "the value has %d characters: a tag value has at most 256", valueLength)
		case !tagRegexp.MatchString(k + tags[k]):
			bad := outside(k+tags[k], func(r rune) bool { return tagRegexp.MatchString(string(r)) })
			f.addf("tags."+k, "the tag contains %s: tags may contain letters and digits of any script, spaces and \"_.:/=+-@\"", bad)
		}
	}
	if len(tags) > 40 {
		f.addf("tags", "%d tags; at most 40 are possible beside those that Slipway sets", len(tags))
	}
}

func quoted(in []string) []string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = fmt.Sprintf("%q", v)
	}
	return out
}

// SortedKeys returns m's keys in order.
func SortedKeys[K ~string, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}
