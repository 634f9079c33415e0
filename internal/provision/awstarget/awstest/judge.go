package awstest

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// Judge says of each request what IAM must allow for it, by our reading of AWS's Service
// Authorization Reference, and keeps the tags of what is in the account, which conditions are about.
type Judge struct {
	account string

	mu    sync.Mutex
	tags  map[string]map[string]string // by ARN, of EC2 by id
	keys  map[string]string            // the last key that was made, by AWS region
	asked []Need
}

func newJudge(account string) *Judge {
	return &Judge{account: account, tags: map[string]map[string]string{}, keys: map[string]string{}}
}

// Hold reports each request that policies do not allow. It is for aws.Config.APIOptions.
func (j *Judge) Hold(p Policies, report func(denied string)) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("JudgeRequest", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			c := judged{service: awsmiddleware.GetServiceID(ctx), operation: awsmiddleware.GetOperationName(ctx), region: awsmiddleware.GetRegion(ctx), account: j.account, in: fields(in.Parameters)}
			needs, err := j.needs(c)
			if err != nil {
				report(err.Error())
			}
			for _, n := range p.Denied(needs) {
				report(fmt.Sprintf("%s %s needs %s", c.service, c.operation, n))
			}
			out, metadata, err := next.HandleInitialize(ctx, in)
			if err == nil {
				j.learn(c, fields(out.Result))
			}
			return out, metadata, err
		}), middleware.After)
	}
}

// Asked are the needs of all requests since it was last called.
func (j *Judge) Asked() []Need {
	j.mu.Lock()
	defer j.mu.Unlock()
	asked := j.asked
	j.asked = nil
	return asked
}

// judged is a request.
type judged struct {
	service, operation, region, account string
	in                                  map[string]any
}

// fields are those of a structure, by name.
func fields(v any) map[string]any {
	b, err := json.Marshal(v)
	var out map[string]any
	if err == nil {
		_ = json.Unmarshal(b, &out)
	}
	return out
}

// text is a field of the input.
func (c judged) text(name string) string {
	s, _ := c.in[name].(string)
	return s
}

// texts are the elements of a list.
func (c judged) texts(name string) []string { return textsOf(c.in[name]) }

