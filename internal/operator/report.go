package operator

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

//go:embed report.html
var page string

// report writes a page about one swap.
func report(ctx context.Context, c *call) error {
	id := c.id
	j, err := c.journal(ctx, id)
	if err != nil {
		return err
	}
	if c.json {
		return c.encode(j)
	}
	path := c.output
	if path == "" {
		path = strings.ReplaceAll(id.String(), "/", "-") + "-" + j.Swap.ID + ".html"
	}
	if err := writePage(path, j); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	_, err = fmt.Fprintln(c.Stdout, path)
	return err
}

// journal finds the swap that is asked for: by its id, the one under way included, else the
// last one.
func (c *call) journal(ctx context.Context, id target.SlotID) (target.Journal, error) {
	state, err := c.ReadSlot(ctx, id)
	if err != nil {
		return target.Journal{}, err
	}
	w := state.Record.Swap
	if c.swap == "" && w == nil {
		return target.Journal{}, fmt.Errorf("no swap of slot %q has begun yet", id)
	}
	if c.swap == "" {
		c.swap = w.ID
	}
	j, err := c.GetJournal(ctx, id, c.swap)
	if errors.Is(err, target.ErrNotFound) {
		return j, fmt.Errorf("slot %q has no swap %q; its swaps: terraform-provider-slipway history %s", id, c.swap, id)
	}
	return j, err
}

// writePage makes the file whole or not at all.
func writePage(path string, j target.Journal) error {
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %s", filepath.Dir(path))
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".report-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := render(f, j); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// render writes the page, which needs nothing from anywhere else.
func render(w io.Writer, j target.Journal) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"time":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"clock":   func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"took":    took,
		"join":    func(lines []string) string { return strings.Join(lines, "\n") },
		"orDash":  orDash,
		"percent": func(f float64) string { return fmt.Sprintf("%.2f", f) },
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("parse the page: %w", err)
	}
	return t.Execute(w, struct {
		target.Journal
		Charts []chart
		Bands  []band
	}{j, charts(j.Swap), bands(j.Swap)})
}
