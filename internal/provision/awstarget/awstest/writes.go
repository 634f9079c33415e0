package awstest

import (
	"context"
	"net/http"
	"sync"
)

// writes lets one call to DynamoDB after the other change an account's tables: moto looks at a
// condition and writes in two steps, and answers with an error page what finds a table changing.
// On AWS conditional writes of one item exclude each other (DynamoDB's "Condition expressions").
type writes struct{ mu sync.RWMutex }

func (l *writes) piece(c Call, moto http.Handler) http.Handler {
	if c.Service != "dynamodb" {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reads(c.Operation) {
			l.mu.RLock()
			defer l.mu.RUnlock()
		} else {
			l.mu.Lock()
			defer l.mu.Unlock()
		}
		// The call is awaited, though its client is gone: moto goes on with it.
		moto.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
	})
}
