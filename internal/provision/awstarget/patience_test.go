package awstarget

import (
	"testing"

	"github.com/aws/smithy-go"
)

func TestOnlyRefusalsThatPassAreWaitedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, code, says string
		known            []lag
		want             bool
	}{
		{"a service that is not seen yet", "ValidationException", "ECS service doesn't exist: service/a/b", lagsOfScaled, true},
		{"a role that can't be taken on yet", "ValidationException", "Unable to assume IAM role: arn:aws:iam::1:role/x", lagsOfScaled, true},
		{"tags for what is there", "ValidationException", "The scalable target that you tried to tag already exists.", lagsOfScaled, false},
		{"bounds that are wrong", "ValidationException", "Maximum capacity cannot be less than minimum capacity", lagsOfScaled, false},
		{"another code with the words", "AccessDeniedException", "Unable to assume IAM role", lagsOfScaled, false},
		{"the first cluster", "InvalidParameterException", "Unable to assume the service linked role. Please verify that the ECS service linked role exists.", []lag{lagOfECSRole}, true},
		{"a wrong cluster", "InvalidParameterException", "Cluster name is too long", []lag{lagOfECSRole}, false},
		{"the first subnet group", "InvalidParameterValue", "Missing necessary credentials. Please check http://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAM.ServiceLinkedRoles.html", lagsOfRDSRole, true},
		{"the first database", "InvalidParameterValue", "Unable to create the resource. Verify that you have permission to create service linked role. Otherwise wait and try again later", lagsOfRDSRole, true},
		{"a wrong database", "InvalidParameterValue", "The parameter EngineVersion is not valid", lagsOfRDSRole, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := failed(&smithy.GenericAPIError{Code: c.code, Message: c.says}, "ask")
			if got := lagging(err, c.known...); got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
		})
	}
}
