package awstest

import (
	"context"
	"net/http"
	"sync"
)

// writes lets one call to DynamoDB after the other change an account's tables: moto looks at a
// condition and writes in two steps, and answers with an error page what finds a table changing.
// On AWS conditional writes of one item exclude each other (DynamoDB's "Condition expressions").
// Requests for certificates follow each other too: moto notes a request's token after it has made
// the certificate, and makes another one for who asks again meanwhile.
type writes struct {
	mu, certificates sync.RWMutex
	rows             rows
}

func (l *writes) piece(c Call, moto http.Handler) http.Handler {
	mu := &l.mu
	switch {
	case c.Service == "acm" && c.Operation == "RequestCertificate":
		mu = &l.certificates
	case c.Service != "dynamodb":
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The call is awaited, though its client is gone: moto goes on with it.
		r = r.WithContext(context.WithoutCancel(r.Context()))
		if reads(c.Operation) {
			mu.RLock()
			defer mu.RUnlock()
			l.rows.get(w, r, c, moto)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		moto.ServeHTTP(w, r)
		l.rows.forget(c)
	})
}
