package target

import "regexp"

// Region is a geographic area in which accounts can be set up. Its id is its name.
type Region struct {
	Name string `json:"name"`
	// Location is where the region physically is: on aws a code such as "eu-central-1",
	// on local any name.
	Location string `json:"location"`
	// Jurisdiction is whose law the data is under, such as "EU" or "US".
	Jurisdiction string `json:"jurisdiction"`
	// Closed regions keep what they have and accept no new environments.
	Closed bool              `json:"closed,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`
}

// RegionRecord is a region as its target holds it.
type RegionRecord struct {
	Meta Meta   `json:"meta"`
	Spec Region `json:"spec"`

	// AWS is what the region is made of on the aws target.
	AWS *AWSRegion `json:"-"`
	// Anew names the outputs of its environments that the next put makes anew, as in [AWSResources]:
	// what they are of is gone.
	Anew []string `json:"-"`
	// Ends says what goes for good some time after the region is removed, with what keeps it, "" for nothing.
	Ends string `json:"-"`
}

// AWSRegion is what a region is made of on the aws target, with what modules need.
type AWSRegion struct{ ControlTable, KeyARN, LogBucket string }

var placeRegexp = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9 _-]{0,62}[A-Za-z0-9])?$`)

// Validate returns every fault of the definition.
func (r Region) Validate() Faults {
	var f Faults
	f.check("name", ValidateName(r.Name))
	if !placeRegexp.MatchString(r.Location) {
		f.addf("location", "%q is not a location: expected letters, digits, spaces, \"_\" and \"-\", at most 64 characters, such as \"eu-central-1\"", r.Location)
	}
	f.check("jurisdiction", ValidateJurisdiction(r.Jurisdiction))
	f.tags(r.Tags)
	return f
}

// ValidateJurisdiction says whether s can name a jurisdiction.
func ValidateJurisdiction(s string) error {
	if placeRegexp.MatchString(s) {
		return nil
	}
	return Errorf(ErrInvalid, "%q is not a jurisdiction: expected letters, digits, spaces, \"_\" and \"-\", at most 64 characters, such as \"EU\"", s)
}
