package proxy

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// answer reads the instance's answer and writes it to the client. It reports whether the
// connection to the instance could serve another request.
func (x *exchange) answer() (reusable bool) {
	h := x.w.Header()
	rep, err := x.readFinalReply(h)
	if err != nil {
		clear(h)
		x.refuse(x.explain(err))
		return false
	}
	x.awaited()
	if rep.status >= http.StatusInternalServerError {
		x.serverError()
	}
	h[ReleaseHeader] = x.entry.release
	if x.cookie != "" {
		h["Set-Cookie"] = append(h["Set-Cookie"], x.cookie)
	}
	if rep.status == http.StatusSwitchingProtocols {
		x.splice(rep, h)
		return false
	}
	if _, typed := h["Content-Type"]; !typed {
		h["Content-Type"] = nil // or net/http would guess one
	}
	if x.closesClient() {
		h["Connection"] = []string{"close"}
	}
	x.w.WriteHeader(rep.status)
	if isEventStream(h) {
		return x.streamBody(rep)
	}
	if err := x.copyBody(rep, nil); err != nil {
		x.breakOff(err)
	}
	return rep.keepAlive
}

// readFinalReply reads interim answers, of which the client gets what it can use, and the
// head of the final one.
func (x *exchange) readFinalReply(h http.Header) (reply, error) {
	for {
		rep, err := readReply(x.conn.reader, x.r.Method, h)
		switch {
		case err != nil:
			return reply{}, err
		case rep.status == http.StatusSwitchingProtocols:
			if !wantsUpgrade(x.r) || !strings.EqualFold(rep.upgrade, upgradeProtocol) {
				return reply{}, fmt.Errorf("%w: switch to protocol %.60q", errBadReply, rep.upgrade)
			}
			return rep, nil
		case rep.status >= 200:
			return rep, nil
		case rep.status == http.StatusContinue:
			x.sender.allow() // net/http tells the client when it reads the body
		case x.r.ProtoAtLeast(1, 1):
			x.w.WriteHeader(rep.status)
		}
		clear(h)
	}
}

// closesClient reports whether the client's connection must not be used for another request
// (in HTTP/2: for none that is not under way).
func (x *exchange) closesClient() bool {
	// A body that was not read to its end would be taken for the next request.
	return x.proxy.leaving.Load() || x.r.ProtoMajor == 1 && x.sender.unread()
}

// explain turns an error about an answer of which nothing has been passed on into one of
// our own.
func (x *exchange) explain(err error) *refusal {
	if x.r.Context().Err() != nil {
		return x.clientLeft()
	}
	if x.sender.clientFailed() {
		return &refusal{http.StatusBadRequest, codeBadRequest, "the body could not be read to its end"}
	}
	if errors.Is(err, errBadReply) {
		x.failed(x.instance, "understand instance", err)
		return &refusal{http.StatusBadGateway, codeBadAnswer, x.who() + ": " + err.Error()}
	}
	return x.lost(x.instance, err)
}

// breakOff gives up an answer of which the client has a part.
func (x *exchange) breakOff(err error) {
	if x.r.Context().Err() == nil && !errors.Is(err, errClient) {
		x.broken = true
		x.failed(x.instance, "pass on answer", err)
	}
	panic(http.ErrAbortHandler)
}
