//go:build linux || darwin

package process

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMembersAmong(t *testing.T) {
	t.Parallel()
	leader := Identity{PID: 10, StartTime: 100}
	member := status{pid: 11, group: 10, session: 10, startTime: 101}
	other := status{pid: 12, group: 12, session: 10, startTime: 102}
	cases := map[string]struct {
		everybody []status
		want      []int
	}{
		"the leader and who stayed, whatever their group": {
			[]status{{pid: 10, group: 10, session: 10, startTime: 100}, member, other}, []int{10, 11, 12}},
		"who stayed without the leader": {[]status{member}, []int{11}},
		"not a zombie":                  {[]status{{pid: 11, session: 10, startTime: 101, zombie: true}}, nil},
		"not who left for another session": {
			[]status{{pid: 11, group: 11, session: 11, startTime: 101}}, nil},
		"not who was there before": {[]status{{pid: 11, session: 10, startTime: 99}}, nil},
		"nobody when the leader's number belongs to somebody else": {
			[]status{member, {pid: 10, group: 10, session: 10, startTime: 500}}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []int
			for _, s := range membersAmong(leader, c.everybody) {
				got = append(got, s.pid)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
