//go:build linux

package acceptance

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lonely is a worker that must be the only one: it holds a lock while it works, takes a while
// to end its job, and says in a journal when it began, ended, or found another at work. Where
// the file says so that CRASH names it ends soon after its start.
func lonely(ctx context.Context) error {
	journal, err := os.OpenFile(os.Getenv("JOURNAL"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer journal.Close()
	release := os.Getenv("SLIPWAY_RELEASE")
	lock, err := os.OpenFile(os.Getenv("LOCK"), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		fmt.Fprintln(journal, "clash", release)
		return fmt.Errorf("another release works: %w", err)
	}
	fmt.Fprintln(journal, "begin", release)
	defer fmt.Fprintln(journal, "end", release)
	stop, cancel := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer cancel()
	well := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	server := &http.Server{Addr: net.JoinHostPort("127.0.0.1", os.Getenv("PORT")), Handler: well, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	defer server.Close()
	crash := time.NewTimer(500 * time.Millisecond)
	defer crash.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-crash.C:
			if _, err := os.Stat(os.Getenv("CRASH")); err == nil {
				return fmt.Errorf("the job of release %s can't be read", release)
			}
		case <-stop.Done():
			<-time.After(jobTime) // what it works on is finished first
			return nil
		}
	}
}

// jobTime is how long the job takes that a worker finishes when it is told to end.
const jobTime = time.Second

// withWorker is a slot with an api and the worker that must be alone.
func (m *machine) withWorker(release string, a attrs) string {
	environment := fmt.Sprintf("{ JOURNAL = %q, LOCK = %q, CRASH = %q }", m.journal(), filepath.Join(m.dir, "lock"), m.moodFile("{release}"))
	worker := component("lonely", attrs{"routes": "", "environment": environment})
	return slot(release, attrs{
		"components": "{ api = " + component("ok", nil) + ", worker = " + worker + " }",
		"swap":       atOnce,
	}.with(a))
}

func (m *machine) journal() string { return filepath.Join(m.dir, "journal") }

// TestAccLocalWorkersAreNeverTwo swaps, switches back and rolls back a worker that must never
// run in two releases at once, and one that ends once it has taken over.
func TestAccLocalWorkersAreNeverTwo(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	for _, path := range []string{m.journal(), filepath.Join(m.dir, "lock")} {
		m.ok(os.WriteFile(path, nil, 0o666))
		m.ok(os.Chmod(path, 0o666))
	}
	config := func(release string) string { return m.base(nil) + m.withWorker(release, nil) }
	m.apply(config("1"))
	began := time.Now()
	crowd := m.startCrowd(4, 40)
	works := []string{"begin 1"}
	follows := func(what, old, next string) {
		t.Helper()
		works = append(works, "end "+old, "begin "+next)
		m.serves(next)
		m.worked(what, works)
	}
	m.worked("the first release", works)

	m.apply(config("2"))
	follows("a swap", "1", "2")
	m.apply(config("1"))
	follows("a switch back", "2", "1")
	m.apply(config("2"))
	follows("a swap forth", "1", "2")
	if o := m.operate("rollback", "--reason", "jobs are lost", "eu/production/oms"); o.code != 0 {
		t.Errorf("the rollback ended with %d:\n%s", o.code, o.out)
	}
	follows("a rollback", "2", "1")

	// The api of release 3 is well, and its worker ends.
	m.mood("3", failing)
	o := m.tryApply(m.base(nil) + m.withWorker("3", attrs{"swap": strings.Replace(atOnce, "minimum_healthy_seconds = 0", "minimum_healthy_seconds = 2", 1)}))
	flat := unwrapped(o.out)
	if o.code != 1 || !strings.Contains(flat, `"worker"`) || !strings.Contains(flat, "Release 1 serves all traffic again") || !strings.Contains(flat, "the job of release 3 can't be read") {
		t.Errorf("apply with a worker that ends ended with %d:\n%s", o.code, o.out)
	}
	t.Logf("a worker that ends: %s", diagnostic(flat))
	works = append(works, "end 1", "begin 3", "end 3", "begin 1")
	m.serves("1")
	m.worked("the rollback of a worker that ends", works)
	m.held("a worker that ends", "3")
	crowd.stop()
	crowd.flawless(began)
	m.destroy()
}

// worked ends the test unless workers began and ended just so, one at a time; one that ends
// by itself may have been started again.
func (m *machine) worked(what string, want []string) {
	m.Helper()
	m.eventually(20*time.Second, what+": its worker works", func() (string, bool) {
		text, err := os.ReadFile(m.journal())
		m.ok(err)
		got := strings.Split(strings.TrimSpace(string(text)), "\n")
		return fmt.Sprintf("%q, want %q", got, want), strings.Join(once(got), "\n") == strings.Join(want, "\n")
	})
}

// once leaves out the repetitions of a worker that was started again.
func once(all []string) []string {
	var out []string
	for _, line := range all {
		if n := len(out); n < 2 || line != out[n-1] && line != out[n-2] {
			out = append(out, line)
		}
	}
	return out
}
