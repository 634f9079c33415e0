package target

import (
	"regexp"
	"slices"
	"strings"
)

// Ways from private subnets to the outside.
const (
	NATPerZone = "per_zone"
	NATSingle  = "single"
	// NATNone has endpoints for the AWS services that stacks need, and no other way outside.
	NATNone = "none"
)

// Ways to a cluster of databases, for whoever makes account databases on it.
const (
	// AccessDataAPI is the RDS Data API, which is reached from everywhere.
	AccessDataAPI = "data_api"
	// AccessDirect is a TLS connection, from where the cluster is reached.
	AccessDirect = "direct"
)

// AWS is what the definition of an environment says for the aws target only.
type AWS struct {
	// CIDRs may reach the front door beside the VPC, in order; none is everybody, or nobody else
	// where it is Internal.
	CIDRs []string `json:"cidr_blocks,omitempty"`
	// CertificateARN is a certificate of ACM for the domain name and every label under it; ""
	// has one made.
	CertificateARN string      `json:"certificate_arn,omitempty"`
	Database       AWSDatabase `json:"database"`
	// HostedZoneID is the zone of Route 53 for the names; "" finds the public one that the
	// domain name lies in.
	HostedZoneID string `json:"hosted_zone_id,omitempty"`
	// Internal has the load balancer reached from the VPC only.
	Internal bool `json:"internal,omitempty"`
	// NAT is one of the NAT constants, "" with a network that is given.
	NAT string `json:"nat,omitempty"`
	// PreviewCIDRs may reach the preview entrance beside the VPC, in order.
	PreviewCIDRs []string `json:"preview_cidr_blocks,omitempty"`
	// ProbeImage has a shell and curl, to ask from inside the VPC a front door that is Restricted;
	// "" is the target's own choice, which needs a way to public images.
	ProbeImage string `json:"probe_image,omitempty"`
	// VPC is a network that is there already; nil has one made.
	VPC *AWSVPC `json:"vpc,omitempty"`
	// VPCBlock is the IPv4 block of a VPC that is made; "" has EnvironmentID.DefaultVPCBlock, and is
	// so with a given one.
	VPCBlock string `json:"vpc_cidr_block,omitempty"`
	// Zones is how many availability zones a network that is made spans, 0 with a given one.
	Zones int `json:"zones,omitempty"`
}

// Restricted says that not everybody reaches the front door: requests from elsewhere than the VPC
// are no proof of what it answers.
func (a AWS) Restricted() bool { return a.Internal || len(a.CIDRs) > 0 }

// AWSDatabase is the cluster of Aurora PostgreSQL.
type AWSDatabase struct {
	// Access is one of the Access constants.
	Access string `json:"access"`
	// CIDRs may connect where Access is AccessDirect, in order; none is the whole VPC.
	CIDRs []string `json:"cidr_blocks,omitempty"`
	// MinCapacity and MaxCapacity are Aurora capacity units; 0 pauses an idle cluster.
	MinCapacity float64 `json:"min_capacity_units"`
	MaxCapacity float64 `json:"max_capacity_units"`
	Instances   int     `json:"instances"`
	// EngineVersion is the oldest version that will do; minor versions move by themselves.
	EngineVersion string `json:"engine_version"`
	BackupDays    int    `json:"backup_retention_days"`
}

// AWSVPC is a network that somebody else looks after.
type AWSVPC struct {
	ID              string   `json:"id"`
	PublicSubnets   []string `json:"public_subnet_ids,omitempty"`
	PrivateSubnets  []string `json:"private_subnet_ids"`
	DatabaseSubnets []string `json:"database_subnet_ids"`
}

// defaultEngine is the release of Aurora PostgreSQL 17 with long-term support, which AWS offers longer than those
// beside it ("Using an Aurora PostgreSQL long-term support (LTS) release").
const defaultEngine = "17.7"

// DefaultAWS is what holds on the aws target where nothing is said: production survives the
// loss of a zone, keeps its cluster awake and its backups long.
func DefaultAWS(kind string) AWS {
	a := AWS{
		NAT: NATSingle, Zones: 2,
		Database: AWSDatabase{Access: AccessDataAPI, MinCapacity: 0, MaxCapacity: 4, Instances: 1, EngineVersion: defaultEngine, BackupDays: 1},
	}
	if kind == KindProduction {
		a.NAT, a.Zones = NATPerZone, 3
		a.Database = AWSDatabase{Access: AccessDataAPI, MinCapacity: 0.5, MaxCapacity: 16, Instances: 2, EngineVersion: defaultEngine, BackupDays: 14}
	}
	return a
}

// Default ports of the entrances on the aws target.
const (
	AWSHTTPSPort   = 443
	AWSPreviewPort = 8443
)

