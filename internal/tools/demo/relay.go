package main

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
)

// refusal is the errors with which Terraform ended.
type refusal []diagnostic

// diagnostic is an error or a warning of Terraform.
type diagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
}

func (r refusal) Error() string {
	var all []string
	for _, d := range r {
		all = append(all, d.String())
	}
	return strings.Join(all, "\n")
}

func (d diagnostic) String() string {
	text := d.Severity + ": " + d.Summary
	if d.Address != "" {
		text += " (" + d.Address + ")"
	}
	for line := range strings.Lines(d.Detail) {
		text += "\n    " + strings.TrimRight(line, "\n")
	}
	return text
}

// relay tells what was completed and what Terraform warns of, and returns the errors.
func (w workspace) relay(output io.Reader) (problems []diagnostic) {
	told := map[diagnostic]bool{} // plan and apply warn of the same
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var event struct {
			Type       string     `json:"type"`
			Message    string     `json:"@message"`
			Diagnostic diagnostic `json:"diagnostic"`
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue // "init" talks to people
		}
		switch event.Type {
		case "apply_complete", "change_summary":
			w.narrator.say("%s", event.Message)
		case "diagnostic":
			switch {
			case event.Diagnostic.Severity == "error":
				problems = append(problems, event.Diagnostic)
			case !told[event.Diagnostic]:
				told[event.Diagnostic] = true
				w.narrator.say("%s", event.Diagnostic)
			}
		}
	}
	_, _ = io.Copy(io.Discard, output) // never let Terraform wait for a reader
	return problems
}
