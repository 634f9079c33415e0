package awstest

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
)

// bucketTags keeps the tags that come with CreateBucket, which moto drops.
func bucketTags(c Call, moto http.Handler) http.Handler {
	path, isPut := strings.CutPrefix(c.Operation, "PUT /")
	if c.Service != "s3" || !isPut || strings.Contains(strings.Trim(path, "/"), "/") {
		return nil
	}
	var in struct {
		Tags struct {
			Tag []struct{ Key, Value string }
		}
	}
	if xml.Unmarshal(c.Body, &in) != nil || len(in.Tags.Tag) == 0 {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// AWS does both or neither, whatever the client does meanwhile.
		r = r.WithContext(context.WithoutCancel(r.Context()))
		answer := httptest.NewRecorder()
		moto.ServeHTTP(answer, r)
		if answer.Code == http.StatusOK {
			tagging := mustXML(struct {
				XMLName xml.Name `xml:"Tagging"`
				Tags    any      `xml:"TagSet>Tag"`
			}{Tags: in.Tags.Tag})
			also := r.Clone(r.Context())
			also.URL = &url.URL{Path: r.URL.Path, RawQuery: "tagging"}
			also.Body, also.ContentLength = io.NopCloser(bytes.NewReader(tagging)), int64(len(tagging))
			moto.ServeHTTP(httptest.NewRecorder(), also)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}
