package awstest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func TestRulesTakeWhatTheirConditionsSay(t *testing.T) {
	t.Parallel()
	host := func(values ...string) types.RuleCondition {
		return types.RuleCondition{Field: aws.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: values}}
	}
	path := func(values ...string) types.RuleCondition {
		return types.RuleCondition{Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: values}}
	}
	header := types.RuleCondition{Field: aws.String("http-header"), HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: aws.String("Probe"), Values: []string{"OMS"}}}
	for _, c := range []struct {
		name       string
		conditions []types.RuleCondition
		url        string
		want       bool
	}{
		{"a host in any case", []types.RuleCondition{host("API.example.com")}, "https://api.EXAMPLE.com/", true},
		{"any name under a domain", []types.RuleCondition{host("*.example.com")}, "https://a.b.example.com/", true},
		{"not the domain itself", []types.RuleCondition{host("*.example.com")}, "https://example.com/", false},
		{"one of the paths", []types.RuleCondition{path("/api", "/api/*")}, "https://x/api/orders", true},
		{"no path with another beginning", []types.RuleCondition{path("/api", "/api/*")}, "https://x/apis", false},
		{"a path in its own case only", []types.RuleCondition{path("/api")}, "https://x/API", false},
		{"one character for a question mark", []types.RuleCondition{path("/?")}, "https://x/ab", false},
		{"all conditions at once", []types.RuleCondition{host("x"), path("/a")}, "https://x/b", false},
		{"a header", []types.RuleCondition{header}, "https://x/", true},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.url, nil)
		r.Header.Set("Probe", "oms")
		a := asks{host: r.Host, path: r.URL.Path, method: r.Method, header: r.Header.Get}
		if got := matches(types.Rule{Conditions: c.conditions}, a); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
	}
}

func TestRequestsAreDividedByWeightAndClientsStay(t *testing.T) {
	t.Parallel()
	forward := func(blue, green int32, sticky bool) types.Action {
		return types.Action{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{
			TargetGroups:                []types.TargetGroupTuple{{TargetGroupArn: aws.String("blue"), Weight: &blue}, {TargetGroupArn: aws.String("green"), Weight: &green}},
			TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: &sticky, DurationSeconds: aws.Int32(60)},
		}}
	}
	ask := func(a types.Action, cookies ...*http.Cookie) (string, []*http.Cookie) {
		r, w := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), httptest.NewRecorder()
		for _, c := range cookies {
			r.AddCookie(c)
		}
		group := choose(w, r, a)
		answer := w.Result()
		return group, answer.Cookies()
	}
	got := map[string]int{}
	for range 2000 {
		group, cookies := ask(forward(750, 250, false))
		if got[group]++; len(cookies) > 0 {
			t.Fatal("a cookie was set though nobody stays")
		}
	}
	if got["green"] < 350 || got["green"] > 650 {
		t.Errorf("2000 requests were divided into %v, want a quarter for green", got)
	}
	if group, _ := ask(forward(0, 1, false)); group != "green" {
		t.Errorf("a weight of 0 got a request: %q", group)
	}
	if group, _ := ask(forward(0, 0, false)); group != "" {
		t.Errorf("weights of 0 alone chose %q", group)
	}
	_, stays := ask(forward(0, 1, true))
	for range 20 {
		if group, _ := ask(forward(999, 1, true), stays...); group != "green" {
			t.Fatal("the client did not stay with green")
		}
	}
	if group, _ := ask(forward(1, 0, true), stays...); group != "blue" {
		t.Errorf("the client stays with a group without weight: %q", group)
	}
}

func TestTargetsAreJudgedByTheirGroupsThresholds(t *testing.T) {
	t.Parallel()
	g := &groupSettings{TargetGroup: types.TargetGroup{HealthyThresholdCount: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2), Matcher: &types.Matcher{HttpCode: aws.String("200,204-299")}}}
	pass, fail, lost := checked{status: 204}, checked{status: 201}, checked{err: errors.New("connection refused")}
	for _, c := range []struct {
		name   string
		checks []checked
		want   string
	}{
		{"one pass is enough for a new one", []checked{pass}, "healthy "},
		{"one failure says nothing of a new one", []checked{fail}, "initial Elb.InitialHealthChecking"},
		{"two failures do", []checked{fail, fail}, "unhealthy Target.ResponseCodeMismatch"},
		{"no answer is a failure", []checked{lost, lost}, "unhealthy Target.FailedHealthChecks"},
		{"one failure is forgiven", []checked{pass, fail, pass, fail}, "healthy "},
		{"one pass does not make up for it", []checked{fail, fail, pass}, "unhealthy Target.ResponseCodeMismatch"},
		{"two do", []checked{fail, fail, pass, pass}, "healthy "},
	} {
		m := &registered{state: initialTarget}
		for _, check := range c.checks {
			m.judge(g, check)
		}
		if got := fmt.Sprint(m.state, " ", m.reason); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
