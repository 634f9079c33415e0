package awstarget

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// CheckRegion implements target.Locations: a location is an AWS region that the AWS account
// has enabled, and stays.
func (t *Target) CheckRegion(ctx context.Context, region target.Region) error {
	location := region.Location
	if err := t.sameLocation(ctx, region); err != nil {
		return err
	}
	c, err := t.session.home(ctx)
	if err != nil {
		return err
	}
	out, err := c.ec2.DescribeRegions(ctx, &ec2.DescribeRegionsInput{
		AllRegions: aws.Bool(true),
	})
	if err != nil {
		return failed(err, "look for location %q", location)
	}
	var enabled []string
	for _, r := range out.Regions {
		switch name, off := text(r.RegionName), text(r.OptInStatus) == "not-opted-in"; {
		case name != location && !off:
			enabled = append(enabled, name)
		case name != location:
		case off:
			return target.Errorf(target.ErrInvalid, "location %q is not enabled for AWS account %s: enable it under Account, AWS Regions in the AWS console, or choose another location", location, c.account)
		default:
			return nil
		}
	}
	slices.Sort(enabled)
	return target.Errorf(target.ErrInvalid, "location %q is no AWS region that AWS account %s can see: expected one that is enabled for it: %s", location, c.account, strings.Join(enabled, ", "))
}

// sameLocation refuses to move a region that is there.
func (t *Target) sameLocation(ctx context.Context, region target.Region) error {
	d, err := t.directory(ctx)
	if err != nil {
		return err
	}
	r, err := d.get(ctx, key{kindRegion, region.Name})
	if err != nil || r.version == 0 {
		return gone(err)
	}
	doc, err := decode[document](r)
	if err != nil {
		return err
	}
	rec, err := recordOf[target.RegionRecord](doc)
	if err == nil && rec.Spec.Location != region.Location {
		err = target.Errorf(target.ErrInvalid, "region %q is in %s and can't move to %s: what is in it would be lost; add a region of another name there", region.Name, rec.Spec.Location, region.Location)
	}
	return err
}
