package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

const (
	lookEvery = time.Second
	// lineEvery is how often a line is printed off a terminal while nothing but figures change.
	lineEvery = 10 * time.Second
	// rateWindow is how far back the shown rates look, unless the target tells them later.
	rateWindow = 10 * time.Second
)

// moment is one look at a running swap.
type moment struct {
	At    time.Time `json:"at"`
	Slot  slotView  `json:"slot"`
	New   figures   `json:"new"`
	Old   figures   `json:"old"`
	state provision.SlotState
}

// figures are what one side answered over the last seconds, or minutes.
type figures struct {
	RequestsPerSecond float64 `json:"requests_per_second"`
	ErrorPercent      float64 `json:"error_percent"`
	P99Milliseconds   float64 `json:"p99_milliseconds"`
	// Waiting and Unanswered are those of [target.Measurement]; 0 also where the target can't see
	// requests before they are answered.
	Waiting    int64 `json:"waiting,omitempty"`
	Unanswered int64 `json:"unanswered,omitempty"`
	// Seconds is the time that they cover.
	Seconds float64 `json:"seconds"`
}

// watch follows a swap until it ends: drawn again and again on a terminal, line by line
// elsewhere, as one JSON object per look with --json.
func watch(ctx context.Context, c *call) error {
	id := c.id
	show := &screen{call: c}
	for first := true; ; first = false {
		m, err := c.look(ctx, id)
		if err != nil {
			return err
		}
		running := underWay(m.state)
		if first && !running {
			return c.tellIdle(m)
		}
		if err := show.draw(m); err != nil {
			return err
		}
		if !running {
			return c.tellEnd(m)
		}
		if err := c.Clock.Sleep(ctx, lookEvery); err != nil {
			return fmt.Errorf("stop watching, which does not stop the swap: %w", err)
		}
	}
}

// underWay says whether a swap is running, or waits for somebody. One that was left degraded
// goes on with the next apply only.
func underWay(s provision.SlotState) bool {
	w := s.Record.Swap
	return w != nil && !w.Phase.Finished() && w.Phase != target.PhaseDegraded
}

func (c *call) look(ctx context.Context, id target.SlotID) (moment, error) {
	state, err := c.ReadSlot(ctx, id)
	if err != nil {
		return moment{}, err
	}
	m := moment{At: state.Observation.At, Slot: viewOf(state), state: state}
	w := state.Record.Swap
	if w == nil {
		return m, nil
	}
	window := rateWindow
	if late, ok := c.driver.(target.LateMeters); ok {
		window = max(window, late.MeteredWithin())
	}
	measured, err := c.driver.Measure(ctx, id, m.At.Add(-window))
	if err != nil {
		return m, fmt.Errorf("measure slot %q: %w", id, err)
	}
	m.New, m.Old = figuresOf(measured[w.To], window), figuresOf(measured[w.To.Other()], window)
	return m, nil
}

// figuresOf are those of a measurement; nothing was answered in a window that has none.
func figuresOf(m target.Measurement, window time.Duration) figures {
	f := figures{
		ErrorPercent: m.ErrorPercent(), P99Milliseconds: m.P99Milliseconds,
		Waiting: m.Waiting, Unanswered: m.Unanswered, Seconds: window.Seconds(),
	}
	if d := m.To.Sub(m.From).Seconds(); d > 0 {
		f.RequestsPerSecond, f.Seconds = float64(m.Requests)/d, d
	}
	return f
}

// screen shows moments.
type screen struct {
	*call
	drawn   int // lines on the terminal
	last    string
	printed time.Time
}

func (s *screen) draw(m moment) error {
	switch {
	case s.json:
		return json.NewEncoder(s.Stdout).Encode(m)
	case s.Terminal:
		lines := m.lines()
		up := ""
		if s.drawn > 0 {
			up = fmt.Sprintf("\x1b[%dA\x1b[J", s.drawn)
		}
		s.drawn = len(lines)
		_, err := fmt.Fprint(s.Stdout, up, strings.Join(lines, "\n"), "\n")
		return err
	}
	key := m.key()
	if key == s.last && m.At.Sub(s.printed) < lineEvery {
		return nil
	}
	s.last, s.printed = key, m.At
	_, err := fmt.Fprintln(s.Stdout, m.line())
	return err
}

// key is what makes a line worth printing when it changes.
func (m moment) key() string {
	key := fmt.Sprint(m.Slot.Phase, m.Slot.Percent)
	for _, st := range []*stackView{m.Slot.Live, m.Slot.Candidate} {
		if st != nil {
			key += fmt.Sprint(st.Release, st.Healthy, st.Wanted)
		}
	}
	return key
}

// line is a moment in one line.
func (m moment) line() string {
	w := m.state.Record.Swap
	return fmt.Sprintf("%s  %-17s  %s  %s  new %s  old %s", m.At.UTC().Format(time.RFC3339), m.Slot.Phase, m.share(), m.health(w.To), m.New, m.Old)
}

