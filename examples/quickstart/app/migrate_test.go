package main

import "testing"

func TestSchemaOf(t *testing.T) {
	t.Parallel()
	for release, want := range map[string]int{
		"1": 1, "2": 2, "3": 2, "dev": 2, "2026.11.3": 2, "0": 2,
	} {
		if got := schemaOf(release); got != want {
			t.Errorf("release %q uses schema %d, want %d", release, got, want)
		}
	}
}
