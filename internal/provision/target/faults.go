package target

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Fault is one thing wrong with a definition.
type Fault struct {
	// Path names the attribute, its parts joined by ".": "components.api.port",
	// "components.api.routes.1.path_prefix".
	Path string
	// Message says what was found, what was expected and what to do.
	Message string
	// Doubtful says that the target may take it all the same, and nobody can tell: it is warned of.
	Doubtful bool
}

// Faults is everything wrong with a definition.
type Faults []Fault

// Err joins the faults into one error that matches [ErrInvalid], nil if there are none, or doubtful ones only.
func (f Faults) Err() error {
	errs := make([]error, 0, len(f))
	for _, v := range f {
		if !v.Doubtful {
			errs = append(errs, Errorf(ErrInvalid, "%s: %s", v.Path, v.Message))
		}
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
