package accountdb

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestVerifierIsThatOfRFC7677(t *testing.T) {
	t.Parallel()
	// The RFC's example, user "user", password "pencil".
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	if err != nil {
		t.Fatal(err)
	}
	got, err := verifierWith("pencil", salt)
	want := "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
	if err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestVerifierRefusesWhatSASLprepWouldChange(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"", "pässword", "tab\there", "line\n", "nul\x00"} {
		if got, err := verifier(password); err == nil {
			t.Errorf("%q: got %q, want an error", password, got)
		}
	}
}

func TestNewPasswordsDiffer(t *testing.T) {
	t.Parallel()
	one, two := NewPassword(), NewPassword()
	if one == two || len(one) < 20 || strings.ContainsAny(one, "'\\ ") {
		t.Errorf("got %q and %q", one, two)
	}
}
