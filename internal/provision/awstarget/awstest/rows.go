package awstest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
)

// rows answers BatchGetItem from what moto has answered before, until a row is written: moto takes
// milliseconds for what is asked most, and does one thing after the other.
type rows struct {
	mu sync.Mutex
	// known are by the table and the key, as JSON; nil for one that is not there.
	known map[string]map[string]item
}

// item is a row or the key of one: its attributes as they were sent.
type item map[string]json.RawMessage

// is says whether a row has a key.
func (i item) is(key item) bool {
	for name, value := range key {
		if string(i[name]) != string(value) {
			return false
		}
	}
	return true
}

// UnmarshalJSON reads attributes so that the same are the same text.
func (i *item) UnmarshalJSON(b []byte) error {
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	*i = item{}
	for name, value := range all {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		(*i)[name] = text
	}
	return nil
}

func (i item) text() string {
	b, err := json.Marshal(i)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// asked are the keys that a call asks for by their tables, nil where it asks for something else
// than whole rows.
func (r *rows) asked(c Call) map[string][]item {
	var in struct {
		RequestItems map[string]map[string]json.RawMessage
	}
	if c.Operation != "BatchGetItem" || json.Unmarshal(c.Body, &in) != nil {
		return nil
	}
	all := map[string][]item{}
	for table, members := range in.RequestItems {
		var keys []item
		if json.Unmarshal(members["Keys"], &keys) != nil {
			return nil
		}
		delete(members, "Keys")
		delete(members, "ConsistentRead")
		if len(members) > 0 {
			return nil
		}
		all[c.Region+" "+table] = keys
	}
	return all
}

// get answers a call that asks for rows, with moto's help where one of them is not known.
func (r *rows) get(w http.ResponseWriter, req *http.Request, c Call, moto http.Handler) {
	asked := r.asked(c)
	if out := r.answer(c, asked); out != nil {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write(out)
		return
	}
	answer := httptest.NewRecorder()
	moto.ServeHTTP(answer, req)
	if answer.Code == http.StatusOK && asked != nil {
		r.learn(c, asked, answer.Body.Bytes())
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// answered is what BatchGetItem says.
type answered struct {
	Responses       map[string][]item
	UnprocessedKeys map[string]json.RawMessage
}

func (r *rows) answer(c Call, asked map[string][]item) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := answered{map[string][]item{}, map[string]json.RawMessage{}}
	for table, keys := range asked {
		for _, key := range keys {
			found, ok := r.known[table][key.text()]
			if !ok {
				return nil
			}
			if name := table[len(c.Region)+1:]; found != nil {
				out.Responses[name] = append(out.Responses[name], found)
			}
		}
	}
	if asked == nil {
		return nil
	}
	body, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	return body
}

func (r *rows) learn(c Call, asked map[string][]item, body []byte) {
	var out answered
	if json.Unmarshal(body, &out) != nil || len(out.UnprocessedKeys) > 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for table, keys := range asked {
		if r.known == nil {
			r.known = map[string]map[string]item{}
		}
		if r.known[table] == nil {
			r.known[table] = map[string]item{}
		}
		for _, key := range keys {
			var row item
			for _, found := range out.Responses[table[len(c.Region)+1:]] {
				if found.is(key) {
					row = found
				}
			}
			r.known[table][key.text()] = row
		}
	}
}

// write is one of a row, as far as it says which one.
type write struct {
	TableName string
	Key, Item item
}

// forget forgets the rows that a call writes, all where it is not known which ones.
func (r *rows) forget(c Call) {
	var in struct {
		write
		TransactItems []map[string]write
	}
	err := json.Unmarshal(c.Body, &in)
	writes := []write{in.write}
	for _, each := range in.TransactItems {
		for _, w := range each {
			writes = append(writes, w)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || !slices.Contains([]string{"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}, c.Operation) {
		clear(r.known)
		return
	}
	for _, w := range writes {
		row := w.Item
		if row == nil {
			row = w.Key
		}
		maps.DeleteFunc(r.known[c.Region+" "+w.TableName], func(key string, _ item) bool {
			var k item
			return json.Unmarshal([]byte(key), &k) != nil || row.is(k)
		})
	}
}
