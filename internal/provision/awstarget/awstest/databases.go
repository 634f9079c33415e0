package awstest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// dataAPI keeps which database clusters have the Data API: moto knows it of old versions only.
type dataAPI struct {
	mu sync.Mutex
	on map[string]bool // by the cluster's name
}

var (
	clusterBlock = regexp.MustCompile(`(?s)<DBCluster>.*?</DBCluster>`)
	clusterName  = regexp.MustCompile(`<DBClusterIdentifier>([^<]*)</DBClusterIdentifier>`)
	clusterFlag  = regexp.MustCompile(`<HttpEndpointEnabled>[^<]*</HttpEndpointEnabled>`)
)

func (d *dataAPI) piece(c Call, moto http.Handler) http.Handler {
	if c.Service != "rds" {
		return nil
	}
	switch c.Operation {
	case "CreateDBCluster":
		d.enable(c.Form.Get("DBClusterIdentifier"), c.Form.Get("EnableHttpEndpoint") == "true")
	case "DeleteDBCluster":
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			moto.ServeHTTP(w, r)
			if c.Form.Get("DeleteAutomatedBackups") != "false" {
				forgetBackups(moto, r, c.Form.Get("DBClusterIdentifier"))
			}
		})
	case "EnableHttpEndpoint", "DisableHttpEndpoint":
		arn := c.Form.Get("ResourceArn")
		d.enable(arn[strings.LastIndex(arn, ":")+1:], c.Operation == "EnableHttpEndpoint")
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/xml")
			_, _ = w.Write([]byte("<" + c.Operation + "Response><" + c.Operation + "Result/></" + c.Operation + "Response>"))
		})
	case "DescribeDBClusters":
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			moto.ServeHTTP(answer, r)
			body := clusterBlock.ReplaceAllFunc(answer.Body.Bytes(), d.mark)
			maps.Copy(w.Header(), answer.Header())
			w.Header().Del("Content-Length")
			w.WriteHeader(answer.Code)
			_, _ = w.Write(body)
		})
	}
	return nil
}

var automatedBackup = regexp.MustCompile(`<DBClusterSnapshotIdentifier>(rds:[^<]*)</DBClusterSnapshotIdentifier>`)

// forgetBackups removes a cluster's automated backups, which moto keeps after its end.
func forgetBackups(moto http.Handler, r *http.Request, cluster string) {
	ask := func(action, parameter, value string) []byte {
		form := url.Values{"Action": {action}, "Version": {"2014-10-31"}, parameter: {value}}.Encode()
		also := r.Clone(context.WithoutCancel(r.Context()))
		also.Body, also.ContentLength = io.NopCloser(strings.NewReader(form)), int64(len(form))
		answer := httptest.NewRecorder()
		moto.ServeHTTP(answer, also)
		return answer.Body.Bytes()
	}
	for _, found := range automatedBackup.FindAllSubmatch(ask("DescribeDBClusterSnapshots", "DBClusterIdentifier", cluster), -1) {
		ask("DeleteDBClusterSnapshot", "DBClusterSnapshotIdentifier", string(found[1]))
	}
}

func (d *dataAPI) enable(cluster string, on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.on[cluster] = on
}

// mark writes into a cluster's description whether it has the Data API.
func (d *dataAPI) mark(block []byte) []byte {
	name := clusterName.FindSubmatch(block)
	if name == nil {
		return block
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	flag := "false"
	if d.on[string(name[1])] {
		flag = "true"
	}
	block = clusterFlag.ReplaceAll(block, nil)
	return bytes.Replace(block, []byte("</DBCluster>"), []byte("<HttpEndpointEnabled>"+flag+"</HttpEndpointEnabled></DBCluster>"), 1)
}