func textsOf(v any) []string {
	var all []string
	list, _ := v.([]any)
	for _, e := range list {
		if s, ok := e.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// arn names a resource of the account; what is one already is left as it is.
func (c judged) arn(service, prefix, name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return "arn:aws:" + service + ":" + c.region + ":" + c.account + ":" + prefix + name
}

// reads says whether the request only describes or lists.
func (c judged) lists() bool {
	return strings.HasPrefix(c.operation, "Describe") || strings.HasPrefix(c.operation, "List")
}

var ec2ID = regexp.MustCompile(`\b(vpc|subnet|igw|eipalloc|nat|rtb|sg|vpce)-[0-9a-f]{8,}\b`)

// ec2Kinds are the kinds of resources by the beginnings of their ids.
var ec2Kinds = map[string]string{
	"vpc": "vpc", "subnet": "subnet", "igw": "internet-gateway", "eipalloc": "elastic-ip", "nat": "natgateway",
	"rtb": "route-table", "sg": "security-group", "vpce": "vpc-endpoint",
}

// ids are the ids of EC2 in what was sent or answered, but for the tags, whose values may look like
// some.
func ids(fields map[string]any) []string {
	v := map[string]any{}
	for name, of := range fields {
		if name != "TagSpecifications" && name != "Tags" && name != "GroupName" && name != "Description" {
			v[name] = of
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	all := ec2ID.FindAllString(string(b), -1)
	slices.Sort(all)
	return slices.Compact(all)
}

// tagsIn are the tags in a value: lists of keys and values under whatever name.
func tagsIn(v any) map[string]string {
	all := map[string]string{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, names := range [][2]string{{"Key", "Value"}, {"TagKey", "TagValue"}} {
				key, ok := v[names[0]].(string)
				if value, there := v[names[1]].(string); ok && there && len(v) == 2 {
					all[key] = value
				}
			}
			for _, name := range []string{"Tags", "TagSpecifications", "CreateBucketConfiguration"} {
				walk(v[name])
			}
			if plain, ok := v["Tags"].(map[string]any); ok {
				for k, value := range plain {
					all[k], _ = value.(string)
				}
			}
		}
	}
	walk(v)
	return all
}

// learn notes the tags of what was made, tagged or described.
func (j *Judge) learn(c judged, out map[string]any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	note := func(resource string, tags map[string]string) {
		if resource == "" || len(tags) == 0 {
			return
		}
		if j.tags[resource] == nil {
			j.tags[resource] = map[string]string{}
		}
		for k, v := range tags {
			j.tags[resource][k] = v
		}
	}
	sent := tagsIn(c.in)
	switch c.service + " " + c.operation {
	case "EC2 CreateTags":
		for _, id := range c.texts("Resources") {
			note(id, sent)
		}
	case "Elastic Load Balancing v2 AddTags":
		for _, arn := range c.texts("ResourceArns") {
			note(arn, sent)
		}
	case "Elastic Load Balancing v2 DescribeTags":
		list, _ := out["TagDescriptions"].([]any)
		for _, d := range list {
			of, _ := d.(map[string]any)
			arn, _ := of["ResourceArn"].(string)
			note(arn, tagsIn(of))
		}
	case "ACM ListTagsForCertificate":
		note(c.text("CertificateArn"), tagsIn(out))
	case "ACM RequestCertificate":
		arn, _ := out["CertificateArn"].(string)
		note(arn, sent)
	case "KMS CreateKey":
		made, _ := out["KeyMetadata"].(map[string]any)
		id, _ := made["KeyId"].(string)
		j.keys[c.region] = c.arn("kms", "key/", id)
		note(j.keys[c.region], sent)
	case "KMS ListResourceTags":
		note(c.arn("kms", "key/", c.text("KeyId")), tagsIn(out))
	default:
		j.learnMade(c, out, sent, note)
	}
}

// learnMade notes the tags of what other calls made or described.
func (j *Judge) learnMade(c judged, out map[string]any, sent map[string]string, note func(string, map[string]string)) {
	switch {
	case c.service == "EC2" && c.lists():
		for _, v := range out {
			list, _ := v.([]any)
			for _, e := range list {
				of, _ := e.(map[string]any)
				for _, own := range []string{"NatGatewayId", "VpcEndpointId", "RouteTableId", "InternetGatewayId", "AllocationId", "GroupId", "SubnetId", "VpcId"} {
					if id, ok := of[own].(string); ok {
						note(id, tagsIn(of))
						break
					}
				}
			}
		}
	case c.service == "EC2":
		given := ids(c.in)
		for _, id := range ids(out) {
			if !slices.Contains(given, id) && strings.HasPrefix(ec2Made[c.operation]+"-", strings.SplitN(id, "-", 2)[0]+"-") {
				note(id, sent)
			}
		}
	case c.service == "Elastic Load Balancing v2" && strings.HasPrefix(c.operation, "Create"):
		b, _ := json.Marshal(out) // of what was JSON
		for _, arn := range regexp.MustCompile(`arn:aws:elasticloadbalancing:[^"]+`).FindAllString(string(b), -1) {
			if j.tags[arn] == nil {
				note(arn, sent)
			}
		}
	}
}

// ec2Made is what an operation makes, by the beginning of its id.
var ec2Made = map[string]string{
	"CreateVpc": "vpc", "CreateSubnet": "subnet", "CreateInternetGateway": "igw", "AllocateAddress": "eipalloc", "CreateNatGateway": "nat",
	"CreateRouteTable": "rtb", "CreateSecurityGroup": "sg", "CreateVpcEndpoint": "vpce",
}
