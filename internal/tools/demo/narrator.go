package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// narrator tells what happens, a line at a time, with the seconds since the start.
type narrator struct {
	start time.Time
	mu    sync.Mutex
	out   io.Writer
}

func newNarrator(out io.Writer) *narrator {
	return &narrator{start: time.Now(), out: out}
}

// title begins a chapter.
func (n *narrator) title(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintln(n.out)
	n.line("== " + fmt.Sprintf(format, args...))
}

// say tells something of the current chapter.
func (n *narrator) say(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for text := range strings.Lines(fmt.Sprintf(format, args...)) {
		n.line("   " + strings.TrimRight(text, "\n"))
	}
}

// failure tells why the demo ends here.
func (n *narrator) failure(err error) {
	n.title("The demo ends here")
	n.say("%s", err)
}

func (n *narrator) line(text string) {
	fmt.Fprintf(n.out, "[%6.1fs] %s\n", time.Since(n.start).Seconds(), strings.TrimRight(text, " "))
}
