package geo

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The distances are those of great circles between the cities, as others publish them.
func TestDistances(t *testing.T) {
	t.Parallel()
	at := func(name string) Point {
		p, ok := Locate(name)
		if !ok {
			t.Fatalf("%q is unknown", name)
		}
		return p
	}
	for _, c := range []struct {
		from, to string
		want     float64
	}{
		{"eu-central-1", "Frankfurt", 0},
		{"Paris", "eu-central-1", 479},
		{"London", "paris", 344},
		{"SYDNEY", "Auckland", 2156},
		{"Tokyo", "San Francisco", 8270},
		{"Auckland", "Santiago", 9670}, // across the date line
		{"Singapore", "Sao Paulo", 15990},
	} {
		got, back := DistanceKM(at(c.from), at(c.to)), DistanceKM(at(c.to), at(c.from))
		if math.Abs(got-c.want) > 0.005*c.want || math.Abs(got-back) > 1e-6 {
			t.Errorf("from %s to %s: got %.1f km, and %.1f back, want about %.0f", c.from, c.to, got, back, c.want)
		}
	}
	if got := DistanceKM(Point{90, 0}, Point{-90, 77}); math.Abs(got-20015) > 1 {
		t.Errorf("from pole to pole: got %.1f km", got)
	}
}

func TestUnknownLocations(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "rack 3", "EU-CENTRAL-1", "eu-central"} {
		if p, ok := Locate(name); ok {
			t.Errorf("%q is at %v", name, p)
		}
	}
}

func TestTheTableIsInOrderAndOnTheEarth(t *testing.T) {
	t.Parallel()
	if !slices.IsSortedFunc(locations, func(a, b location) int { return strings.Compare(a.code, b.code) }) {
		t.Error("the table is not in the order of its codes")
	}
	for _, l := range locations {
		if math.Abs(l.Latitude) > 90 || math.Abs(l.Longitude) > 180 || l.Point == (Point{}) {
			t.Errorf("%s is at %v", l.code, l.Point)
		}
	}
}

// TestEveryPublicRegionIsInTheTable reads the partition data of the AWS SDK that this module uses.
func TestEveryPublicRegionIsInTheTable(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "internal", "endpoints", "awsrulesfn", "partitions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var data struct {
		Partitions []struct {
			ID      string                     `json:"id"`
			Regions map[string]json.RawMessage `json:"regions"`
		} `json:"partitions"`
	}
	if err := json.Unmarshal(text, &data); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, p := range data.Partitions {
		for code := range p.Regions {
			if strings.HasSuffix(code, "-global") || strings.HasPrefix(p.ID, "aws-iso") { // nowhere, and secret
				continue
			}
			seen++
			if _, ok := Locate(code); !ok {
				t.Errorf("region %s of partition %s is not in the table", code, p.ID)
			}
		}
	}
	if seen != len(locations) {
		t.Errorf("the SDK has %d public regions, the table %d", seen, len(locations))
	}
}
