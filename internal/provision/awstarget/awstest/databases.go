package awstest

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
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
