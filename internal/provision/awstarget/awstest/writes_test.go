package awstest

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
)

// TestWritesToTablesComeOneAfterTheOther puts in moto's place what does as it does: it looks
// and writes in two steps, which the race detector sees too.
func TestWritesToTablesComeOneAfterTheOther(t *testing.T) {
	t.Parallel()
	const writers = 16
	there, winners := false, 0
	moto := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if !there {
			runtime.Gosched()
			winners++
		}
		there = true
	})
	h := new(writes).piece(Call{Service: "dynamodb", Operation: "UpdateItem"}, moto)
	done := make(chan struct{})
	for range writers {
		go func() {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil))
			done <- struct{}{}
		}()
	}
	for range writers {
		<-done
	}
	if winners != 1 {
		t.Errorf("%d of %d writers found nothing written before them", winners, writers)
	}
}
