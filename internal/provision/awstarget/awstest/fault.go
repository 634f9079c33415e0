package awstest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
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
	// Interrupt ends the context of whoever calls, as [Calls.Interrupts] says, while AWS does what
	// it was asked for.
	Interrupt
	// Busy refuses to remove or change what is just being made, where AWS does that; other calls
	// pass. It is none of those that each call can have.
	Busy
)

// busy are the calls that Busy refuses, with the error.
var busy = map[string]string{
	"DeleteDBCluster": "InvalidDBClusterStateFault", "ModifyDBCluster": "InvalidDBClusterStateFault",
	"DeleteDBInstance": "InvalidDBInstanceState", "DeleteTable": "ResourceInUseException", "UpdateTable": "ResourceInUseException",
}

// Faults lists the kinds that each call can have.
var Faults = []Fault{FailBefore, FailAfter, Throttle, Expire, Interrupt}

func (f Fault) String() string {
	return [...]string{"fail before", "fail after", "throttle", "expired token", "interrupt", "busy"}[f]
}

var (
	// errLost is what a client sees of an answer that was lost.
	errLost = errors.New("the connection was closed before the answer came")
	// errDead is what a client sees of everything once it was killed.
	errDead = errors.New("the process was killed")
)

// reads says whether a call changes nothing.
func reads(operation string) bool {
	for _, prefix := range []string{"Describe", "Get", "List", "Query", "BatchGet", "GET ", "HEAD "} {
		if strings.HasPrefix(operation, prefix) {
			return true
		}
	}
	return false
}

// Changes says whether a call may change something in the account but for what is recorded in it.
func (c Call) Changes() bool { return !reads(c.Operation) && c.Service != "dynamodb" }

// strike sends a request as the fault has it.
func (f Fault) strike(r *http.Request, call Call, next http.RoundTripper, interrupt func()) (*http.Response, error) {
	switch f {
	case FailAfter:
		return nil, lose(next.RoundTrip(r))
	case Throttle:
		return refusal(r, call, http.StatusBadRequest, "ThrottlingException", madeUp), nil
	case Expire:
		return refusal(r, call, http.StatusForbidden, "ExpiredTokenException", madeUp), nil
	case Busy:
		return refusal(r, call, http.StatusBadRequest, busy[call.Operation], madeUp), nil
	case Interrupt:
		answer, err := next.RoundTrip(r)
		interrupt()
		if r.Context().Err() != nil {
			return nil, errors.Join(r.Context().Err(), lose(answer, err))
		}
		return answer, err // whoever waits for it is not to be interrupted
	}
	return refusal(r, call, http.StatusInternalServerError, "InternalFailure", madeUp), nil
}

// madeUp is the message of errors whose words nobody reads.
const madeUp = "made by the test"

// lose throws an answer away.
func lose(answer *http.Response, err error) error {
	if err == nil {
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	return errLost
}

// refusal is an error as the service of a call would send it.
func refusal(r *http.Request, call Call, status int, code, says string) *http.Response {
	body, contentType := call.Error(code, says)
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
