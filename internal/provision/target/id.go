package target

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// NamePattern is what the names of regions, environments, accounts, slots and components
// look like. It is the intersection of what DNS labels, AWS names and file names allow.
const NamePattern = `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`

// MaxNameLength bounds every name, in characters, so that host names and AWS names that
// are made of them stay within their own limits.
const MaxNameLength = 40

// ReleasePattern is what releases look like: the grammar of an OCI image tag, plus "+".
const ReleasePattern = `^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}$`

var (
	nameRegexp    = regexp.MustCompile(NamePattern)
	releaseRegexp = regexp.MustCompile(ReleasePattern)
)

// EnvironmentID names an environment: "eu/production".
type EnvironmentID struct{ Region, Name string }

// AccountDatabaseID names the database of one account: "eu/production/acme".
type AccountDatabaseID struct {
	Environment EnvironmentID
	Account     string
}

// SlotID names a deployment slot: "eu/production/oms".
type SlotID struct {
	Environment EnvironmentID
	Name        string
}

func (id EnvironmentID) String() string     { return id.Region + "/" + id.Name }
func (id AccountDatabaseID) String() string { return id.Environment.String() + "/" + id.Account }
func (id SlotID) String() string            { return id.Environment.String() + "/" + id.Name }

// MarshalText makes the id usable as a JSON string and as a map key.
func (id EnvironmentID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// MarshalText makes the id usable as a JSON string and as a map key.
func (id AccountDatabaseID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// MarshalText makes the id usable as a JSON string and as a map key.
func (id SlotID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is the reverse of MarshalText and refuses what the parsers refuse.
func (id *EnvironmentID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseEnvironmentID(string(b))
	return err
}

// UnmarshalText is the reverse of MarshalText and refuses what the parsers refuse.
func (id *AccountDatabaseID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseAccountDatabaseID(string(b))
	return err
}

// UnmarshalText is the reverse of MarshalText and refuses what the parsers refuse.
func (id *SlotID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseSlotID(string(b))
	return err
}

// ParseRegionID checks a region's id, which is its name.
func ParseRegionID(s string) (string, error) {
	p, err := parseID(s, "region id", "region")
	if err != nil {
		return "", err
	}
	return p[0], nil
}

// ParseEnvironmentID reads "region/environment".
func ParseEnvironmentID(s string) (EnvironmentID, error) {
	p, err := parseID(s, "environment id", "region", "environment")
	if err != nil {
		return EnvironmentID{}, err
	}
	return EnvironmentID{p[0], p[1]}, nil
}

// ParseAccountDatabaseID reads "region/environment/account".
func ParseAccountDatabaseID(s string) (AccountDatabaseID, error) {
	p, err := parseID(s, "account database id", "region", "environment", "account")
	if err != nil {
		return AccountDatabaseID{}, err
	}
	return AccountDatabaseID{EnvironmentID{p[0], p[1]}, p[2]}, nil
}

// ParseSlotID reads "region/environment/slot".
func ParseSlotID(s string) (SlotID, error) {
	p, err := parseID(s, "deployment slot id", "region", "environment", "slot")
	if err != nil {
		return SlotID{}, err
	}
	return SlotID{EnvironmentID{p[0], p[1]}, p[2]}, nil
}

func parseID(s, what string, parts ...string) ([]string, error) {
	p := strings.Split(s, "/")
	if len(p) != len(parts) {
		return nil, fmt.Errorf("%q is not %s %s: expected %d part(s), %q, and got %d",
			s, article(what), what, len(parts), strings.Join(parts, "/"), len(p))
	}
	for i, v := range p {
		if err := ValidateName(v); err != nil {
			return nil, fmt.Errorf("%q is not %s %s: the %s: %w", s, article(what), what, parts[i], err)
		}
	}
	return p, nil
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an"
	}
	return "a"
}

// ValidateName says whether s can be the name of a region, environment, account, slot or
// component, and if not, which characters are in the way.
func ValidateName(s string) error {
	switch {
	case s == "":
		return fmt.Errorf("a name must not be empty: expected 1 to %d characters a-z, 0-9 and \"-\"", MaxNameLength)
	case utf8.RuneCountInString(s) > MaxNameLength:
		return fmt.Errorf("%q has %d characters; a name has at most %d", s, utf8.RuneCountInString(s), MaxNameLength)
	case nameRegexp.MatchString(s):
		return nil
	}
	if bad := outside(s, func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-'
	}); bad != "" {
		return fmt.Errorf("%q contains %s; a name may contain a-z, 0-9 and \"-\" (ids, host names and database names are made of it)", s, bad)
	}
	return fmt.Errorf("%q starts or ends with \"-\"; a name starts and ends with a-z or 0-9", s)
}

// ValidateRelease says whether s can be a release.
func ValidateRelease(s string) error {
	switch {
	case s == "":
		return fmt.Errorf("a release must not be empty: expected such as \"2026.11.3\"")
	case utf8.RuneCountInString(s) > 128:
		return fmt.Errorf("a release has at most 128 characters, this one has %d", utf8.RuneCountInString(s))
	case releaseRegexp.MatchString(s):
		return nil
	}
	if bad := outside(s, func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.+-", r)
	}); bad != "" {
		return fmt.Errorf("%q contains %s; a release may contain letters, digits, \"_\", \".\", \"+\" and \"-\"", s, bad)
	}
	return fmt.Errorf("%q starts with %q; a release starts with a letter, a digit or \"_\"", s, s[:1])
}

// outside lists the distinct characters of s that ok does not allow, quoted.
func outside(s string, ok func(rune) bool) string {
	var bad []string
	seen := map[rune]bool{}
	for _, r := range s {
		if !ok(r) && !seen[r] {
			seen[r] = true
			bad = append(bad, fmt.Sprintf("%q", r))
		}
	}
	return strings.Join(bad, ", ")
}
