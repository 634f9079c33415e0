package proxy_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/proxy"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// hanging is a slot whose instances take requests and do not answer until released.
type hanging struct {
	*door
	begun   chan struct{}
	release func()
	all     sync.WaitGroup
}

func openHanging(t *testing.T) *hanging {
	t.Helper()
	released := make(chan struct{})
	h := &hanging{door: openDoor(t), begun: make(chan struct{}, 10), release: sync.OnceFunc(func() { close(released) })}
	h.put(t, "blue", "1", startApp(t, "1", func(_ http.ResponseWriter, r *http.Request) {
		h.begun <- struct{}{}
		select {
		case <-released:
		case <-r.Context().Done():
		}
	}).Instance)
	h.serve(t, "blue")
	must(t, h.SetPreview("oms", "blue"))
	t.Cleanup(func() {
		h.release()
		h.all.Wait()
	})
	return h
}

// ask sends a request and returns when it has come to the instance, with what has its client leave.
func (h *hanging) ask(t *testing.T, address, protocol string, change func(*http.Request)) (leave func()) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+domain+"/", nil)
	must(t, err)
	change(r)
	client := httpClient(t, address, protocol)
	h.all.Go(func() { _, _ = try(client, r) })
	receive(t, "the request", h.begun)
	return leave
}

func (h *hanging) now() proxy.Measurement {
	return h.Measure("blue", time.Now().Add(-proxy.MeasuredTime/2), time.Now())
}

func ordinary(*http.Request) {}

// A stack that takes requests and never answers must not look as if it had none.
func TestARequestThatWaitsIsMeasured(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			h := openHanging(t)
			sent := time.Now()
			leave := h.ask(t, h.production, protocol, ordinary)
			h.ask(t, h.production, protocol, ordinary)
			var m proxy.Measurement
			eventually(t, "requests that wait", func() bool { m = h.now(); return m.Waiting == 2 })
			if m.Requests != 0 || m.P50 < 990*time.Millisecond || m.P50 > time.Since(sent)*102/100 || m.Max < m.P99 {
				t.Errorf("waiting for %s: %+v", time.Since(sent), m)
			}
			if m := h.Measure("blue", sent, time.Now().Add(-time.Second)); m.Waiting != 0 || m.P99 != 0 {
				t.Errorf("of the past: %+v", m)
			}
			eventually(t, "requests that go unanswered", func() bool { m = h.now(); return m.Unanswered == 2 })
			if m.Waiting != 2 || m.Requests != 0 || time.Since(sent) < target.UnansweredAfter {
				t.Errorf("after %s: %+v", time.Since(sent), m)
			}
			leave()
			if m := h.measured(t, "blue", 1); m.Waiting != 1 || m.Unanswered != 2 || m.Errors != 0 {
				t.Errorf("one has left: %+v", m)
			}
			h.release()
			if m := h.measured(t, "blue", 2); m.Waiting != 0 || m.Unanswered != 1 || m.Errors != 0 {
				t.Errorf("one is answered: %+v", m)
			}
		})
	}
}

// What waits for its client, for news or only for us does not count, however long.
func TestOnlyWhatWaitsForAnAnswerCountsAsWaiting(t *testing.T) {
	t.Parallel()
	h := openHanging(t)
	body, upload := newStalled("half of it")
	defer upload()
	h.ask(t, h.production, "http/1.1", func(r *http.Request) { r.Body, r.ContentLength = body, 1<<20 })
	h.ask(t, h.production, "h2", func(r *http.Request) { r.Header.Set("Accept", "text/event-stream") })
	h.ask(t, h.production, "http/1.1", func(r *http.Request) {
		r.Method = http.MethodGet
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
	})
	h.ask(t, h.production, "h2", h.MarkProbe)
	h.ask(t, h.preview, "h2", ordinary)
	h.ask(t, h.production, "h2", ordinary) // the only one, and the youngest
	var m proxy.Measurement
	eventually(t, "a request that waits", func() bool { m = h.now(); return m.Waiting > 0 })
	if m.Waiting != 1 {
		t.Errorf("%+v", m)
	}
}

// An instance that does not take the rest of a body is waited for.
func TestAnUploadThatIsNotReadIsWaiting(t *testing.T) {
	t.Parallel()
	h := openHanging(t)
	const length = 64 << 20 // more than sockets hold
	h.ask(t, h.production, "http/1.1", func(r *http.Request) {
		made, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+domain+"/", strings.NewReader(strings.Repeat("x", length)))
		must(t, err)
		r.Body, r.ContentLength = made.Body, length
	})
	eventually(t, "a request that waits", func() bool { return h.now().Waiting == 1 })
}

// stalled is a body whose end does not come.
type stalled struct {
	text string
	end  chan struct{}
}

func newStalled(text string) (body *stalled, end func()) {
	s := &stalled{text, make(chan struct{})}
	return s, func() { close(s.end) }
}

func (s *stalled) Read(b []byte) (int, error) {
	if n := copy(b, s.text); n > 0 {
		s.text = s.text[n:]
		return n, nil
	}
	<-s.end
	return 0, context.Canceled
}

func (s *stalled) Close() error { return nil }
