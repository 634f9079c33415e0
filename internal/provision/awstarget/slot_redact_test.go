package awstarget

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/accountdb"
)

func TestTheTextsOfASecretAreWhatMustNotBeShown(t *testing.T) {
	t.Parallel()
	const login = `{"username":"me","password":"open"}`
	for _, c := range []struct {
		secret, member string
		want           []string
	}{
		{"plain", "", []string{"plain"}},
		{login, "", []string{login, "open"}},
		{login, "username", []string{"me"}},
		{login, "nothing", nil},
	} {
		if diff := cmp.Diff(c.want, textsOf(c.secret, c.member)); diff != "" {
			t.Errorf("member %q of %s (-want +got):\n%s", c.member, c.secret, diff)
		}
	}
}

func TestPasswordsOfAccountsAreRecognised(t *testing.T) {
	t.Parallel()
	if in := "signs in with " + accountdb.NewPassword() + "."; !passwordRegexp.MatchString(in) {
		t.Errorf("%q shows no password", in)
	}
}

func TestAShareIsJudgedButForThreeMinutes(t *testing.T) {
	t.Parallel()
	d := New(Settings{Region: "eu-central-1"}, Options{})
	for held, want := range map[time.Duration]time.Duration{
		10 * time.Second: 0, 239 * time.Second: 0, 240 * time.Second: time.Minute, 10 * time.Minute: 7 * time.Minute,
	} {
		if got := d.Judged(held); got != want {
			t.Errorf("of %s %s are judged, want %s", held, got, want)
		}
	}
}
