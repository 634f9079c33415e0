package main

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// request sends one request to both components with one book for each account.
func request(t *testing.T, books openBook, method, url, body string) *httptest.ResponseRecorder {
	t.Helper()
	mux := http.NewServeMux()
	api{books: books}.routes(mux)
	console{books: books}.routes(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body)))
	return w
}

const acme, globex = "https://acme.production.eu.localhost:20443", "https://globex.production.eu.localhost:20443"

func TestOrders(t *testing.T) {
	t.Parallel()
	books := fakeBooks("acme", "globex")
	const lamp = `{"item": "lamp", "quantity": 2, "key": "k1"}`
	for _, step := range []struct {
		name, method, url, body string
		status                  int
		want                    string
	}{
		{"an order is placed", "POST", acme + "/api/orders", lamp, 201, `{"id":1}`},
		{"the same key gives the same order", "POST", acme + "/api/orders", lamp, 200, `{"id":1}`},
		{"it is counted once", "GET", acme + "/api/orders?count", "", 200, `{"count":1}`},
		{"it is listed", "GET", acme + "/api/orders", "", 200, `"item":"lamp","quantity":2`},
		{"it is found by its key", "GET", acme + "/api/orders?key=k1", "", 200, `"item":"lamp"`},
		{"another key finds nothing", "GET", acme + "/api/orders?key=k2", "", 200, `[]`},
		{"the console shows it", "GET", acme + "/", "", 200, `<td>lamp</td>`},
		{"another account does not see it", "GET", globex + "/api/orders", "", 200, `[]`},
		{"nor does its console", "GET", globex + "/", "", 200, `No orders yet`},
		{"an unknown account is told so", "GET", "https://nobody.production.eu.localhost/api/orders", "", 404, `There is no account "nobody" here.`},
		{"the environment's own name is no account", "GET", "https://production.eu.localhost/", "", 404, `There is no account "production" here.`},
		{"an order without a key is refused", "POST", acme + "/api/orders", `{"item": "lamp", "quantity": 2}`, 400, `needs an item`},
		{"an order of nothing is refused", "POST", acme + "/api/orders", `{"item": "lamp", "quantity": 0, "key": "k2"}`, 400, `quantity of 1 or more`},
		{"what is not JSON is refused", "POST", acme + "/api/orders", `lamp`, 400, `An order is JSON`},
		{"an id must be a number", "DELETE", acme + "/api/orders/one", "", 400, `is a number`},
		{"an order can be removed", "DELETE", acme + "/api/orders/1", "", 204, ``},
		{"then it is gone", "GET", acme + "/api/orders?count", "", 200, `{"count":0}`},
		{"a slow request says how slow", "GET", acme + "/api/slow?seconds=x", "", 400, `from 0 to 60`},
		{"a slow request is answered", "GET", acme + "/api/slow?seconds=0", "", 200, `took 0 seconds`},
	} {
		w := request(t, books, step.method, step.url, step.body)
		if w.Code != step.status || !strings.Contains(w.Body.String(), step.want) {
			t.Errorf("%s: got %d %s, want %d %s", step.name, w.Code, w.Body, step.status, step.want)
		}
	}
}

func TestTheAnswerNamesTheAccount(t *testing.T) {
	t.Parallel()
	w := request(t, fakeBooks("acme"), "GET", acme+"/api/orders", "")
	if got := w.Header().Get(accountHeader); got != "acme" {
		t.Errorf("%s is %q", accountHeader, got)
	}
}

func TestTheConsoleEscapesWhatCustomersWrite(t *testing.T) {
	t.Parallel()
	books := fakeBooks("acme")
	request(t, books, "POST", acme+"/api/orders", `{"item": "<script>", "quantity": 1, "key": "k"}`)
	if body := request(t, books, "GET", acme+"/", "").Body.String(); strings.Contains(body, "<script>") {
		t.Errorf("the page contains what a customer wrote unescaped:\n%s", body)
	}
}

func TestAStreamEndsWhenTheProgramStops(t *testing.T) {
	t.Parallel()
	stopping := make(chan struct{})
	mux := http.NewServeMux()
	api{books: fakeBooks(), stopping: stopping}.routes(mux)
	server := httptest.NewServer(mux)
	defer server.Close()

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	if !lines.Scan() || lines.Text() != "id: 1" {
		t.Fatalf("the stream begins with %q", lines.Text())
	}
	close(stopping)
	ended := false
	for lines.Scan() {
		ended = ended || lines.Text() == "event: end"
	}
	if !ended {
		t.Error("the stream ended without saying so")
	}
}
