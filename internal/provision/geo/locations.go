package geo

// location is an AWS region with where it about is.
type location struct {
	code, city string
	Point
}

// locations are the AWS regions of the partition data of the AWS SDK for Go v2 (awsrulesfn). AWS
// does not say where its data centres are, only what city, state or country a region is named
// after. The coordinates are those of the city's centre; of a state or country, of the city that
// the region is commonly said to be at or near, or of the largest. They tell regions apart by
// hundreds of km, and no more than that.
var locations = []location{
	{"af-south-1", "Cape Town", Point{-33.92, 18.42}},
	{"ap-east-1", "Hong Kong", Point{22.32, 114.17}},
	{"ap-east-2", "Taipei", Point{25.03, 121.57}},
	{"ap-northeast-1", "Tokyo", Point{35.68, 139.69}},
	{"ap-northeast-2", "Seoul", Point{37.57, 126.98}},
	{"ap-northeast-3", "Osaka", Point{34.69, 135.50}},
	{"ap-south-1", "Mumbai", Point{19.08, 72.88}},
	{"ap-south-2", "Hyderabad", Point{17.39, 78.49}},
	{"ap-southeast-1", "Singapore", Point{1.35, 103.82}},
	{"ap-southeast-2", "Sydney", Point{-33.87, 151.21}},
	{"ap-southeast-3", "Jakarta", Point{-6.21, 106.85}},
	{"ap-southeast-4", "Melbourne", Point{-37.81, 144.96}},
	{"ap-southeast-5", "Kuala Lumpur", Point{3.14, 101.69}},
	{"ap-southeast-6", "Auckland", Point{-36.85, 174.76}},
	{"ap-southeast-7", "Bangkok", Point{13.76, 100.50}},
	{"ca-central-1", "Montreal", Point{45.50, -73.57}},
	{"ca-west-1", "Calgary", Point{51.05, -114.07}},
	{"cn-north-1", "Beijing", Point{39.90, 116.41}},
	{"cn-northwest-1", "Zhongwei", Point{37.51, 105.19}},
	{"eu-central-1", "Frankfurt", Point{50.11, 8.68}},
	{"eu-central-2", "Zurich", Point{47.38, 8.54}},
	{"eu-north-1", "Stockholm", Point{59.33, 18.07}},
	{"eu-south-1", "Milan", Point{45.46, 9.19}},
	{"eu-south-2", "Zaragoza", Point{41.65, -0.89}},
	{"eu-west-1", "Dublin", Point{53.35, -6.26}},
	{"eu-west-2", "London", Point{51.51, -0.13}},
	{"eu-west-3", "Paris", Point{48.86, 2.35}},
	{"eusc-de-east-1", "Potsdam", Point{52.40, 13.06}},
	{"il-central-1", "Tel Aviv", Point{32.09, 34.78}},
	{"me-central-1", "Dubai", Point{25.20, 55.27}},
	{"me-south-1", "Manama", Point{26.23, 50.59}},
	{"me-west-1", "Riyadh", Point{24.71, 46.68}},
	{"mx-central-1", "Queretaro", Point{20.59, -100.39}},
	{"sa-east-1", "Sao Paulo", Point{-23.55, -46.63}},
	{"sa-west-1", "Santiago", Point{-33.45, -70.67}},
	{"us-east-1", "Ashburn", Point{39.04, -77.49}},
	{"us-east-2", "Columbus", Point{39.96, -83.00}},
	{"us-gov-east-1", "Columbus", Point{39.96, -83.00}},
	{"us-gov-west-1", "Portland", Point{45.52, -122.68}},
	{"us-west-1", "San Francisco", Point{37.77, -122.42}},
	{"us-west-2", "Portland", Point{45.52, -122.68}},
}
