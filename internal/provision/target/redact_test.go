package target

import (
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text    string
		secrets []string
		want    string
	}{
		"each occurrence":                    {"pw=abc, abc.", []string{"abc"}, "pw=[redacted], [redacted]."},
		"the longer of two that begin alike": {"abcdef", []string{"abc", "abcdef"}, "[redacted]"},
		"two that overlap":                   {"xabcdex", []string{"abc", "cde"}, "x[redacted]x"},
		"one that overlaps itself":           {"aaa.", []string{"aa"}, "[redacted]."},
		"two side by side":                   {"abcdef", []string{"abc", "def"}, "[redacted][redacted]"},
		"in a query":                         {"?p=a%2Fb+c%26", []string{"a/b c&"}, "?p=[redacted]"},
		"in a path":                          {"/a%2Fb%20c&/", []string{"a/b c&"}, "/[redacted]/"},
		"in a user part":                     {"postgres://u:a%40%3Ab;@h", []string{"a@:b;"}, "postgres://u:[redacted]@h"},
		"with small hexadecimal digits":      {"a%2fb%3a", []string{"a/b:"}, "[redacted]"},
		"in JSON":                            {`{"p":"a\"b\\c\n"}`, []string{"a\"b\\c\n"}, `{"p":"[redacted]"}`},
		"in JSON made for HTML":              {`"a\u003cb\u0026"`, []string{"a<b&"}, `"[redacted]"`},
		"in JSON not made for HTML":          {`"a<b\""`, []string{`a<b"`}, `"[redacted]"`},
		"nothing for an empty secret":        {"text", []string{""}, "text"},
		"nothing in an empty text":           {"", []string{"abc"}, ""},
		"nothing that only looks like one":   {"ab c", []string{"abc"}, "ab c"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Redact(c.text, c.secrets); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func BenchmarkRedact(b *testing.B) {
	secrets := make([]string, 400)
	for i := range secrets {
		secrets[i] = strings.Repeat(string(rune('a'+i%26)), 30) + string(rune('0'+i%10)) + "/"
	}
	text := strings.Repeat("2026-11-03 12:00:00 GET /orders/123 200 17ms account=acme\n", 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Redact(text, secrets)
	}
}
