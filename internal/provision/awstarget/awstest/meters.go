package awstest

import (
	"sync"
	"time"
)

// sample is what became of one request.
type sample struct {
	at              time.Time
	balancer, group string
	// status is the target's, took how long it took to answer. Where the load balancer itself
	// answered refused is its status.
	status, refused int
	took            time.Duration
}

// meters are what CloudWatch would know of an account.
type meters struct {
	mu      sync.Mutex
	samples []sample
}

func (m *meters) count(s sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples, s)
}
