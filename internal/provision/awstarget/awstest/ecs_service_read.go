package awstest

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// describeServices takes ten names or ARNs.
func (f *fleet) describeServices(_ context.Context, c Call) (any, error) {
	var in ecs.DescribeServicesInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if len(in.Services) > 10 {
		return nil, refuse("InvalidParameterException", "Services cannot be more than 10.")
	}
	out := &ecs.DescribeServicesOutput{}
	for _, asked := range in.Services {
		at := slices.IndexFunc(f.services, func(s *ecsService) bool {
			return s.place == place{c.Region, nameOfCluster(in.Cluster)} && aws.ToString(s.ServiceName) == lastPart(asked)
		})
		if at < 0 {
			out.Failures = append(out.Failures, types.Failure{Arn: f.arn(place{c.Region, nameOfCluster(in.Cluster)}, "service", lastPart(asked)), Reason: aws.String("MISSING")})
			continue
		}
		s := f.services[at].Service
		if !slices.Contains(in.Include, types.ServiceFieldTags) {
			s.Tags = nil
		}
		out.Services = append(out.Services, s)
	}
	return out, nil
}

// listServices lists those that are not INACTIVE.
func (f *fleet) listServices(_ context.Context, c Call) (any, error) {
	var in ecs.ListServicesInput
	if err := c.read(&in); err != nil {
		return nil, err
	}
	var all []string
	for _, s := range f.services {
		if s.place == (place{c.Region, nameOfCluster(in.Cluster)}) && aws.ToString(s.Status) != inactive {
			all = append(all, aws.ToString(s.ServiceArn))
		}
	}
	size := in.MaxResults
	if size == nil {
		size = aws.Int32(10)
	}
	found, next, err := page(all, size, in.NextToken, 100)
	return &ecs.ListServicesOutput{ServiceArns: found, NextToken: next}, err
}

// service finds one that is not INACTIVE by its name or ARN.
func (f *fleet) service(at place, name *string) *ecsService {
	for _, s := range f.services {
		if s.place == at && aws.ToString(s.ServiceName) == lastPart(aws.ToString(name)) && aws.ToString(s.Status) != inactive {
			return s
		}
	}
	return nil
}

// living is a service that can be changed.
func (f *fleet) living(c Call, cluster, name *string) (*ecsService, error) {
	s := f.service(place{c.Region, nameOfCluster(cluster)}, name)
	switch {
	case s == nil:
		return nil, refuse("ServiceNotFoundException", "Service not found.")
	case aws.ToString(s.Status) != active:
		return nil, refuse("ServiceNotActiveException", "Service was not ACTIVE.")
	}
	return s, nil
}

func lastPart(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }
