package target

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// redacted stands where a secret was.
const redacted = "[redacted]"

// Redact replaces the secrets in a text, also where they are URL-encoded or JSON-escaped. Secrets that
// overlap are replaced together, so that no end of the shorter or later one shows.
func Redact(text string, secrets []string) string {
	found := occurrences(text, secrets)
	if len(found) == 0 {
		return text
	}
	var out strings.Builder
	end := 0
	for _, hit := range found {
		if hit.from < end { // overlaps what is replaced already
			end = max(end, hit.to)
			continue
		}
		out.WriteString(text[end:hit.from])
		out.WriteString(redacted)
		end = hit.to
	}
	out.WriteString(text[end:])
	return out.String()
}

// span is a part of a text.
type span struct{ from, to int }

// occurrences returns where any form of a secret stands, in the order of the text, longest first.
func occurrences(text string, secrets []string) []span {
	var found []span
	seen := map[string]bool{"": true}
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			if seen[form] {
				continue
			}
			seen[form] = true
			for from := 0; ; from++ {
				i := strings.Index(text[from:], form)
				if i < 0 {
					break
				}
				from += i
				found = append(found, span{from, from + len(form)})
			}
		}
	}
	slices.SortFunc(found, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to))
	})
	return found
}

// forms returns the ways in which programs write a secret into URLs, JSON and plain text.
func forms(secret string) []string {
	userinfo := strings.TrimPrefix(url.UserPassword("", secret).String(), ":")
	encoded := []string{url.QueryEscape(secret), url.PathEscape(secret), userinfo}
	forms := append([]string{secret}, encoded...)
	for _, form := range encoded {
		forms = append(forms, lowerEscapes(form))
	}
	escaped, err := json.Marshal(secret) // never fails on a string
	if err != nil {
		return forms
	}
	inner := string(escaped[1 : len(escaped)-1])
	plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(inner)
	return append(forms, inner, plain)
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(text string) string {
	lower := []byte(text)
	for i := 0; i+2 < len(lower); i++ {
		if lower[i] == '%' {
			copy(lower[i+1:i+3], strings.ToLower(text[i+1:i+3]))
		}
	}
	return string(lower)
}
