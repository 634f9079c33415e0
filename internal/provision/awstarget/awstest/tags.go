package awstest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
)

// doubledTags refuses a list of tags that has a key twice, where moto keeps the last: CreateVpc and
// all that takes a TagSpecification (InvalidParameterValue), AddTags (DuplicateTagKeys), and TagRole, for
// which Team and team are one key (InvalidInput).
func doubledTags(c Call, _ http.Handler) http.Handler {
	key, doubled := c.doubledTag()
	if !doubled {
		return nil
	}
	code := map[string]string{"ec2": "InvalidParameterValue", "elasticloadbalancing": "DuplicateTagKeys", "iam": "InvalidInput", "rds": "InvalidParameterValue"}[c.Service]
	if code == "" {
		code = "ValidationException"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c.send(w, nil, refuse(code, "Duplicate tag key '%s' specified", key))
	})
}

// tagField is the field of a form that has a tag's key: TagSpecification.1.Tag.2.Key, Tags.member.2.Key,
// Tags.Tag.2.Key.
var tagField = regexp.MustCompile(`^(.*\bTag|Tags\.member|Tags\.Tag)\.\d+\.Key$`)

// doubledTag is a key that a list of tags in the call has twice.
func (c Call) doubledTag() (key string, doubled bool) {
	seen := map[string]bool{}
	again := func(list, key string) bool {
		if c.Service == "iam" {
			key = strings.ToLower(key)
		}
		defer func() { seen[list+" "+key] = true }()
		return seen[list+" "+key]
	}
	for name, values := range c.Form {
		if field := tagField.FindStringSubmatch(name); field != nil && again(field[1], values[0]) {
			return values[0], true
		}
	}
	if c.Form != nil || c.CBOR {
		return "", false
	}
	var in struct {
		Tags []struct{ Key, TagKey string }
	}
	if json.Unmarshal(c.Body, &in) != nil {
		return "", false // no list of tags
	}
	for _, t := range in.Tags {
		if again("", t.Key+t.TagKey) {
			return t.Key + t.TagKey, true
		}
	}
	return "", false
}
