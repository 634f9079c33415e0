package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// exchange is one request on its way to an instance, and the answer on its way back.
type exchange struct {
	proxy    *Proxy
	entrance Entrance
	w        http.ResponseWriter
	r        *http.Request
	entry    *entry
	stack    *stack
	cookie   string // to be set, "" for none
	counted  bool   // as an ordinary request
	probe    bool   // it is one of our own and not measured
	crossed  bool   // it is not on its own side of a split

	began, ended time.Time // when the head had been read, and the answer passed on
	broken       bool      // there was no answer, half of one, or one of an error of the server
	streams      bool      // the answer has no natural end
	waiter       *waiter   // until the answer begins; nil where nobody looks at that

	instance *instance
	conn     *conn
	unguard  func() bool // ends the watch for a client that leaves
	sender   *sender     // of a long body
}

// handle answers one request of a client.
func (p *Proxy) handle(e Entrance, w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	refused := checkRequest(r)
	var found *entry
	var cookie string
	if refused == nil {
		found, cookie, refused = p.enter(e, r)
	}
	if refused != nil {
		refused.write(w, p.leaving.Load(), "")
		return
	}
	x := &exchange{proxy: p, entrance: e, w: w, r: r, cookie: cookie, counted: true, probe: p.isProbe(r)}
	x.join(found, began)
	defer x.leave()
	x.run()
}

// join counts the exchange where it has entered.
func (x *exchange) join(e *entry, at time.Time) {
	x.entry, x.stack, x.began = e, e.turn.stack, at
	x.stack.counters.requests.Add(1)
	x.stack.counters.inFlight.Add(1)
	e.instances.gauge.add(at.Sub(x.proxy.start), 1)
}

// part undoes that, once it has been measured.
func (x *exchange) part() {
	x.measure()
	x.stack.counters.inFlight.Add(-1)
	x.entry.turn.requests.leave()
}

// leave ends the exchange for those who count it.
func (x *exchange) leave() {
	if !x.counted {
		return
	}
	x.counted = false
	if x.ended.IsZero() {
		x.ended = time.Now()
	}
	x.entry.turn.last.set(x.ended)
	x.stack.counters.lastAnswer.set(x.ended)
	x.part()
	if x.instance != nil {
		x.instance.requests.leave()
	}
}

// measure tells the meters that the exchange has ended.
func (x *exchange) measure() {
	age, latency := x.ended.Sub(x.proxy.start), x.ended.Sub(x.began)
	if x.streams {
		latency = noLatency
	}
	x.entry.instances.gauge.add(age, -1)
	how := served
	switch long := x.awaited(); {
	case x.broken:
		how = failed
	case long:
		how = unanswered
	}
	if m := x.entry.turn.meter; m != nil && !x.probe {
		m.record(age, latency, how)
	}
}

// run does the exchange. Where the answer breaks off, it panics with http.ErrAbortHandler,
// which breaks off the client's side as well.
func (x *exchange) run() {
	refused := x.send()
	if refused != nil {
		x.refuse(refused)
		return
	}
	defer x.instance.busy.Add(-1)
	reusable := false
	defer func() {
		sent := x.sender.finish(x.w)
		unguarded := x.unguard()
		if reusable && sent && unguarded && x.conn.reader.Buffered() == 0 {
			x.instance.pool.put(x.conn, x.ended)
			return
		}
		_ = x.conn.Close() // whatever is left on it, nobody wants it
	}()
	reusable = x.answer()
	x.ended = time.Now()
}

// send brings the head of the request, and a small body, to an instance. It turns to
// another one, or to a fresh connection, only while not one byte has been written.
func (x *exchange) send() *refusal {
	buffer := x.proxy.buffers.get()
	defer x.proxy.buffers.put(buffer)
	*buffer = appendRequest(*buffer, x.r)
	if isSmall(x.r) {
		if err := x.readSmallBody(buffer); err != nil {
			return x.clientLeft()
		}
	}
	x.await()
	ctx := x.r.Context()
	var tried []*instance
	var lastErr error
	for {
		i := x.entry.instances.pick(tried)
		if i == nil && x.cross(len(tried)) {
			tried, lastErr = nil, nil
			continue
		}
		if i == nil {
			return x.unreachable(tried, lastErr)
		}
		c, err := i.connect(ctx)
		if err == nil {
			var written int
			unguard := context.AfterFunc(ctx, func() { _ = c.Close() })
			if written, err = c.Write(*buffer); err == nil {
				x.instance, x.conn, x.unguard = i, c, unguard
				if !isSmall(x.r) {
					// The answer may begin before the body has ended.
					_ = http.NewResponseController(x.w).EnableFullDuplex() // where it is not possible it is not needed
					x.sender = startSender(c, x.r, x.waiter, &x.proxy.buffers)
				}
				return nil
			}
			unguard()
			_ = c.Close() // it is broken
			if written > 0 {
				i.exit()
				return x.lost(i, err)
			}
		}
		i.exit()
		if ctx.Err() != nil {
			return x.clientLeft()
		}
		lastErr = err
		if c == nil || !c.used { // else it was an old connection, and the pool has one less
			x.failed(i, "connect to instance", err)
			i.suspect()
			tried = append(tried, i)
		}
	}
}

func (x *exchange) readSmallBody(buffer *[]byte) error {
	head, length := len(*buffer), int(x.r.ContentLength)
	if length == 0 {
		return nil
	}
	*buffer = append(*buffer, make([]byte, length)...)
	_, err := io.ReadFull(x.r.Body, (*buffer)[head:])
	return err
}

// failed counts and logs a connection that did not do its work.
func (x *exchange) failed(i *instance, what string, err error) {
	x.stack.counters.connectionFailures.Add(1)
	x.proxy.log.Debug(what, "stack", x.stack.ID, "component", x.entry.component, "instance", i.ID, "error", err)
}

func (x *exchange) refuse(f *refusal) {
	if f.status >= http.StatusInternalServerError {
		x.serverError()
	}
	x.awaited()
	f.write(x.w, x.closesClient(), x.cookie)
}

// serverError counts an answer with a status of 500 and up.
func (x *exchange) serverError() {
	x.broken = true
	x.stack.counters.serverErrors.Add(1)
}

// clientLeft ends an exchange that nobody waits for any more.
func (x *exchange) clientLeft() *refusal { panic(http.ErrAbortHandler) }

// unreachable tells why no instance was left to try.
func (x *exchange) unreachable(tried []*instance, err error) *refusal {
	who := x.who()
	var timeout net.Error
	switch {
	case len(tried) == 0:
		return &refusal{http.StatusServiceUnavailable, codeNoInstance, who + " has no healthy instance"}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &refusal{http.StatusGatewayTimeout, codeTimeout, fmt.Sprintf("%s: none of %d instances could be connected to in time", who, len(tried))}
	}
	return &refusal{http.StatusBadGateway, codeUnreachable, fmt.Sprintf("%s: none of %d instances could be connected to", who, len(tried))}
}

// lost tells that an instance went away after it may have seen the request.
func (x *exchange) lost(i *instance, err error) *refusal {
	x.failed(i, "lose instance", err)
	return &refusal{http.StatusBadGateway, codeLost, x.who() + ": the instance went away before it answered; it may have done what was asked"}
}

func (x *exchange) who() string {
	return fmt.Sprintf("slot %q, component %q of release %s", x.entry.slot, x.entry.component, x.entry.release[0])
}
