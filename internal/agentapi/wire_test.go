package agentapi

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// What an error says of its object comes across the wire.
func TestAnErrorKeepsItsMeaning(t *testing.T) {
	t.Parallel()
	for _, made := range []bool{true, false} {
		w := httptest.NewRecorder()
		WriteError(w, target.MadeIf(made, target.Errorf(target.ErrUnavailable, "the disk is full")))
		var f Failure
		if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		err := f.err()
		var marked *target.MadeError
		if !errors.Is(err, target.ErrUnavailable) || errors.As(err, &marked) != made || err.Error() != "the disk is full" {
			t.Errorf("made %t: got %#v", made, err)
		}
	}
}
