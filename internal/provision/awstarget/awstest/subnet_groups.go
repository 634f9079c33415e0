package awstest

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// subnetGroups changes groups of database subnets, which moto forgets when they are changed: it
// removes them and makes them again with the new subnets.
func subnetGroups(c Call, moto http.Handler) http.Handler {
	if c.Service != "rds" || c.Operation != "ModifyDBSubnetGroup" {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithoutCancel(r.Context())
		send := func(form url.Values) []byte {
			form.Set("Version", "2014-10-31")
			return ask(ctx, moto, c, "application/x-www-form-urlencoded", "", form.Encode()).Body.Bytes()
		}
		name := c.Form.Get("DBSubnetGroupName")
		var seen struct {
			ARN         string `xml:"DescribeDBSubnetGroupsResult>DBSubnetGroups>DBSubnetGroup>DBSubnetGroupArn"`
			Description string `xml:"DescribeDBSubnetGroupsResult>DBSubnetGroups>DBSubnetGroup>DBSubnetGroupDescription"`
		}
		var tags struct {
			Tags []struct{ Key, Value string } `xml:"ListTagsForResourceResult>TagList>Tag"`
		}
		if xml.Unmarshal(send(url.Values{"Action": {"DescribeDBSubnetGroups"}, "DBSubnetGroupName": {name}}), &seen) != nil || seen.ARN == "" ||
			xml.Unmarshal(send(url.Values{"Action": {"ListTagsForResource"}, "ResourceName": {seen.ARN}}), &tags) != nil {
			http.Error(w, "the subnet group is not there", http.StatusNotFound)
			return
		}
		send(url.Values{"Action": {"DeleteDBSubnetGroup"}, "DBSubnetGroupName": {name}})
		again := url.Values{"Action": {"CreateDBSubnetGroup"}, "DBSubnetGroupName": {name}, "DBSubnetGroupDescription": {seen.Description}}
		for k, v := range c.Form {
			if strings.HasPrefix(k, "SubnetIds.") {
				again[k] = v
			}
		}
		for i, t := range tags.Tags {
			at := "Tags.Tag." + strconv.Itoa(i+1)
			again.Set(at+".Key", t.Key)
			again.Set(at+".Value", t.Value)
		}
		body := strings.ReplaceAll(string(send(again)), "CreateDBSubnetGroup", "ModifyDBSubnetGroup")
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write([]byte(body))
	})
}
