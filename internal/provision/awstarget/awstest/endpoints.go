package awstest

import (
	"io"
	"net/http"
	"strings"
)

// endpointFilters lets VPC endpoints be found by their ids, which moto knows by another name.
func endpointFilters(c Call, moto http.Handler) http.Handler {
	if c.Service != "ec2" || c.Operation != "DescribeVpcEndpoints" {
		return nil
	}
	for key, values := range c.Form {
		if strings.HasPrefix(key, "Filter.") && strings.HasSuffix(key, ".Name") && values[0] == "vpc-endpoint-id" {
			values[0] = "id"
		}
	}
	form := c.Form.Encode()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(form)), int64(len(form))
		moto.ServeHTTP(w, r)
	})
}
