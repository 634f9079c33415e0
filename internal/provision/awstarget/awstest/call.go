package awstest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
)

// Call is what a request to AWS asks for, as far as an overlay has to know.
type Call struct {
	// Service is the name that requests are signed for, such as "elasticloadbalancing".
	Service string
	// Region is the AWS region that they are signed for.
	Region string
	// Operation is the name in AWS's reference; for REST services the method and the path.
	Operation string
	// Form is the input of a query service, Body that of the others.
	Form url.Values
	Body []byte
	// CBOR says that Body is CBOR, not JSON.
	CBOR bool
}

// rpcOperation comes before the operation in the paths of "Smithy RPC v2 CBOR".
const rpcOperation = "/operation/"

// identify reads what a request asks for and leaves its body to be read again.
func identify(r *http.Request) (Call, error) {
	var c Call
	// AWS4-HMAC-SHA256 Credential=AKID/20261103/eu-central-1/kms/aws4_request, …
	if _, scope, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		scope, _, _ = strings.Cut(scope, ",")
		if p := strings.Split(scope, "/"); len(p) >= 5 {
			c.Region, c.Service = p[len(p)-3], p[len(p)-2]
		}
	}
	if r.Body != nil && r.Body != http.NoBody {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return c, fmt.Errorf("read the request: %w", err)
		}
		if err := r.Body.Close(); err != nil {
			return c, fmt.Errorf("close the request: %w", err)
		}
		c.Body = body
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	switch _, operation, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); {
	case ok:
		c.Operation = operation
	case isQuery(r):
		form, err := url.ParseQuery(string(c.Body))
		if err != nil {
			return c, fmt.Errorf("read the form: %w", err)
		}
		c.Form, c.Operation = form, form.Get("Action")
	case strings.Contains(r.URL.Path, rpcOperation):
		_, c.Operation, _ = strings.Cut(r.URL.Path, rpcOperation)
		c.CBOR = true
	default:
		c.Operation = r.Method + " " + r.URL.Path
	}
	return c, nil
}

// Error is an error in the form of the call's protocol.
func (c Call) Error(code, message string) (body []byte, contentType string) {
	switch {
	case c.CBOR:
		return cbor.Encode(cbor.Map{"__type": cbor.String(code), "message": cbor.String(message)}), "application/cbor"
	case c.Service == "ec2":
		type problem struct{ Code, Message string }
		return mustXML(struct {
			XMLName xml.Name  `xml:"Response"`
			Errors  []problem `xml:"Errors>Error"`
		}{Errors: []problem{{code, message}}}), "text/xml"
	case c.Service == "s3":
		return mustXML(struct {
			XMLName       xml.Name `xml:"Error"`
			Code, Message string
		}{Code: code, Message: message}), "application/xml"
	case c.Form != nil || c.Service == "route53":
		type problem struct{ Code, Message string }
		return mustXML(struct {
			XMLName xml.Name `xml:"ErrorResponse"`
			Error   problem
		}{Error: problem{code, message}}), "text/xml"
	}
	body, err := json.Marshal(map[string]string{"__type": code, "message": message})
	if err != nil {
		panic(err)
	}
	return body, "application/x-amz-json-1.1"
}

func mustXML(v any) []byte {
	b, err := xml.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
