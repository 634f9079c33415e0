package proxy

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// upgradeProtocol is the only protocol that a connection may be switched to. Any other
// would let clients speak to instances past the proxy.
const upgradeProtocol = "websocket"

// checkRequest refuses what the front door lets through (HTTP/2 knows no lines) but cannot
// be written as a line of HTTP/1.1 without meaning something else.
func checkRequest(r *http.Request) *refusal {
	switch {
	case r.Method == http.MethodConnect:
		return &refusal{http.StatusBadRequest, codeBadRequest, "CONNECT is not for this server"}
	case !httpguts.ValidHeaderFieldName(r.Method):
		return &refusal{http.StatusBadRequest, codeBadRequest, "the method is malformed"}
	case !printable(r.Host):
		return &refusal{http.StatusBadRequest, codeBadRequest, "the host is malformed"}
	case !printable(requestTarget(r)):
		return &refusal{http.StatusBadRequest, codeBadRequest, "the request target is malformed"}
	}
	return nil
}

// printable reports whether s has neither spaces nor control characters.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// requestTarget is what the request line names, as the client wrote it.
func requestTarget(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI() // of an absolute form
}

// wantsUpgrade reports whether a request asks for its connection to become a WebSocket.
func wantsUpgrade(r *http.Request) bool {
	return r.ProtoMajor == 1 && r.ProtoMinor == 1 && r.ContentLength == 0 &&
		strings.EqualFold(r.Header.Get("Upgrade"), upgradeProtocol) &&
		httpguts.HeaderValuesContainsToken(r.Header["Connection"], "upgrade")
}

// appendRequest appends the head of a request as the instance gets it.
func appendRequest(b []byte, r *http.Request) []byte {
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, requestTarget(r)...)
	b = append(b, " HTTP/1.1\r\n"...)
	b = appendField(b, "Host", r.Host)
	perHop := perHopFields(r.Header["Connection"])
	for key, values := range r.Header {
		if skipField(key) || slices.Contains(perHop, key) {
			continue
		}
		for _, value := range values {
			if key == "Cookie" {
				if value = withoutSide(value); value == "" {
					continue
				}
			}
			b = appendField(b, key, value)
		}
	}
	if httpguts.HeaderValuesContainsToken(r.Header["Te"], "trailers") {
		b = appendField(b, "Te", "trailers")
	}
	b = appendForwarded(b, r)
	if wantsUpgrade(r) {
		b = appendField(b, "Connection", "Upgrade")
		b = appendField(b, "Upgrade", upgradeProtocol)
	}
	b = appendFraming(b, r)
	return append(b, "\r\n"...)
}

func appendField(b []byte, key, value string) []byte {
	b = append(b, key...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

// skipField reports whether a field is not passed on as it is: it holds for one connection
// only (RFC 9110, section 7.6.1), or the proxy writes its own.
func skipField(key string) bool {
	switch key {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "Content-Length", "Host", ReleaseHeader, ErrorHeader, probeHeader,
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto":
		return true
	}
	return false
}

// perHopFields returns the fields that Connection names beside the usual ones.
func perHopFields(connection []string) []string {
	var named []string
	for _, value := range connection {
		for option := range strings.SplitSeq(value, ",") {
			switch option = trim(option); option {
			case "keep-alive", "close", "Upgrade", "upgrade":
			default:
				named = append(named, http.CanonicalHeaderKey(option))
			}
		}
	}
	return named
}

// appendForwarded tells the instance what it cannot see behind a proxy.
func appendForwarded(b []byte, r *http.Request) []byte {
	client := r.RemoteAddr
	if i := strings.LastIndexByte(client, ':'); i >= 0 {
		client = strings.Trim(client[:i], "[]")
	}
	b = append(b, "X-Forwarded-For: "...)
	for _, before := range r.Header["X-Forwarded-For"] {
		b = append(b, before...)
		b = append(b, ", "...)
	}
	b = append(b, client...)
	b = append(b, "\r\nX-Forwarded-Proto: https\r\n"...)
	return appendField(b, "X-Forwarded-Host", r.Host)
}

// appendFraming says where the body ends.
func appendFraming(b []byte, r *http.Request) []byte {
	switch {
	case r.ContentLength > 0:
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, r.ContentLength, 10)
		return append(b, "\r\n"...)
	case r.ContentLength < 0:
		for key := range r.Trailer {
			b = appendField(b, "Trailer", key)
		}
		return appendField(b, "Transfer-Encoding", "chunked")
	case r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch:
		return appendField(b, "Content-Length", "0")
	}
	return b
}
