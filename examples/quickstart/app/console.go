package main

import (
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed console.html
var consoleHTML string

// page is the console's only page, parsed when the program starts.
var page = template.Must(template.New("console").Parse(consoleHTML))

// console is the component that people talk to.
type console struct{ books openBook }

func (c console) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", c.books.handle(show))
}

// show lists the account's newest orders.
func show(orders orderBook, w http.ResponseWriter, r *http.Request) {
	newest, err := orders.list(r.Context(), "", 20)
	if err != nil {
		fail(w, err)
		return
	}
	total, err := orders.count(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, map[string]any{
		"Account": accountOf(r.Host),
		"Release": release,
		"Total":   total,
		"Orders":  newest,
	})
}
