package awstest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRowsAreAskedForOnce puts a table in moto's place whose rows count how often they are asked for.
func TestRowsAreAskedForOnce(t *testing.T) {
	t.Parallel()
	asked := 0
	moto := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.Method == http.MethodPost { // a is there, b is not
			fmt.Fprintf(w, `{"Responses":{"t":[{"kind":{"S":"k"},"id":{"S":"a"},"n":{"N":"%d"}}]},"UnprocessedKeys":{}}`, asked)
		}
	})
	l := new(writes)
	call := func(region, operation, body string) string {
		t.Helper()
		answer := httptest.NewRecorder()
		c := Call{Service: "dynamodb", Region: region, Operation: operation, Body: []byte(body)}
		l.piece(c, moto).ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/", nil))
		return answer.Body.String()
	}
	const (
		both    = `{"RequestItems":{"t":{"ConsistentRead":true,"Keys":[{"kind":{"S":"k"},"id":{"S":"a"}},{"kind":{"S":"k"},"id":{"S":"b"}}]}}}`
		turned  = `{"RequestItems":{"t":{"ConsistentRead":true,"Keys":[{"id":{"S":"b"},"kind":{"S":"k"}},{"id":{"S":"a"},"kind":{"S":"k"}}]}}}`
		partial = `{"RequestItems":{"t":{"ProjectionExpression":"n","Keys":[{"kind":{"S":"k"},"id":{"S":"a"}}]}}}`
	)
	for _, c := range []struct {
		region, operation, body string
		asks                    bool
	}{
		{"one", "BatchGetItem", both, true},
		{"one", "BatchGetItem", both, false},
		{"one", "BatchGetItem", turned, false},
		{"two", "BatchGetItem", both, true},
		{"one", "BatchGetItem", partial, true},
		{"one", "UpdateItem", `{"TableName":"t","Key":{"kind":{"S":"k"},"id":{"S":"c"}}}`, true},
		{"one", "BatchGetItem", both, false},
		{"one", "UpdateItem", `{"TableName":"t","Key":{"kind":{"S":"k"},"id":{"S":"a"}}}`, true},
		{"one", "BatchGetItem", both, true},
		{"one", "PutItem", `{"TableName":"t","Item":{"kind":{"S":"k"},"id":{"S":"b"},"n":{"N":"1"}}}`, true},
		{"one", "BatchGetItem", both, true},
		{"one", "TransactWriteItems", `{"TransactItems":[{"ConditionCheck":{"TableName":"u","Key":{"id":{"S":"b"}}}},{"Update":{"TableName":"t","Key":{"kind":{"S":"k"},"id":{"S":"b"}}}}]}`, true},
		{"one", "BatchGetItem", both, true},
		{"one", "BatchGetItem", both, false},
		{"one", "DeleteTable", `{"TableName":"t"}`, true},
		{"one", "BatchGetItem", both, true},
		{"two", "BatchGetItem", both, true},
	} {
		before := asked
		said := call(c.region, c.operation, c.body)
		if (asked > before) != c.asks {
			t.Errorf("%s %s of %s asked moto: %t, want %t", c.operation, c.region, c.body, asked > before, c.asks)
		}
		if c.operation == "BatchGetItem" && (!strings.Contains(said, `"kind":{"S":"k"}`) || !strings.Contains(said, `"id":{"S":"a"}`) || strings.Contains(said, `"id":{"S":"b"}`)) {
			t.Errorf("%s answered %s", c.body, said)
		}
	}
}
