package awstest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Calls is a RoundTripper that notes calls and lets some of them fail.
type Calls struct {
	next http.RoundTripper

	mu    sync.Mutex
	made  []Call
	fault Fault
	// at is which call fails, by the count of those that could; 0 for none.
	at, counted int
	// each says that each call fails once, and places that one at another place in a run is another
	// one: failed are those that have, by what they were and what had passed before them since the
	// last one that failed.
	each, places bool
	failed       map[string]bool
	passed       string
	// changing says that only calls count that change something, and that heartbeats don't, for they come when they come.
	changing bool
	// fatal are the calls that fail. Mortal says that the client dies with call at, or with the first that is
	// fatal; dead that it has.
	mortal, dead bool
	fatal        func(Call) (Fault, bool)
	// refused are the codes that operations are refused with, and their messages, refusals how often that is to come.
	refused   map[string]string
	refusals  map[string]int
	interrupt func()
	watch     func(Call)
}

// NewCalls notes what goes through next.
func NewCalls(next http.RoundTripper) *Calls {
	return &Calls{next: next, interrupt: func() {}, watch: func(Call) {}}
}

// FailAt starts to count anew and lets call n, counted from 1, fail; 0 lets none fail. Calls that
// read count too.
func (c *Calls) FailAt(n int, f Fault) { c.begin(f, n, false, false) }

// FailChange is FailAt for the calls that change something. Heartbeats don't count, for they come when they come.
func (c *Calls) FailChange(n int, f Fault) {
	c.begin(f, n, false, false)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changing = true
}

// FailWith starts to count anew and lets the calls fail that struck says.
func (c *Calls) FailWith(struck func(Call) bool, f Fault) {
	c.FailAs(func(call Call) (Fault, bool) { return f, struck(call) })
}

// FailAs starts to count anew and lets calls fail in the ways that struck says.
func (c *Calls) FailAs(struck func(Call) (Fault, bool)) {
	c.begin(0, 0, false, false)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fatal = struck
}

// FailEach starts anew and lets each call fail once: a request that is sent again as it was, after
// the same others, passes. Of those that read one is like the other wherever it is sent, and in whatever
// way: they fail before.
func (c *Calls) FailEach(f Fault) {
	c.begin(f, 0, true, false)
	c.places = true
}

// FailOnce is FailEach for runs that do many things at once, in whatever order: a request that is
// sent again as it was passes.
func (c *Calls) FailOnce(f Fault) { c.begin(f, 0, true, false) }

// DieAfter starts to count anew and lets the client die with the call that is number n of those
// that change something, as FailChange counts them: that one takes effect, but its answer and every later call
// are lost, and interrupt is called.
func (c *Calls) DieAfter(n int, interrupt func()) {
	c.begin(FailAfter, n, false, true)
	c.Interrupts(interrupt)
}

// DieWith is DieAfter for the first call that is fatal.
func (c *Calls) DieWith(fatal func(Call) bool, interrupt func()) {
	c.DieAfter(0, interrupt)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fatal = func(call Call) (Fault, bool) { return FailAfter, fatal(call) }
}

// Refuse starts to count anew and lets the first so many calls of each of these operations be refused,
// with an error of its code, "CODE" or "CODE: MESSAGE". They have no effect.
func (c *Calls) Refuse(times int, codes map[string]string) {
	c.begin(FailBefore, 0, false, false)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused, c.refusals = codes, map[string]int{}
	for operation := range codes {
		c.refusals[operation] = times
	}
}

// refuses is the code that a call is to be refused with, "" for none. The lock is held.
func (c *Calls) refuses(call Call) string {
	if c.refusals[call.Operation] == 0 {
		return ""
	}
	c.refusals[call.Operation]--
	return c.refused[call.Operation]
}

func (c *Calls) begin(f Fault, at int, each, mortal bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made, c.counted, c.at, c.fault, c.each, c.mortal = nil, 0, at, f, each, mortal
	c.failed, c.passed, c.places, c.changing, c.fatal = map[string]bool{}, "", false, false, nil
	c.refused, c.refusals = nil, nil
}

// Interrupts sets what the fault Interrupt does, and the death of the client.
func (c *Calls) Interrupts(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interrupt = f
}

// Watch has f called after each call that may have taken effect.
func (c *Calls) Watch(f func(Call)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch = f
}

// Failed says whether the call that was to fail was made.
func (c *Calls) Failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at > 0 && c.counted >= c.at
}

// Dead says whether the client has died.
func (c *Calls) Dead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

// Made lists the calls since it was begun to count, such as "kms CreateKey".
func (c *Calls) Made() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, call := range c.made {
		all = append(all, call.Service+" "+call.Operation)
	}
	return all
}

// Sent are these calls, each with what was sent.
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
	if c.dead {
		c.mu.Unlock()
		return nil, errDead
	}
	c.made = append(c.made, call)
	if code := c.refuses(call); code != "" {
		c.mu.Unlock()
		code, message, _ := strings.Cut(code, ": ")
		return refusal(r, call, http.StatusBadRequest, code, cmp.Or(message, madeUp)), nil
	}
	fault, strikes := c.strikes(call)
	interrupt, watch := c.interrupt, c.watch
	c.dead = strikes && c.mortal
	c.mu.Unlock()
	if strikes {
		answer, err := fault.strike(r, call, c.next, interrupt)
		if c.mortal {
			interrupt()
		}
		watch(call)
		return answer, err
	}
	answer, err := c.next.RoundTrip(r)
	if err == nil {
		watch(call)
	}
	return answer, err
}

// strikes says whether a call is to fail, and in which way. The lock is held.
func (c *Calls) strikes(call Call) (f Fault, struck bool) {
	f = c.fault
	switch {
	case c.each && reads(call.Operation) && c.fault != FailBefore:
		return f, false // for who reads it is as if it had failed before
	case c.fault == Busy && busy[call.Operation] == "":
		return f, false
	case c.each:
		what, key := call.essence(), ""
		if c.places && !reads(call.Operation) {
			key = c.passed
		}
		if key += " then " + what; !c.failed[key] {
			c.failed[key], c.passed = true, ""
			return f, true
		}
		if !reads(call.Operation) {
			c.passed = what
		}
		return f, false
	case (c.mortal || c.changing) && (reads(call.Operation) || call.beats()):
		return f, false
	case c.fatal != nil:
		return c.fatal(call)
	}
	c.counted++
	return f, c.counted == c.at
}

// beats says whether a call renews a lease, or takes one.
func (c Call) beats() bool {
	return c.Service == "dynamodb" && bytes.Contains(c.Body, []byte("ADD #beat "))
}

// random is what is another one each time that a request is sent again: passwords, what a server
// checks them by, transactions, and by what runs of tasks are told from each other.
var random = regexp.MustCompile(`"SecretString":"(\\.|[^"\\])*"|SCRAM-SHA-256[^\\']*|"transactionId":"[^"]*"|-task-[0-9a-f]{8}|/task/[A-Z2-7]{26}|"clientToken":"[^"]*"`)

// essence is what of a call is the same when it is sent again. Of rows it is not what is written
// into them: that has stamps and times.
func (c Call) essence() string {
	body := random.ReplaceAllString(string(c.Body), "")
	if c.Service == "dynamodb" && !reads(c.Operation) {
		var row struct {
			TableName, UpdateExpression, ConditionExpression string
			Key                                              json.RawMessage
		}
		if err := json.Unmarshal(c.Body, &row); err == nil {
			body = row.TableName + string(row.Key) + row.UpdateExpression + row.ConditionExpression
		}
	}
	return c.Service + " " + c.Region + " " + c.Operation + " " + body
}
