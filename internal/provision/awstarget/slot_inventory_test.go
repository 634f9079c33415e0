package awstarget_test

import "testing"

// running counts what slots are made of, in an AWS region with one environment.
func (l *lab) running(t *testing.T, region string) map[string]int {
	t.Helper()
	all, err := l.Running(t.Context(), region)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
