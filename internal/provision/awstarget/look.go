package awstarget

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// recent is how old an answer may be that a refresh takes for another object.
const recent = 30 * time.Second

// look is one look at AWS by many at once: what one of them has asked, or is asking, no other one
// asks again while it is recent.
type look struct {
	clock wait.Clock
	// shared says that it is the one of the whole run.
	shared bool

	mu   sync.Mutex
	seen map[string]*sight
}

// sight is an answer; it is complete when done is closed.
type sight struct {
	at       time.Time
	of       string // the service that was asked
	done     chan struct{}
	out      middleware.InitializeOutput
	metadata middleware.Metadata
	err      error
}

type lookKey struct{}

// looking makes the reads under a context one look: that of the whole run where recent answers
// are allowed, else one of its own. Nobody may change what was answered: others have the same.
// What is to be told from a change that was made under it, is not to be read under it.
func (t *Target) looking(ctx context.Context) context.Context {
	if target.RecentAllowed(ctx) {
		return t.recently(ctx)
	}
	return context.WithValue(ctx, lookKey{}, &look{clock: t.clock})
}

// recently makes the reads under a context part of the look of the whole run, where recent answers
// are allowed.
func (t *Target) recently(ctx context.Context) context.Context {
	if !target.RecentAllowed(ctx) {
		return ctx
	}
	return context.WithValue(ctx, lookKey{}, t.session.look)
}

// lookOf is the look that a context is part of, nil for none.
func lookOf(ctx context.Context) *look {
	l, _ := ctx.Value(lookKey{}).(*look)
	return l
}

// shares says whether a context is part of the look of the whole run.
func shares(ctx context.Context) bool {
	l := lookOf(ctx)
	return l != nil && l.shared
}

// unshared is a context under which everything is asked anew.
func unshared(ctx context.Context) context.Context {
	return context.WithValue(ctx, lookKey{}, (*look)(nil))
}

// forget makes everybody who asks from now on ask a service anew, "" for all.
func (l *look) forget(service string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.seen, func(_ string, s *sight) bool { return service == "" || s.of == service })
}

// sight is the answer to a request, and whether it is to be asked for.
func (l *look) sight(service, request string) (s *sight, ask bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	if s, ok := l.seen[request]; ok && now.Sub(s.at) < recent {
		return s, false
	}
	if l.seen == nil {
		l.seen = map[string]*sight{}
	}
	s = &sight{at: now, of: service, done: make(chan struct{})}
	l.seen[request] = s
	return s, true
}

// copied is the answer in a structure of the caller's own: the SDK writes into it once more.
func (s *sight) copied() middleware.InitializeOutput {
	v := reflect.ValueOf(s.out.Result)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return s.out
	}
	own := reflect.New(v.Type().Elem())
	own.Elem().Set(v.Elem())
	return middleware.InitializeOutput{Result: own.Interface()}
}

// drop takes away an answer that is none.
func (l *look) drop(request string, s *sight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen[request] == s {
		delete(l.seen, request)
	}
}

// share is the step of every call that keeps a look from asking twice, and makes the run's look
// forget what this run changes. Rows change all the time: only the run's look has them, and forgets
// them with each that this run writes.
func (s *session) share(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("ShareLooks", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		service, operation, l := awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), lookOf(ctx)
		switch {
		case service == serviceData: // nothing that a look has is changed by a statement
			return next.HandleInitialize(ctx, in)
		case !readsOnly(operation) && service == serviceRows:
			defer s.look.forget(serviceRows)
			return next.HandleInitialize(ctx, in)
		case !readsOnly(operation):
			defer s.look.forget("")
			return next.HandleInitialize(ctx, in)
		case l == nil, service == serviceRows && !strings.HasPrefix(operation, "Describe") && !l.shared:
			return next.HandleInitialize(ctx, in)
		}
		asked, err := json.Marshal(in.Parameters)
		if err != nil {
			return next.HandleInitialize(ctx, in) // what can't be compared is asked
		}
		return l.ask(ctx, service, fmt.Sprint(awsmiddleware.GetRegion(ctx), " ", service, " ", operation, " ", string(asked)), in, next)
	}), middleware.After)
}

// Services as the SDK calls them.
const (
	serviceRows = "DynamoDB"
	serviceData = "RDS Data"
)

func (l *look) ask(ctx context.Context, service, request string, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	for {
		s, ask := l.sight(service, request)
		if ask {
			s.out, s.metadata, s.err = next.HandleInitialize(ctx, in)
			if s.err != nil {
				l.drop(request, s)
			}
			close(s.done)
			return s.copied(), s.metadata, s.err
		}
		select {
		case <-ctx.Done():
			return middleware.InitializeOutput{}, middleware.Metadata{}, context.Cause(ctx)
		case <-s.done:
			if s.err == nil {
				return s.copied(), s.metadata, nil
			}
			// Whoever asked may have been told to stop.
		}
	}
}

// readsOnly says whether an operation changes nothing.
func readsOnly(operation string) bool {
	for _, prefix := range []string{"BatchGet", "Describe", "Get", "Head", "List", "Query"} {
		if strings.HasPrefix(operation, prefix) {
			return true
		}
	}
	return false
}
