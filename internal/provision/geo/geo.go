// Package geo knows where locations are and how far they are from each other.
package geo

import (
	"math"
	"strings"
)

// Point is a place on the earth, in degrees: north and east are positive.
type Point struct {
	Latitude, Longitude float64
}

// Valid says whether there is such a place.
func (p Point) Valid() bool {
	return math.Abs(p.Latitude) <= 90 && math.Abs(p.Longitude) <= 180
}

// earthRadius is the mean radius of the earth in km (IUGG).
const earthRadius = 6371.0088

// DistanceKM is how far two points are from each other over the ground, in km, by the haversine
// formula: within half a percent of what the earth's real shape gives.
func DistanceKM(a, b Point) float64 {
	radians := func(degrees float64) float64 { return degrees * math.Pi / 180 }
	half := func(angle float64) float64 { s := math.Sin(angle / 2); return s * s }
	h := half(radians(b.Latitude-a.Latitude)) +
		math.Cos(radians(a.Latitude))*math.Cos(radians(b.Latitude))*half(radians(b.Longitude-a.Longitude))
	return 2 * earthRadius * math.Asin(min(1, math.Sqrt(h)))
}

// Locate returns where a location is: an AWS region, or the city that the table has for one, in
// whatever case. The answer is as exact as the table.
func Locate(location string) (Point, bool) {
	for _, l := range locations {
		if l.code == location || strings.EqualFold(l.city, location) {
			return l.Point, true
		}
	}
	return Point{}, false
}
