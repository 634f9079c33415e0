package proxy

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// SideCookie is the name of the cookie that keeps a client on one side of a split. It holds
// a position that was drawn at random and says nothing of a release. Applications never see it.
const SideCookie = "slipway-side"

// sideDigits is the length of a position in the cookie.
const sideDigits = 6

// sideCookie is a position as the field Set-Cookie gives it to the client: for a session, and
// for all names of the environment.
func (p *Proxy) sideCookie(at position) string {
	return fmt.Sprintf("%s=%0*d; Path=/; Domain=%s; HttpOnly; Secure; SameSite=Lax", SideCookie, sideDigits, at, p.domain)
}

// readSideCookie returns the position that a client has been given before.
func readSideCookie(r *http.Request) (position, bool) {
	c, err := r.Cookie(SideCookie)
	if err != nil || len(c.Value) != sideDigits {
		return 0, false
	}
	at, err := strconv.ParseUint(c.Value, 10, 64)
	return position(at), err == nil
}

// withoutSide returns the value of a field Cookie without the side, which may leave nothing.
func withoutSide(cookies string) string {
	if !strings.Contains(cookies, SideCookie) {
		return cookies
	}
	var kept []string
	for pair := range strings.SplitSeq(cookies, ";") {
		name, _, _ := strings.Cut(pair, "=")
		if pair = trim(pair); pair != "" && trim(name) != SideCookie {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "; ")
}
