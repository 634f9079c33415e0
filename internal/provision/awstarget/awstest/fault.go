package awstest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Fault is what happens to one call.
type Fault int

// Kinds of faults.
const (
	// FailBefore answers with an error of the server; the call has no effect.
	FailBefore Fault = iota
	// FailAfter lets the call take effect and loses the answer.
	FailAfter
	// Throttle answers that there were too many calls; the call has no effect.
	Throttle
	// Expire answers that the credentials have expired; the call has no effect.
	Expire
)

// Faults lists the kinds.
var Faults = []Fault{FailBefore, FailAfter, Throttle, Expire}

func (f Fault) String() string {
	return [...]string{"fail before", "fail after", "throttle", "expired token"}[f]
}

// errLost is what a client sees of an answer that was lost.
var errLost = errors.New("the connection was closed before the answer came")

// Calls is a RoundTripper that counts calls and lets one of them fail.
type Calls struct {
	next http.RoundTripper

	mu      sync.Mutex
	made    []Call
	counted int
	at      int
	fault   Fault
	// failed are the requests that failed once, nil unless each is to.
	failed map[string]bool
}

// NewCalls counts what goes through next.
func NewCalls(next http.RoundTripper) *Calls { return &Calls{next: next} }

// FailAt starts to count anew and lets call n, counted from 1, fail; 0 lets none fail. For
// FailBefore every call counts. To the other faults a call that only reads is no other than a
// failed one: those that change something count.
func (c *Calls) FailAt(n int, f Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made, c.counted, c.at, c.fault, c.failed = nil, 0, n, f, nil
}

// FailEach starts to count anew and lets each request that changes something fail once: when
// it is sent again as it was, it passes. Those to DynamoDB, where leases and records are, pass.
func (c *Calls) FailEach(f Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made, c.counted, c.at, c.fault, c.failed = nil, 0, 0, f, map[string]bool{}
}

// random is what is another one each time that a request is sent again: passwords, what a server
// checks them by, and transactions.
var random = regexp.MustCompile(`"SecretString":"(\\.|[^"\\])*"|SCRAM-SHA-256[^\\']*|"transactionId":"[^"]*"`)

// fails says whether a call is to fail. The lock is held.
func (c *Calls) fails(call Call) bool {
	if c.failed != nil {
		sent := call.Service + " " + call.Operation + " " + string(random.ReplaceAll(call.Body, nil))
		if reads(call.Operation) || call.Service == "dynamodb" || c.failed[sent] {
			return false
		}
		c.failed[sent] = true
		return true
	}
	if c.fault != FailBefore && reads(call.Operation) {
		return false
	}
	c.counted++
	return c.counted == c.at
}

// Failed says whether the call of FailAt was made.
func (c *Calls) Failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at > 0 && c.counted >= c.at
}

// reads says whether a call changes nothing.
func reads(operation string) bool {
	for _, prefix := range []string{"Describe", "Get", "List", "Query", "GET ", "HEAD "} {
		if strings.HasPrefix(operation, prefix) {
			return true
		}
	}
	return false
}

// Made lists the calls since FailAt, such as "kms CreateKey".
func (c *Calls) Made() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, call := range c.made {
		all = append(all, call.Service+" "+call.Operation)
	}
	return all
}

// Sent are the calls since FailAt, each with what was sent.
func (c *Calls) Sent() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.made)
}

// RoundTrip sends a request, or what the fault makes of it.
func (c *Calls) RoundTrip(r *http.Request) (*http.Response, error) {
	call, err := identify(r)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.made = append(c.made, call)
	faulty, fault := c.fails(call), c.fault
	c.mu.Unlock()
	if !faulty {
		return c.next.RoundTrip(r)
	}
	switch fault {
	case FailAfter:
		response, err := c.next.RoundTrip(r)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		return nil, errLost
	case Throttle:
		return refusal(r, call, http.StatusBadRequest, "ThrottlingException"), nil
	case Expire:
		return refusal(r, call, http.StatusForbidden, "ExpiredTokenException"), nil
	}
	return refusal(r, call, http.StatusInternalServerError, "InternalFailure"), nil
}

// refusal is an error as the service of a call would send it.
func refusal(r *http.Request, call Call, status int, code string) *http.Response {
	body, contentType := call.Error(code, "made by the test")
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {contentType}, "X-Amzn-Errortype": {code}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)), Request: r,
	}
}

// isQuery says whether a body is that of a query protocol.
func isQuery(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}
