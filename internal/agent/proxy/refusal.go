package proxy

import (
	"io"
	"net/http"
	"strconv"
)

// Headers that the proxy sets on answers.
const (
	ReleaseHeader = "Slipway-Release" // the release that gave the answer
	ErrorHeader   = "Slipway-Error"   // a short code, on answers of the proxy itself
)

// probeHeader marks a request as a probe of our own. It is never passed on.
const probeHeader = "Slipway-Probe"

// Values of the header Slipway-Error.
const (
	codeBadRequest   = "bad-request"          // 400: cannot be said in HTTP/1.1
	codeNoRoute      = "no-route"             // 404
	codeUnknownRoute = "route-unknown"        // 503: no route, and not all routes are known
	codeNoStack      = "no-stack"             // 503: nothing serves in the slot at this entrance
	codeNoInstance   = "no-instance"          // 503: the component has no healthy instance
	codeUnreachable  = "instance-unreachable" // 502: no instance could be connected to
	codeTimeout      = "instance-timeout"     // 504: no instance could be connected to in time
	codeLost         = "instance-lost"        // 502: the instance went away with the request
	codeBadAnswer    = "bad-answer"           // 502: the instance does not speak HTTP/1.1
)

// refusal is an answer of the proxy itself.
type refusal struct {
	status int
	code   string
	text   string
}

// write answers with the refusal and sets a cookie unless it is "". With closes it asks the
// client to use another connection from now on.
func (f *refusal) write(w http.ResponseWriter, closes bool, cookie string) {
	h := w.Header()
	clear(h)
	h["Content-Type"] = []string{"text/plain; charset=utf-8"}
	h["Content-Length"] = []string{strconv.Itoa(len(f.text) + 1)}
	h["Cache-Control"] = []string{"no-store"}
	h[ErrorHeader] = []string{f.code}
	if cookie != "" {
		h["Set-Cookie"] = []string{cookie}
	}
	if closes {
		h["Connection"] = []string{"close"}
	}
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, f.text+"\n") // a client that has gone needs no answer
}