var (
	certificateRegexp = regexp.MustCompile(`^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+$`)
	zoneRegexp        = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
	imageRegexp       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$`)
	vpcRegexp         = regexp.MustCompile(`^vpc-[0-9a-f]{8,17}$`)
	subnetRegexp      = regexp.MustCompile(`^subnet-[0-9a-f]{8,17}$`)
	engineRegexp      = regexp.MustCompile(`^(1[4-9]|[2-9][0-9])\.[0-9]{1,2}$`)
)

// validateAWS adds the faults of what the aws target has beside what others have.
func (f *Faults) validateAWS(e Environment) {
	a := *e.AWS
	if e.Network.ListenAddress != "" {
		f.addf("network.listen_address", "the entrances of the aws target are those of a load balancer, which has no listen_address: remove it; aws.internal and aws.preview_cidr_blocks say who gets in")
	}
	if e.Database.MaxConnections != 0 {
		f.addf("database.max_connections", "on the aws target the number of connections follows from the size of the cluster: remove max_connections and set aws.database.max_capacity_units")
	}
	for path, port := range map[string]int{"network.https_port": e.Network.HTTPSPort, "network.preview_port": e.Network.PreviewPort} {
		if port == 80 {
			f.addf(path, "port 80 leads from HTTP to HTTPS: choose another one")
		}
	}
	if strings.HasSuffix(e.DomainName, ".localhost") {
		f.addf("domain_name", "%q lies under \"localhost\", which is this machine: on the aws target name one in a hosted zone of Route 53", e.DomainName)
	}
	if len(e.DomainName) > 64 && a.CertificateARN == "" {
		f.addf("domain_name", "%q has %d characters: the name of a certificate that ACM makes has at most 64; set a shorter domain_name, which by default is made of the names of the environment and its region, or set aws.certificate_arn", e.DomainName, len(e.DomainName))
	}
	if a.CertificateARN != "" && !certificateRegexp.MatchString(a.CertificateARN) {
		f.addf("aws.certificate_arn", "%q is not the ARN of a certificate: expected such as \"arn:aws:acm:eu-central-1:123456789012:certificate/…\"", a.CertificateARN)
	}
	if a.HostedZoneID != "" && !zoneRegexp.MatchString(a.HostedZoneID) {
		f.addf("aws.hosted_zone_id", "%q is not the id of a hosted zone: expected such as \"Z0123456789ABC\"", a.HostedZoneID)
	}
	f.blocks("aws.cidr_blocks", a.CIDRs)
	f.blocks("aws.preview_cidr_blocks", a.PreviewCIDRs)
	f.blocks("aws.database.cidr_blocks", a.Database.CIDRs)
	f.probeImage(a)
	f.awsNetwork(a)
	f.awsDatabase(a.Database, e.Kind)
}

func (f *Faults) blocks(path string, blocks []string) {
	for _, b := range blocks {
		if _, ok := ipv4Block(b); !ok {
			f.addf(path, "%q is not an IPv4 block: expected such as \"203.0.113.0/24\", with no address bits beyond the prefix", b)
		}
	}
}

// probeImage can't be a public one where nothing outside is reached.
func (f *Faults) probeImage(a AWS) {
	switch {
	case a.ProbeImage == "" && a.NAT == NATNone && a.Restricted():
		f.addf("aws.probe_image", "only the VPC and the given blocks reach the front door, so a task in the VPC asks it after a switch, and with nat = %q it can't have a public image: name a copy of one with a shell and curl in your Amazon ECR, in this AWS region", NATNone)
	case a.ProbeImage != "" && !imageRegexp.MatchString(a.ProbeImage):
		f.addf("aws.probe_image", "%q is not the name of an image: expected such as \"123456789012.dkr.ecr.eu-central-1.amazonaws.com/tools/curl:1\"", a.ProbeImage)
	}
}

func (f *Faults) awsNetwork(a AWS) {
	if a.VPC == nil {
		f.oneOf("aws.nat", a.NAT, NATPerZone, NATSingle, NATNone)
		if a.VPCBlock != "" {
			f.vpcBlock("aws.vpc_cidr_block", a.VPCBlock)
		}
		if a.Zones < 2 || a.Zones > 3 {
			f.addf("aws.zones", "%d is out of range: an environment spans 2 or 3 availability zones", a.Zones)
		}
		return
	}
	const made = "this is for a network that is made, and aws.vpc names one that is there: remove one of them"
	if a.NAT != "" {
		f.addf("aws.nat", made)
	}
	if a.VPCBlock != "" {
		f.addf("aws.vpc_cidr_block", made)
	}
	if a.Zones != 0 {
		f.addf("aws.zones", made)
	}
	if !vpcRegexp.MatchString(a.VPC.ID) {
		f.addf("aws.vpc.id", "%q is not the id of a VPC: expected such as \"vpc-0123456789abcdef0\"", a.VPC.ID)
	}
	f.subnets("aws.vpc.private_subnet_ids", a.VPC.PrivateSubnets)
	f.subnets("aws.vpc.database_subnet_ids", a.VPC.DatabaseSubnets)
	if !a.Internal || len(a.VPC.PublicSubnets) > 0 {
		f.subnets("aws.vpc.public_subnet_ids", a.VPC.PublicSubnets)
	}
}

func (f *Faults) subnets(path string, ids []string) {
	if len(ids) < 2 {
		f.addf(path, "got %d: at least 2 subnets are needed, in different availability zones", len(ids))
	}
	for _, id := range ids {
		if !subnetRegexp.MatchString(id) {
			f.addf(path, "%q is not the id of a subnet: expected such as \"subnet-0123456789abcdef0\"", id)
		}
	}
	if sorted := slices.Sorted(slices.Values(ids)); len(slices.Compact(sorted)) < len(ids) {
		f.addf(path, "a subnet is named twice")
	}
}

// awsDatabase knows the limits of Aurora Serverless v2 (Performance and scaling for Aurora
// Serverless v2) and of backups (Overview of backing up and restoring an Aurora DB cluster).
func (f *Faults) awsDatabase(d AWSDatabase, kind string) {
	const path = "aws.database."
	f.oneOf(path+"access", d.Access, AccessDataAPI, AccessDirect)
	if len(d.CIDRs) > 0 && d.Access != AccessDirect {
		f.addf(path+"cidr_blocks", "nobody connects to the cluster but stacks, unless aws.database.access is %q: set that, or remove cidr_blocks", AccessDirect)
	}
	halves := func(v float64) bool { return v*2 == float64(int(v*2)) }
	switch lowest, low := map[bool]float64{true: 0.5}[kind == KindProduction], d.MinCapacity; {
	case low < lowest || low > 256 || !halves(low):
		f.addf(path+"min_capacity_units", "%g is not a capacity: expected %g to 256 in steps of 0.5; 0 pauses an idle cluster, which production must not", low, lowest)
	case d.MaxCapacity >= 1 && d.MaxCapacity < low:
		f.addf(path+"max_capacity_units", "%g is less than min_capacity_units, which is %g: expected %g to 256 in steps of 0.5, or a lower min_capacity_units", d.MaxCapacity, low, low)
	case d.MaxCapacity < 1 || d.MaxCapacity > 256 || !halves(d.MaxCapacity):
		f.addf(path+"max_capacity_units", "%g is not a capacity: expected %g to 256 in steps of 0.5", d.MaxCapacity, max(1, low))
	}
	f.positive(path+"instances", d.Instances, "instances: one that writes, and its readers", 16)
	f.positive(path+"backup_retention_days", d.BackupDays, "days", 35)
	if !engineRegexp.MatchString(d.EngineVersion) {
		f.addf(path+"engine_version", "%q is not a version that can be used here: expected one of Aurora PostgreSQL, 14 or newer, with its minor version, such as %q", d.EngineVersion, defaultEngine)
	}
}

// AWSResources is what an environment is made of on the aws target, for those who attach their
// own infrastructure to it.
type AWSResources struct {
	VPC                  string   `json:"vpc_id"`
	VPCBlock             string   `json:"vpc_cidr_block"`
	PublicSubnets        []string `json:"public_subnet_ids"`
	PrivateSubnets       []string `json:"private_subnet_ids"`
	DatabaseSubnets      []string `json:"database_subnet_ids"`
	PublicRoutes         []string `json:"public_route_table_ids"`
	PrivateRoutes        []string `json:"private_route_table_ids"`
	DatabaseRoutes       []string `json:"database_route_table_ids"`
	NATAddresses         []string `json:"nat_addresses"`
	BalancerGroup        string   `json:"load_balancer_security_group_id"`
	StackGroup           string   `json:"stack_security_group_id"`
	DatabaseGroup        string   `json:"database_security_group_id"`
	BalancerARN          string   `json:"load_balancer_arn"`
	BalancerDNSName      string   `json:"load_balancer_dns_name"`
	BalancerZone         string   `json:"load_balancer_zone_id"`
	HTTPSListenerARN     string   `json:"https_listener_arn,omitempty"`
	PreviewListenerARN   string   `json:"preview_listener_arn,omitempty"`
	HostedZone           string   `json:"hosted_zone_id,omitempty"`
	CertificateARN       string   `json:"certificate_arn"`
	ClusterARN           string   `json:"cluster_arn"`
	DatabaseClusterARN   string   `json:"database_cluster_arn"`
	ExecutionRoleARN     string   `json:"execution_role_arn"`
	TaskRoleARN          string   `json:"task_role_arn"`
	LogGroup             string   `json:"log_group_name"`
	KeyARN               string   `json:"kms_key_arn"`
	AccountSecretsPrefix string   `json:"account_secrets_prefix"`

	// Anew names what the next put may make anew, as in JSON above: it is gone, or a change of it is
	// not finished. All else stays through every put of an environment that is not moved.
	Anew []string `json:"-"`
}
