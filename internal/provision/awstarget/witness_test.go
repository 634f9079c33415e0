package awstarget

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A call may have been carried out when any of its tries was not answered by a refusal.
func TestAWitnessSeesTriesThatMayHaveBeenCarriedOut(t *testing.T) {
	t.Parallel()
	answered := func(status int) error {
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: errors.New("an answer")}
	}
	for _, c := range []struct {
		name  string
		tries []error
		want  bool
	}{
		{"refused", []error{answered(http.StatusBadRequest)}, false},
		{"refused again and again", []error{answered(http.StatusTooManyRequests), answered(http.StatusForbidden)}, false},
		{"lost, then refused", []error{io.ErrUnexpectedEOF, answered(http.StatusForbidden)}, true},
		{"failed on the other side, then refused", []error{answered(http.StatusBadGateway), answered(http.StatusBadRequest)}, true},
	} {
		var unsure bool
		r := witnessed(retry.NewStandard(), &unsure)
		for _, err := range c.tries {
			r.IsErrorRetryable(err)
		}
		if unsure != c.want {
			t.Errorf("%s: it may have been carried out: %t, want %t", c.name, unsure, c.want)
		}
	}
}
