package awstest

import (
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// targetHealth is an entry of DescribeTargetHealth's answer.
type targetHealth struct {
	Target struct {
		ID   string `xml:"Id"`
		Port int32
		Zone string `xml:"AvailabilityZone"`
	}
	Port   int32 `xml:"HealthCheckPort"`
	Health struct {
		State       types.TargetHealthStateEnum
		Reason      types.TargetHealthReasonEnum `xml:",omitempty"`
		Description string                       `xml:",omitempty"`
	} `xml:"TargetHealth"`
}

func (b *balancing) describeHealth(c Call, moto http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		if moto.ServeHTTP(answer, r); answer.Code != http.StatusOK {
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write(mustXML(struct {
			XMLName xml.Name       `xml:"DescribeTargetHealthResponse"`
			Members []targetHealth `xml:"DescribeTargetHealthResult>TargetHealthDescriptions>member"`
		}{Members: b.health(c)}))
	})
}

func (b *balancing) health(c Call) []targetHealth {
	asked := map[string]bool{}
	for name, values := range c.Form {
		if strings.HasPrefix(name, "Targets.member.") && strings.HasSuffix(name, ".Id") {
			asked[values[0]] = true
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []targetHealth
	for _, k := range b.of(c.Form.Get("TargetGroupArn")) {
		if len(asked) > 0 && !asked[k.address] {
			continue
		}
		m, h := b.targets[k], targetHealth{Port: k.port}
		h.Target.ID, h.Target.Port, h.Target.Zone = k.address, k.port, m.zone
		h.Health.State, h.Health.Reason, h.Health.Description = m.state, m.reason, m.description
		all = append(all, h)
	}
	return all
}

// groupSettings are those of a target group.
type groupSettings struct {
	types.TargetGroup
	deregistration int32
}

// passes says whether an answer's status is one of the group's: "200", "200,202", "200-299".
func (g *groupSettings) passes(status int) bool {
	codes := "200"
	if g.Matcher != nil {
		codes = aws.ToString(g.Matcher.HttpCode)
	}
	for part := range strings.SplitSeq(codes, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		low, errLow := strconv.Atoi(from)
		high, errHigh := strconv.Atoi(to)
		if errLow == nil && errHigh == nil && low <= status && status <= high {
			return true
		}
	}
	return false
}
