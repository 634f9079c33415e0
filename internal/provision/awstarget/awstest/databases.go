package awstest

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// dataAPI keeps which database clusters have the Data API: moto knows it of old versions only.
// It also answers that API.
type dataAPI struct {
	mu sync.Mutex
	on map[string]bool // by the cluster's name
	// logs are those that a cluster writes since it was changed, which moto does not note.
	logs map[string][]string

	making       sync.Mutex
	clusters     map[string]*emulated // by name
	transactions sync.Map             // *transaction by id
}

func newDataAPI() *dataAPI {
	return &dataAPI{on: map[string]bool{}, logs: map[string][]string{}, clusters: map[string]*emulated{}}
}

var (
	clusterBlock = regexp.MustCompile(`(?s)<DBCluster>.*?</DBCluster>`)
	clusterName  = regexp.MustCompile(`<DBClusterIdentifier>([^<]*)</DBClusterIdentifier>`)
	clusterLogs  = regexp.MustCompile(`(?s)<EnabledCloudwatchLogsExports>.*?</EnabledCloudwatchLogsExports>|<EnabledCloudwatchLogsExports */>`)
	clusterFlag  = regexp.MustCompile(`<HttpEndpointEnabled>[^<]*</HttpEndpointEnabled>`)
)

func (d *dataAPI) piece(c Call, moto http.Handler) http.Handler {
	if c.Service != "rds" {
		return nil
	}
	switch c.Operation {
	case "CreateDBCluster":
		d.enable(c.Form.Get("DBClusterIdentifier"), c.Form.Get("EnableHttpEndpoint") == "true")
		d.log(c.Form.Get("DBClusterIdentifier"), nil, nil)
	case "ModifyDBCluster":
		const logs = "CloudwatchLogsExportConfiguration."
		if add, remove := members(c.Form, logs+"EnableLogTypes."), members(c.Form, logs+"DisableLogTypes."); len(add)+len(remove) > 0 {
			d.log(c.Form.Get("DBClusterIdentifier"), add, remove)
		}
	case "DeleteDBCluster":
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d.delete(c, moto).ServeHTTP(w, r)
			if c.Form.Get("DeleteAutomatedBackups") != "false" {
				forgetBackups(r.Context(), moto, c, c.Form.Get("DBClusterIdentifier"))
			}
		})
	case "EnableHttpEndpoint", "DisableHttpEndpoint":
		arn := c.Form.Get("ResourceArn")
		d.enable(arn[strings.LastIndex(arn, ":")+1:], c.Operation == "EnableHttpEndpoint")
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/xml")
			_, _ = w.Write([]byte("<" + c.Operation + "Response><" + c.Operation + "Result/></" + c.Operation + "Response>"))
		})
	case "DescribeDBEngineVersions":
		return engineVersions(c)
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

// delete forgets what a cluster held that an emulator has deleted.
func (d *dataAPI) delete(c Call, emulator http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		emulator.ServeHTTP(answer, r)
		if answer.Code == http.StatusOK {
			if err := d.forget(r.Context(), c.Form.Get("DBClusterIdentifier")); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// notes is the piece for an emulator that knows the Data API: it notes which clusters have it, and
// forgets what a deleted one held.
func (d *dataAPI) notes(c Call, emulator http.Handler) http.Handler {
	if c.Service != "rds" {
		return nil
	}
	switch c.Operation {
	case "CreateDBCluster":
		d.enable(c.Form.Get("DBClusterIdentifier"), c.Form.Get("EnableHttpEndpoint") == "true")
	case "EnableHttpEndpoint", "DisableHttpEndpoint":
		arn := c.Form.Get("ResourceArn")
		d.enable(arn[strings.LastIndex(arn, ":")+1:], c.Operation == "EnableHttpEndpoint")
	case "DeleteDBCluster":
		return d.delete(c, emulator)
	}
	return nil
}

var automatedBackup = regexp.MustCompile(`<DBClusterSnapshotIdentifier>(rds:[^<]*)</DBClusterSnapshotIdentifier>`)

// forgetBackups removes a cluster's automated backups, which moto keeps after its end.
func forgetBackups(ctx context.Context, moto http.Handler, c Call, cluster string) {
	send := func(action, parameter, value string) []byte {
		form := url.Values{"Action": {action}, "Version": {"2014-10-31"}, parameter: {value}}.Encode()
		return ask(ctx, moto, c, "application/x-www-form-urlencoded", "", form).Body.Bytes()
	}
	for _, found := range automatedBackup.FindAllSubmatch(send("DescribeDBClusterSnapshots", "DBClusterIdentifier", cluster), -1) {
		send("DeleteDBClusterSnapshot", "DBClusterSnapshotIdentifier", string(found[1]))
	}
}

func (d *dataAPI) enable(cluster string, on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.on[cluster] = on
}

// log notes which logs a cluster writes; it begins with one.
func (d *dataAPI) log(cluster string, add, remove []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(add)+len(remove) == 0 {
		delete(d.logs, cluster)
		return
	}
	has, ok := d.logs[cluster]
	if !ok {
		has = []string{"postgresql"}
	}
	d.logs[cluster] = slices.DeleteFunc(append(slices.Clone(has), add...), func(l string) bool { return slices.Contains(remove, l) })
}

// members are the elements of a list in a form.
func members(form url.Values, prefix string) []string {
	var all []string
	for k, v := range form {
		if strings.HasPrefix(k, prefix) {
			all = append(all, v...)
		}
	}
	slices.Sort(all)
	return all
}

// mark writes into a cluster's description whether it has the Data API, and which logs it writes.
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
	if logs, changed := d.logs[string(name[1])]; changed {
		block = clusterLogs.ReplaceAll(block, nil)
		var list strings.Builder
		for _, l := range logs {
			list.WriteString("<member>" + l + "</member>")
		}
		block = bytes.Replace(block, []byte("</DBCluster>"), []byte("<EnabledCloudwatchLogsExports>"+list.String()+"</EnabledCloudwatchLogsExports></DBCluster>"), 1)
	}
	return bytes.Replace(block, []byte("</DBCluster>"), []byte("<HttpEndpointEnabled>"+flag+"</HttpEndpointEnabled></DBCluster>"), 1)
}
