package awstarget

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// errNoDashboard is the code for a dashboard that is not there, and errNoDashboard2 its older name.
const (
	errNoDashboard  = "ResourceNotFound"
	errNoDashboard2 = "DashboardNotFoundError"
)

// dashboardName is at most 255 characters (PutDashboard). Dashboards are known in all AWS regions:
// the location is part of the hash.
func (n *noun) dashboardName() string {
	return hashed(200, "slipway-"+n.region+"-"+n.environment, n.clients.region, n.region, n.environment)
}

// findDashboard reads a dashboard's body. One that is not ours is refused: dashboards of older
// AWS accounts can't be tagged, so the mark is in the body. Who changes what a dashboard shows may have
// taken the mark out.
func (n *noun) findDashboard(ctx context.Context) (string, error) {
	name := n.dashboardName()
	out, err := n.clients.metrics.GetDashboard(ctx, &cloudwatch.GetDashboardInput{DashboardName: &name})
	if err != nil {
		return "", failed(absent(err, errNoDashboard, errNoDashboard2), "find dashboard %q", name)
	}
	body := text(out.DashboardBody)
	if !strings.Contains(body, n.dashboardMark()) && (!n.made() || strings.Contains(body, dashboardMark)) {
		return "", foreign("CloudWatch dashboard", name)
	}
	return body, nil
}

// dashboardMark is in the body of every installation's dashboards, before its id.
const dashboardMark = "Slipway, installation "

func (n *noun) dashboardMark() string { return dashboardMark + n.installation }

// putDashboard draws the environment's dashboard where it is not as it should be.
func (n *noun) putDashboard(ctx context.Context) error {
	has, err := n.findDashboard(ctx)
	if err != nil && !isAbsent(err) {
		return err
	}
	body, err := n.drawn(ctx)
	if err != nil || sameJSON(has, body) {
		return err
	}
	return n.draw(ctx)
}

// draw puts the dashboard as it should be now.
func (n *noun) draw(ctx context.Context) error {
	body, err := n.drawn(ctx)
	if err != nil {
		return err
	}
	name := n.dashboardName()
	_, err = n.clients.metrics.PutDashboard(ctx, &cloudwatch.PutDashboardInput{DashboardName: &name, DashboardBody: &body})
	return failed(err, "put dashboard %q", name)
}

func (n *noun) checkDashboard(ctx context.Context) ([]string, error) {
	has, err := n.findDashboard(ctx)
	if isAbsent(err) {
		return []string{fmt.Sprintf("dashboard %q is gone", n.dashboardName())}, nil
	}
	if err != nil {
		return nil, err
	}
	body, err := n.drawn(ctx)
	if isAbsent(err) || err == nil && sameJSON(has, body) {
		return nil, nil // of a load balancer that is gone its own check says so
	}
	return []string{fmt.Sprintf("dashboard %q was changed", n.dashboardName())}, err
}

func (n *noun) deleteDashboard(ctx context.Context) error {
	if _, err := n.findDashboard(ctx); err != nil {
		return gone(err)
	}
	name := n.dashboardName()
	_, err := n.clients.metrics.DeleteDashboards(ctx, &cloudwatch.DeleteDashboardsInput{DashboardNames: []string{name}})
	return failed(gone(err, errNoDashboard, errNoDashboard2), "delete dashboard %q", name)
}

// drawn is the dashboard as it should be now.
func (n *noun) drawn(ctx context.Context) (string, error) {
	b, err := findBalancer(ctx, n.clients, n.balancerName())
	if err != nil {
		return "", err
	}
	rows, err := n.table.list(ctx, stateKind(target.EnvironmentID{Region: n.region, Name: n.environment}))
	if err != nil {
		return "", err
	}
	board := dashboard{region: n.clients.region, balancer: balancerDimension(text(b.LoadBalancerArn))}
	board.text(fmt.Sprintf("## %s/%s\nMade by %s. Changes are undone by the next apply.", n.region, n.environment, n.dashboardMark()), 2)
	board.entrance(n.databaseName())
	for _, r := range rows {
		if r.version == 0 {
			continue
		}
		s, err := decode[slotState](r)
		if err != nil {
			return "", err
		}
		board.slot(r.key.id, s)
	}
	out, err := json.Marshal(map[string]any{"widgets": board.widgets})
	if err != nil {
		return "", fmt.Errorf("write dashboard %q: %w", n.dashboardName(), err)
	}
	return string(out), nil
}

// dashboardPart is the environment's dashboard.
func (n *noun) dashboardPart() part {
	return part{name: partDashboard, needs: []string{partBalancer}, put: n.putDashboard, check: n.checkDashboard, delete: n.deleteDashboard}
}
