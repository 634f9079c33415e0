//go:build linux

package acceptance

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// The moods of a release: how it answers from the moment on that the test says so.
const (
	failing = "failing"
	slowly  = "slowly"
	hanging = "hanging"
)

// slowAnswer is how long a slow release takes.
const slowAnswer = 1500 * time.Millisecond

// moody answers as the file says that MOOD names, where there is one.
func moody(next http.HandlerFunc) http.HandlerFunc {
	file := os.Getenv("MOOD")
	return func(w http.ResponseWriter, r *http.Request) {
		mood, err := os.ReadFile(file)
		switch {
		case err != nil:
		case string(mood) == failing:
			http.Error(w, "there is no connection to the warehouse", http.StatusInternalServerError)
			return
		case string(mood) == hanging:
			<-r.Context().Done()
			return
		default:
			select {
			case <-time.After(slowAnswer):
			case <-r.Context().Done():
			}
		}
		next(w, r)
	}
}

// moodFile holds the mood of a release.
func (m *machine) moodFile(release string) string { return filepath.Join(m.dir, "mood-"+release) }

// mood lets a release change how it answers; "" is as it should.
func (m *machine) mood(release, mood string) {
	m.Helper()
	if mood == "" {
		m.ok(os.Remove(m.moodFile(release)))
		return
	}
	half := m.moodFile(release) + ".new"
	m.ok(os.WriteFile(half, []byte(mood), 0o644))
	m.ok(os.Rename(half, m.moodFile(release)))
}

// moods are the attributes of a component that has them.
func (m *machine) moods() attrs {
	return attrs{"environment": fmt.Sprintf("{ MOOD = %q }", m.moodFile("{release}"))}
}