func (f figures) String() string {
	text := fmt.Sprintf("%.0f/s, %.2f %% errors, p99 %.0f ms over %.0f s", f.RequestsPerSecond, f.ErrorPercent, f.P99Milliseconds, f.Seconds)
	if f.Waiting > 0 {
		text += fmt.Sprintf(", %d wait for their answer", f.Waiting)
	}
	if f.Unanswered > 0 {
		text += fmt.Sprintf(", %d had none for %.0f s", f.Unanswered, target.UnansweredAfter.Seconds())
	}
	return text
}

// share is how much of the traffic the new release has.
func (m moment) share() string {
	return fmt.Sprintf("release %s has %3d %%", m.state.Record.Swap.Release, m.percent())
}

func (m moment) percent() int { return shareOf(m.state) }

// shareOf is the share of the traffic that the release of the last swap has.
func shareOf(s provision.SlotState) int {
	switch to, seen := s.Record.Swap.To, s.Observation; {
	case seen.Serving == to:
		return 100 - seen.Percent
	case seen.Carries(to):
		return seen.Percent
	}
	return 0
}

func (m moment) health(c target.Color) string {
	st, ok := m.state.Observation.Stacks[c]
	if !ok {
		return "no stack"
	}
	healthy := 0
	for _, i := range st.Instances {
		if i.Healthy {
			healthy++
		}
	}
	return fmt.Sprintf("%d of %d healthy", healthy, len(st.Instances))
}

// lines are a moment on a terminal.
func (m moment) lines() []string {
	w := m.state.Record.Swap
	in := m.At.Sub(w.PhaseAt).Round(time.Second)
	from, to := w.Direction()
	out := []string{
		fmt.Sprintf("%s  %s → %s  swap %s, by %s", m.Slot.ID, orDash(from), to, w.ID, w.By),
		fmt.Sprintf("phase  %s for %s", w.Phase, max(0, in)),
		"share  " + m.bar() + "  " + m.share(),
		fmt.Sprintf("new    %s", m.New),
		fmt.Sprintf("old    %s", m.Old),
	}
	for _, c := range []target.Color{w.To, w.To.Other()} {
		st, ok := m.state.Observation.Stacks[c]
		if !ok {
			continue
		}
		out = append(out, "", fmt.Sprintf("release %s (%s)", st.Spec.Definition.Release, c))
		for _, i := range st.Instances {
			out = append(out, "  "+instanceLine(i))
		}
	}
	return out
}

// bar draws the share over 40 characters.
func (m moment) bar() string {
	const width = 40
	full := m.percent() * width / 100
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

func instanceLine(i target.InstanceStatus) string {
	state := "starting"
	switch {
	case i.Healthy:
		state = "healthy"
	case !i.Running && i.Problem != "":
		state = i.Problem
	case i.Running:
		state = "not healthy"
	}
	text := fmt.Sprintf("%-16s %s", fmt.Sprintf("%s/%d", i.Component, i.Index), state)
	if i.LastProbe != "" {
		text += "  " + i.LastProbe
	}
	if i.Restarts > 0 {
		text += fmt.Sprintf("  restarted %d times", i.Restarts)
	}
	return text
}

// tellIdle is the answer where no swap runs.
func (c *call) tellIdle(m moment) error {
	if c.json {
		return json.NewEncoder(c.Stdout).Encode(m)
	}
	text := "No swap has been made in it yet."
	switch w := m.state.Record.Swap; {
	case w == nil:
	case m.state.ApprovalTimedOut():
		text = fmt.Sprintf("Nobody approved release %s in time: it was removed and never took traffic.", w.Release)
	default:
		text = fmt.Sprintf("The last one, to release %s, ended as %s.", w.Release, w.Phase)
	}
	_, err := fmt.Fprintf(c.Stdout, "No swap is under way in slot %s. %s\n", m.Slot.ID, text)
	return err
}

// tellEnd says how the swap ended that was watched.
func (c *call) tellEnd(m moment) error {
	w := m.state.Record.Swap
	if c.json {
		return ended(w.Phase)
	}
	switch {
	case m.state.ApprovalTimedOut():
		fmt.Fprintf(c.Stdout, "\nNobody approved release %s in time: it was removed and never took traffic.\n", w.Release)
	case w.Phase == target.PhaseDegraded:
		fmt.Fprintf(c.Stdout, "\nRelease %s serves and is degraded. The next apply watches it again; another release replaces it.\n", w.Release)
	default:
		fmt.Fprintf(c.Stdout, "\nThe swap to release %s ended as %s after %s.\n", w.Release, w.Phase, took(*w))
	}
	if w.Reason != "" && !m.state.ApprovalTimedOut() {
		fmt.Fprintln(c.Stdout, w.Reason)
	}
	return ended(w.Phase)
}

// ended fails where a swap did not bring its release live.
func ended(p target.Phase) error {
	if p != target.PhaseLive {
		return &endedError{}
	}
	return nil
}
