package awstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// read reads the input of a JSON or CBOR service into the SDK's structure for it: Go does not
// mind that the names begin with another case.
func (c Call) read(into any) error {
	var members any
	err := json.Unmarshal(c.Body, &members)
	if c.CBOR {
		var v cbor.Value
		v, err = cbor.Decode(c.Body)
		members = fromCBOR(v)
	}
	if m, ok := members.(map[string]any); ok {
		for _, name := range []string{"StartTime", "EndTime"} {
			if at, ok := m[name].(float64); ok { // seconds since 1970
				m[name] = time.UnixMilli(int64(at * 1000)).UTC()
			}
		}
	}
	if err == nil {
		var body []byte
		if body, err = json.Marshal(members); err == nil {
			err = json.Unmarshal(body, into)
		}
	}
	if err != nil {
		return refuse("SerializationException", "read the input of %s: %v", c.Operation, err)
	}
	return nil
}

// refusalError is an error that a service answers with.
type refusalError struct{ code, message string }

func (e *refusalError) Error() string { return e.code + ": " + e.message }

func refuse(code, format string, args ...any) error {
	return &refusalError{code, fmt.Sprintf(format, args...)}
}

// send answers with an output of the SDK, or with an error.
func (c Call) send(w http.ResponseWriter, output any, err error) {
	if err != nil {
		refused, ok := err.(*refusalError) //nolint:errorlint // what is wrapped was not meant for the client
		status := http.StatusBadRequest
		if !ok {
			refused, status = &refusalError{"InternalFailure", err.Error()}, http.StatusInternalServerError
		}
		body, contentType := c.Error(refused.code, refused.message)
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("X-Amzn-Errortype", refused.code)
		w.WriteHeader(status)
		_, _ = w.Write(body)
		return
	}
	structure := plain(reflect.ValueOf(output), c.Service == "ecs", c.CBOR)
	if c.CBOR {
		w.Header().Set("Content-Type", "application/cbor")
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		_, _ = w.Write(cbor.Encode(toCBOR(structure)))
		return
	}
	body, err := json.Marshal(structure)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_, _ = w.Write(body)
}

// plain turns a structure of the SDK into what its JSON is made of: what is nil or empty is left
// out, times are seconds since 1970 unless times may stay, and lower says that names begin with
// a small letter.
func plain(v reflect.Value, lower, times bool) any {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if at, ok := v.Interface().(time.Time); ok {
		if times {
			return at
		}
		return float64(at.UnixMilli()) / 1000
	}
	switch v.Kind() {
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			f, name := v.Field(i), v.Type().Field(i).Name
			if !v.Type().Field(i).IsExported() || name == "ResultMetadata" || f.IsZero() && !f.CanInt() && f.Kind() != reflect.Bool {
				continue
			}
			if lower {
				name = strings.ToLower(name[:1]) + name[1:]
			}
			out[name] = plain(f, lower, times)
		}
		return out
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = plain(v.Index(i), lower, times)
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[k.String()] = plain(v.MapIndex(k), lower, times)
		}
		return out
	}
	return v.Interface()
}
