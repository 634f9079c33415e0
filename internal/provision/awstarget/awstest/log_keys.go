package awstest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
)

// logKeys gives log groups other keys, which moto can't: AssociateKmsKey and DisassociateKmsKey.
type logKeys struct {
	keys sync.Map // by the region and the group's name
}

func (l *logKeys) piece(c Call, moto http.Handler) http.Handler {
	if c.Service != "logs" {
		return nil
	}
	switch c.Operation {
	case "AssociateKmsKey", "DisassociateKmsKey":
		var in struct{ LogGroupName, KmsKeyID string }
		if json.Unmarshal(c.Body, &in) != nil {
			return nil
		}
		l.keys.Store(c.Region+" "+in.LogGroupName, in.KmsKeyID)
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.send(w, &struct{}{}, nil) })
	case "CreateLogGroup":
		var in struct{ LogGroupName string }
		if json.Unmarshal(c.Body, &in) == nil {
			l.keys.Delete(c.Region + " " + in.LogGroupName)
		}
	case "DescribeLogGroups":
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			moto.ServeHTTP(answer, r)
			maps.Copy(w.Header(), answer.Header())
			w.Header().Del("Content-Length")
			w.WriteHeader(answer.Code)
			_, _ = w.Write(l.rewrite(c.Region, answer.Body.Bytes()))
		})
	}
	return nil
}

// rewrite puts the keys into a list of groups.
func (l *logKeys) rewrite(region string, body []byte) []byte {
	var out map[string]any
	if json.Unmarshal(body, &out) != nil {
		return body
	}
	groups, _ := out["logGroups"].([]any)
	for _, g := range groups {
		group, _ := g.(map[string]any)
		name, _ := group["logGroupName"].(string)
		if key, changed := l.keys.Load(region + " " + name); changed {
			delete(group, "kmsKeyId")
			if key != "" {
				group["kmsKeyId"] = key
			}
		}
	}
	again, err := json.Marshal(out)
	if err != nil {
		return body
	}
	return again
}
