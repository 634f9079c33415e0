package awstest

import (
	"reflect"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// fromCBOR turns a value of the protocol "Smithy RPC v2 CBOR" into what encoding/json makes of
// the like; a time becomes a time.Time.
func fromCBOR(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Map:
		out := map[string]any{}
		for k, e := range v {
			out[k] = fromCBOR(e)
		}
		return out
	case cbor.List:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = fromCBOR(e)
		}
		return out
	case *cbor.Tag:
		if at, err := cbor.AsTime(v); err == nil {
			return at
		}
		return nil
	case cbor.String:
		return string(v)
	case cbor.Bool:
		return bool(v)
	case cbor.Uint, cbor.NegInt:
		if n, err := cbor.AsInt64(v); err == nil {
			return n
		}
		return nil
	case cbor.Float32, cbor.Float64:
		if n, err := cbor.AsFloat64(v); err == nil {
			return n
		}
		return nil
	}
	return nil
}

// toCBOR is the other way; names of enumerations and numbers may be of any type.
func toCBOR(v any) cbor.Value {
	switch v := v.(type) {
	case nil:
		return &cbor.Nil{}
	case map[string]any:
		out := cbor.Map{}
		for k, e := range v {
			out[k] = toCBOR(e)
		}
		return out
	case []any:
		out := make(cbor.List, len(v))
		for i, e := range v {
			out[i] = toCBOR(e)
		}
		return out
	case time.Time:
		return &cbor.Tag{ID: 1, Value: cbor.Float64(float64(v.UnixMilli()) / 1000)}
	}
	switch r := reflect.ValueOf(v); {
	case r.Kind() == reflect.String:
		return cbor.String(r.String())
	case r.Kind() == reflect.Bool:
		return cbor.Bool(r.Bool())
	case r.CanFloat():
		return cbor.Float64(r.Float())
	case r.CanInt() && r.Int() >= 0:
		return cbor.Uint(r.Int())
	case r.CanInt():
		return cbor.NegInt(-r.Int())
	}
	return &cbor.Nil{}
}
