package main

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// slow answers after ?seconds=…: a request that a switch of releases must not cut off.
func slow(w http.ResponseWriter, r *http.Request) {
	seconds, err := strconv.Atoi(r.URL.Query().Get("seconds"))
	if err != nil || seconds < 0 || seconds > 60 {
		http.Error(w, "seconds must be a number from 0 to 60.", http.StatusBadRequest)
		return
	}
	select {
	case <-time.After(time.Duration(seconds) * time.Second):
		fmt.Fprintf(w, "release %s took %d seconds\n", release, seconds)
	case <-r.Context().Done():
	}
}

// stream sends a server-sent event each second until the client leaves or the program is
// told to stop. Such a response lives on after a switch, as long as its stack does.
func (a api) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	body := http.NewResponseController(w)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 1; ; n++ {
		if _, err := fmt.Fprintf(w, "id: %d\nevent: tick\ndata: release %s\n\n", n, release); err != nil {
			return
		}
		if err := body.Flush(); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-a.stopping:
			fmt.Fprint(w, "event: end\ndata: this instance stops\n\n")
			return
		}
	}
}
