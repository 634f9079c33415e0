package awstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// read reads the input of a JSON service into the SDK's structure for it: Go does not mind
// that the names begin with another case.
func (c Call) read(into any) error {
	if err := json.Unmarshal(c.Body, into); err != nil {
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
		w.WriteHeader(status)
		_, _ = w.Write(body)
		return
	}
	body, err := json.Marshal(plain(reflect.ValueOf(output), c.Service == "ecs"))
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_, _ = w.Write(body)
}

// plain turns a structure of the SDK into what its JSON is made of: times are seconds since
// 1970, what is nil or empty is left out, and lower says that names begin with a small letter.
func plain(v reflect.Value, lower bool) any {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if at, ok := v.Interface().(time.Time); ok {
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
			out[name] = plain(f, lower)
		}
		return out
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = plain(v.Index(i), lower)
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[k.String()] = plain(v.MapIndex(k), lower)
		}
		return out
	}
	return v.Interface()
}
