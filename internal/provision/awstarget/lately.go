package awstarget

import (
	"maps"
	"sync"
	"time"
)

// lately keeps what was answered for a while, for looks that are made again and again: while a swap
// is under way, and while somebody watches it. The zero value works.
type lately[V any] struct {
	mu sync.Mutex
	of map[string]answered[V]
}

// answered is an answer until it is too old.
type answered[V any] struct {
	value V
	until time.Time
}

// get is what was answered about a key, or what is asked now. Nobody may change it. What was asked
// before drop was called may come back after it, once.
func (l *lately[V]) get(key string, now time.Time, age time.Duration, ask func() (V, error)) (V, error) {
	l.mu.Lock()
	a, ok := l.of[key]
	l.mu.Unlock()
	if ok && now.Before(a.until) {
		return a.value, nil
	}
	v, err := ask()
	if err != nil {
		return v, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.of, func(_ string, a answered[V]) bool { return !now.Before(a.until) })
	if l.of == nil {
		l.of = map[string]answered[V]{}
	}
	l.of[key] = answered[V]{v, now.Add(age)}
	return v, nil
}

// drop forgets everything.
func (l *lately[V]) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of = nil
}
