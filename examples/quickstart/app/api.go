package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// orderBook is what the handlers need of an account's orders.
type orderBook interface {
	place(ctx context.Context, o order) (id int64, isNew bool, err error)
	list(ctx context.Context, key string, limit int) ([]order, error)
	count(ctx context.Context) (int64, error)
	remove(ctx context.Context, id int64) error
}

// openBook finds the orders of an account, or says errUnknownAccount.
type openBook func(ctx context.Context, account string) (orderBook, error)

// accountHeader tells a client whose orders it was given.
const accountHeader = "Orders-Account"

// api is the component that programs talk to.
type api struct {
	books    openBook
	stopping <-chan struct{}
}

func (a api) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/orders", a.books.handle(place))
	mux.HandleFunc("GET /api/orders", a.books.handle(list))
	mux.HandleFunc("DELETE /api/orders/{id}", a.books.handle(remove))
	mux.HandleFunc("GET /api/slow", slow)
	mux.HandleFunc("GET /api/stream", a.stream)
}

// handle gives a handler the orders of the account that the request's host name names.
func (open openBook) handle(next func(orderBook, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := accountOf(r.Host)
		orders, err := open(r.Context(), name)
		if errors.Is(err, errUnknownAccount) {
			http.Error(w, fmt.Sprintf("There is no account %q here.", name), http.StatusNotFound)
			return
		}
		if err != nil {
			fail(w, err)
			return
		}
		w.Header().Set(accountHeader, name)
		next(orders, w, r)
	}
}

func place(orders orderBook, w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&o); err != nil {
		http.Error(w, "An order is JSON: {\"item\": …, \"quantity\": …, \"key\": …}.", http.StatusBadRequest)
		return
	}
	if o.Item == "" || o.Key == "" || o.Quantity < 1 {
		http.Error(w, "An order needs an item, a quantity of 1 or more, and a key.", http.StatusBadRequest)
		return
	}
	o.Quantity = recorded(o.Quantity)
	id, isNew, err := orders.place(r.Context(), o)
	if err != nil {
		fail(w, err)
		return
	}
	code := http.StatusOK
	if isNew {
		code = http.StatusCreated
	}
	reply(w, code, map[string]int64{"id": id})
}

func list(orders orderBook, w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("count") {
		n, err := orders.count(r.Context())
		if err != nil {
			fail(w, err)
			return
		}
		reply(w, http.StatusOK, map[string]int64{"count": n})
		return
	}
	newest, err := orders.list(r.Context(), r.URL.Query().Get("key"), 100)
	if err != nil {
		fail(w, err)
		return
	}
	reply(w, http.StatusOK, newest)
}

func remove(orders orderBook, w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		http.Error(w, "The id of an order is a number.", http.StatusBadRequest)
		return
	}
	if err := orders.remove(r.Context(), id); err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// fail answers 500 and leaves the reason in the log: it may name what a client must not see.
func fail(w http.ResponseWriter, err error) {
	fmt.Println(time.Now().UTC().Format(time.RFC3339), "request:", err)
	http.Error(w, "The order service could not do this. Its log says why.", http.StatusInternalServerError)
}
