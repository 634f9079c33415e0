package awstarget

import (
	"context"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// plainBodies sends the bodies of requests as readers that can do nothing but read and seek.
//
// The SDK closes the body of a request as soon as an answer begins to come. If net/http looks only
// then whether there is more to send, a closed body that can write itself answers with io.EOF as
// an error (WriteTo in smithy-go's transport/http/internal/io/safe.go), and net/http closes the
// connection under the answer: "use of closed network connection". One that can only be read is at
// its end.
func plainBodies(stack *middleware.Stack) error {
	return stack.Build.Add(middleware.BuildMiddlewareFunc("PlainBodies", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
		if r, ok := in.Request.(*smithyhttp.Request); ok {
			if body, ok := r.GetStream().(io.ReadSeeker); ok {
				plain, err := r.SetStream(struct{ io.ReadSeeker }{body})
				if err != nil {
					return middleware.BuildOutput{}, middleware.Metadata{}, err
				}
				in.Request = plain
			}
		}
		return next.HandleBuild(ctx, in)
	}), middleware.Before)
}
