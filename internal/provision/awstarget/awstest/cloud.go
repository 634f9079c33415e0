package awstest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"
)

const (
	// tick is how often the account's clockwork looks at what is to be done.
	tick = 20 * time.Millisecond
	// Speed is how many times faster than on AWS go what AWS does by itself: health checks,
	// deregistration delays, grace periods, the pause before a failed task's successor.
	Speed = 50
)

// faster is how long here takes what on AWS takes so many seconds.
func faster(seconds int32) time.Duration { return time.Duration(seconds) * time.Second / Speed }

// cloud is what an account does beside moto: containers run in it, are checked, and answer.
type cloud struct {
	account string
	moto    http.Handler

	// running ends with the account; goroutines are what it waits for then.
	running    context.Context
	goroutines sync.WaitGroup
}

// config is for calls of the overlay's own to moto.
func (c *cloud) config(region string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: aws.String("http://moto"), HTTPClient: &http.Client{Transport: direct{c.moto}},
		Logger: logging.Nop{}, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

// every calls f at each tick until the account ends.
func (c *cloud) every(f func()) {
	c.goroutines.Go(func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		for {
			select {
			case <-c.running.Done():
				return
			case <-ticker.C:
				f()
			}
		}
	})
}

// direct sends requests to a handler of this process.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	answer := httptest.NewRecorder()
	d.handler.ServeHTTP(answer, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return answer.Result(), nil
}

// Step waits until what runs in the account has gone a step on. It returns at once where nothing
// runs.
func (a *Account) Step(ctx context.Context) error {
	a.fleet.mu.Lock()
	idle := len(a.fleet.services)+len(a.fleet.tasks) == 0
	stepped := a.fleet.stepped
	a.fleet.mu.Unlock()
	if idle {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-a.cloud.running.Done():
		return context.Cause(a.cloud.running)
	case <-stepped:
		return nil
	}
}
