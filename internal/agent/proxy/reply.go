package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// errBadReply is wrapped by all errors about an answer that is not HTTP/1.1.
var errBadReply = errors.New("malformed answer")

// reply is what the head of an instance's answer says about the answer itself; what it
// says to the client is in a header.
type reply struct {
	status    int
	length    int64 // of the body, -1 if it is chunked or ends with the connection
	chunked   bool
	keepAlive bool
	upgrade   string // what the connection was switched to
}

// readReply reads the head of an answer to a request with the method, and puts the fields
// that are for the client into h.
func readReply(r *bufio.Reader, method string, h http.Header) (reply, error) {
	head, err := readHead(r)
	if err != nil {
		return reply{}, err
	}
	status, fields, _ := strings.Cut(head, "\n")
	p := replyParser{header: h}
	if err := p.parseStatus(strings.TrimSuffix(status, "\r")); err != nil {
		return reply{}, err
	}
	if err := p.parseFields(fields); err != nil {
		return reply{}, err
	}
	p.settle(method)
	return p.reply, nil
}

// replyParser makes a reply of the lines of its head.
type replyParser struct {
	reply
	header     http.Header
	connection []string // values of Connection
	previous   []string // of the field that a folded line continues, nil for none
}

func (p *replyParser) parseStatus(line string) error {
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if err != nil || len(code) != 3 || status < 100 || version != "HTTP/1.1" && version != "HTTP/1.0" {
		return fmt.Errorf("%w: status line %.60q", errBadReply, line)
	}
	p.status, p.length, p.keepAlive = status, -1, version == "HTTP/1.1"
	return nil
}

func (p *replyParser) parseFields(lines string) error {
	values := make([]string, strings.Count(lines, "\n")) // backs all fields with one value
	for n := range values {
		var line string
		line, lines, _ = strings.Cut(lines, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if p.previous == nil {
				return fmt.Errorf("%w: folded line %.60q", errBadReply, line)
			}
			p.previous[len(p.previous)-1] += " " + trim(line)
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found || !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("%w: header line %.60q", errBadReply, line)
		}
		values[n] = trim(value)
		if err := p.field(http.CanonicalHeaderKey(name), values[n:n+1:n+1]); err != nil {
			return err
		}
	}
	return nil
}

// field takes a field with its only value.
func (p *replyParser) field(key string, value []string) error {
	p.previous = nil
	switch key {
	case "Connection":
		p.connection = append(p.connection, value[0])
		return nil
	case "Transfer-Encoding":
		if p.chunked || !strings.EqualFold(value[0], "chunked") {
			return fmt.Errorf("%w: transfer encoding %.60q", errBadReply, value[0])
		}
		p.chunked = true
		return nil
	case "Upgrade":
		p.upgrade = value[0]
		return nil
	case "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Te", ReleaseHeader, ErrorHeader:
		return nil
	case "Content-Length":
		length, err := strconv.ParseUint(value[0], 10, 63)
		if err != nil || p.length >= 0 && p.length != int64(length) {
			return fmt.Errorf("%w: content length %.60q", errBadReply, value[0])
		}
		p.length = int64(length)
		p.header[key] = value
		return nil
	}
	if known := p.header[key]; known != nil {
		value = append(known, value[0])
	}
	p.header[key] = value
	p.previous = value
	return nil
}

// settle decides what the fields mean together (RFC 9112, sections 6.3 and 9.3).
func (p *replyParser) settle(method string) {
	for _, value := range p.connection {
		for option := range strings.SplitSeq(value, ",") {
			switch option = http.CanonicalHeaderKey(trim(option)); option {
			case "Close":
				p.keepAlive = false
			case "Keep-Alive":
				p.keepAlive = true
			case "Content-Length":
			default:
				delete(p.header, option)
			}
		}
	}
	bodiless := method == http.MethodHead || !bodyAllowed(p.status)
	if p.chunked || !bodyAllowed(p.status) { // of a 304 too, where some clients expect a body then
		delete(p.header, "Content-Length")
	}
	if !p.chunked || bodiless {
		delete(p.header, "Trailer")
	}
	switch {
	case bodiless:
		p.length, p.chunked = 0, false
	case p.chunked: // goes before a length
		p.length = -1
	case p.length < 0:
		p.keepAlive = false
	}
}

// bodyAllowed reports whether answers with the status have a body.
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// trim removes what HTTP calls optional white space.
func trim(s string) string { return strings.Trim(s, " \t") }
