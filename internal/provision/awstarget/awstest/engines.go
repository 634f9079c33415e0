package awstest

import (
	"encoding/xml"
	"net/http"
	"slices"
)

// engines are the versions of Aurora PostgreSQL that there are, by their family of parameter groups.
var engines = map[string][]string{
	"aurora-postgresql16": {oldEngine, "16.8", "16.9"},
	"aurora-postgresql17": {"17.4", "17.5", "17.6", "17.7"},
}

// oldEngine is a version that can't pause ("Scaling to Zero ACUs with automatic pause and resume").
const oldEngine = "16.2"

// engineVersions answers what moto does not know: which versions of an engine there are.
func engineVersions(c Call) http.Handler {
	type version struct {
		Engine        string
		EngineVersion string
		Family        string  `xml:"DBParameterGroupFamily"`
		MinCapacity   float64 `xml:"ServerlessV2FeaturesSupport>MinCapacity"`
		MaxCapacity   float64 `xml:"ServerlessV2FeaturesSupport>MaxCapacity"`
	}
	var answer struct {
		XMLName  xml.Name  `xml:"DescribeDBEngineVersionsResponse"`
		Versions []version `xml:"DescribeDBEngineVersionsResult>DBEngineVersions>DBEngineVersion"`
	}
	engine, family, wanted := c.Form.Get("Engine"), c.Form.Get("DBParameterGroupFamily"), c.Form.Get("EngineVersion")
	for f, all := range engines {
		for _, v := range all {
			if (engine == "" || engine == "aurora-postgresql") && slices.Contains([]string{"", f}, family) && slices.Contains([]string{"", v}, wanted) {
				answer.Versions = append(answer.Versions, version{"aurora-postgresql", v, f, map[bool]float64{true: 0.5}[v == oldEngine], 256})
			}
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		_ = xml.NewEncoder(w).Encode(answer)
	})
}
