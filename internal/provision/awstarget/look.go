package awstarget

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// look is one look at a noun, by several parts at once: what one of them has asked AWS, or is
// asking, no other one asks again.
type look struct {
	mu   sync.Mutex
	seen map[string]*sight
}

// sight is an answer; it is complete when done is closed.
type sight struct {
	done     chan struct{}
	out      middleware.InitializeOutput
	metadata middleware.Metadata
	err      error
}

type lookKey struct{}

// oneLook makes the reads that are made under a context one look. Nothing may be changed under
// it, and nobody may change what was answered: others have the same.
func oneLook(ctx context.Context) context.Context {
	return context.WithValue(ctx, lookKey{}, &look{seen: map[string]*sight{}})
}

// shareLooks is the step of every call that keeps a look from asking twice. Calls under no look
// pass.
func shareLooks(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("ShareLooks", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		l, _ := ctx.Value(lookKey{}).(*look)
		operation := awsmiddleware.GetOperationName(ctx)
		if l == nil || !strings.HasPrefix(operation, "Describe") && !strings.HasPrefix(operation, "List") && !strings.HasPrefix(operation, "Get") {
			return next.HandleInitialize(ctx, in)
		}
		asked, err := json.Marshal(in.Parameters)
		if err != nil {
			return next.HandleInitialize(ctx, in) // what can't be compared is asked
		}
		name := fmt.Sprint(awsmiddleware.GetRegion(ctx), " ", awsmiddleware.GetServiceID(ctx), " ", operation, " ", string(asked))
		l.mu.Lock()
		s, known := l.seen[name]
		if !known {
			s = &sight{done: make(chan struct{})}
			l.seen[name] = s
		}
		l.mu.Unlock()
		if !known {
			s.out, s.metadata, s.err = next.HandleInitialize(ctx, in)
			close(s.done)
		}
		select {
		case <-ctx.Done():
			return middleware.InitializeOutput{}, middleware.Metadata{}, context.Cause(ctx)
		case <-s.done:
			return s.out, s.metadata, s.err
		}
	}), middleware.After)
}
