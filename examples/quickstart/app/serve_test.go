package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestServeLetsRunningRequestsEnd(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started, finish := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		<-finish
		fmt.Fprint(w, "done")
	})
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- serve(ctx, listener, handler) }()

	status := make(chan int, 1)
	go func() {
		defer close(status)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String(), nil)
		if err != nil {
			t.Error(err)
			return
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Error(err)
			return
		}
		answer.Body.Close()
		status <- answer.StatusCode
	}()
	<-started
	stop()
	select {
	case err := <-served:
		t.Fatalf("serve ended while a request ran: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(finish)
	if got := <-status; got != http.StatusOK {
		t.Errorf("the running request got status %d", got)
	}
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	dir := directory(t.TempDir())
	dbs := newDatabases(dir, 1)
	defer dbs.close()
	ask := func() int {
		w := httptest.NewRecorder()
		health{dbs}.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/healthz", nil))
		return w.Code
	}
	if got := ask(); got != http.StatusOK {
		t.Errorf("without accounts the status is %d", got)
	}
	// Nothing listens on port 1: the account came while the program ran, and is not usable.
	writeAccount(t, dir, account{Name: "acme", Host: "127.0.0.1", Port: 1, Database: "d", Role: "r", SSLMode: "disable"}, "p")
	if got := ask(); got != http.StatusServiceUnavailable {
		t.Errorf("with an unreachable database the status is %d", got)
	}
}
