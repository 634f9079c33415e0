package target

import (
	"hash/fnv"
	"net"
	"regexp"
	"strconv"
	"strings"
)

// Kinds and tenancies of environments.
const (
	KindProduction      = "production"
	KindSandbox         = "sandbox"
	TenancyMultiTenant  = "multi_tenant"
	TenancySingleTenant = "single_tenant"
)

// Environment is one installation of the platform inside a region.
type Environment struct {
	Region string `json:"region"`
	Name   string `json:"name"`
	// Kind is KindProduction or KindSandbox.
	Kind string `json:"kind"`
	// Tenancy is TenancyMultiTenant or TenancySingleTenant.
	Tenancy string `json:"tenancy"`
	// Account owns a single-tenant environment; empty for a multi-tenant one.
	Account string `json:"account,omitempty"`
	// DomainName is the name under which the environment answers, without a trailing dot.
	DomainName string   `json:"domain_name"`
	Network    Network  `json:"network"`
	Database   Database `json:"database"`
	// Mirrors is the id of the production environment that a sandbox must equal, or "".
	Mirrors            string            `json:"mirrors,omitempty"`
	DeletionProtection bool              `json:"deletion_protection"`
	Tags               map[string]string `json:"tags,omitempty"`
	// AWS is there on the aws target, and only there.
	AWS *AWS `json:"aws,omitempty"`
}

// Network says where an environment's front door listens.
type Network struct {
	// ListenAddress is an IP address of this machine; "" on the aws target.
	ListenAddress string `json:"listen_address"`
	// HTTPSPort is the production entrance, PreviewPort the entrance to the candidate.
	HTTPSPort   int `json:"https_port"`
	PreviewPort int `json:"preview_port"`
}

// Database sizes an environment's database server.
type Database struct {
	// MaxConnections is 0 on the aws target, where it follows from the size.
	MaxConnections int `json:"max_connections"`
}

// EnvironmentStatus is what a target knows about an environment besides its definition.
type EnvironmentStatus struct {
	URL        string `json:"url"`
	PreviewURL string `json:"preview_url"`
	// CertificateAuthority is the PEM of the authority that signed the front door's and the
	// database server's certificates; empty where a public authority did.
	CertificateAuthority string `json:"certificate_authority,omitempty"`
	DatabaseHost         string `json:"database_host,omitempty"`
	DatabasePort         int    `json:"database_port,omitempty"`
	// AccountsDirectory is where running stacks find the account databases.
	AccountsDirectory string `json:"accounts_directory,omitempty"`
	// AWS is what the environment is made of on the aws target.
	AWS *AWSResources `json:"aws,omitempty"`
}

// EnvironmentRecord is an environment as its target holds it.
type EnvironmentRecord struct {
	Meta   Meta              `json:"meta"`
	Spec   Environment       `json:"spec"`
	Status EnvironmentStatus `json:"status"`

	// Leaves says what of the environment stays where it is removed, "" for nothing.
	Leaves string `json:"-"`
}

// ID is the environment's natural key.
func (e Environment) ID() EnvironmentID { return EnvironmentID{e.Region, e.Name} }

// URL is where the environment answers: on this machine, or on the aws target everywhere.
func (e Environment) URL() string { return e.url(e.Network.HTTPSPort) }

// PreviewURL is where the environment's candidates answer.
func (e Environment) PreviewURL() string { return e.url(e.Network.PreviewPort) }

func (e Environment) url(port int) string {
	if e.AWS != nil && port == 443 {
		return "https://" + e.DomainName
	}
	if e.AWS != nil {
		return "https://" + net.JoinHostPort(e.DomainName, strconv.Itoa(port))
	}
	return "https://" + net.JoinHostPort(LocalDomainName(e.DomainName), strconv.Itoa(port))
}

// DefaultDomainName is used where no domain name was given.
func (id EnvironmentID) DefaultDomainName() string { return id.Name + "." + id.Region + ".localhost" }

// DefaultHTTPSPort spreads environments over 10000..14999 by a hash of their id, so that the
// port is known at plan; the preview port is 5000 higher. Both are below what instances,
// database servers and outgoing connections get.
func (id EnvironmentID) DefaultHTTPSPort() int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id.String()))
	return 10000 + int(h.Sum32()%5000)
}

// DefaultPreviewPort is the preview entrance's port where none was given.
func (id EnvironmentID) DefaultPreviewPort() int { return id.DefaultHTTPSPort() + 5000 }

var domainRegexp = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// ValidateDomainName says whether an environment can have s as its name.
func ValidateDomainName(s string) error {
	if len(s) <= 200 && domainRegexp.MatchString(s) {
		return nil
	}
	return Errorf(ErrInvalid, "%q is not a domain name: expected lower-case labels of a-z, 0-9 and \"-\", joined by dots, at most 200 characters", s)
}

// Validate returns every fault of the definition on its own, without its region.
func (e Environment) Validate() Faults {
	var f Faults
	f.check("name", ValidateName(e.Name))
	f.check("region_id", ValidateName(e.Region))
	f.oneOf("kind", e.Kind, KindProduction, KindSandbox)
	f.oneOf("tenancy", e.Tenancy, TenancyMultiTenant, TenancySingleTenant)
	switch {
	case e.Tenancy == TenancySingleTenant && e.Account == "":
		f.addf("account", "a single-tenant environment belongs to one account: set account to its name, or tenancy to %q", TenancyMultiTenant)
	case e.Tenancy == TenancyMultiTenant && e.Account != "":
		f.addf("account", "a multi-tenant environment is shared by many accounts: remove account, or set tenancy to %q", TenancySingleTenant)
	case e.Account != "":
		f.check("account", ValidateName(e.Account))
	}
	byDefault := e.DomainName == e.ID().DefaultDomainName() // made of two names that are checked above
	if !byDefault {
		f.check("domain_name", ValidateDomainName(e.DomainName))
	}
	f.positive("network.https_port", e.Network.HTTPSPort, "(a TCP port)", 65535)
	f.positive("network.preview_port", e.Network.PreviewPort, "(a TCP port)", 65535)
	if e.Network.HTTPSPort == e.Network.PreviewPort {
		f.addf("network.preview_port", "%d is the https_port too: the preview entrance needs a port of its own", e.Network.PreviewPort)
	}
	if e.AWS != nil {
		f.validateAWS(e)
	} else {
		f.validateLocal(e)
	}
	if e.Mirrors != "" {
		switch id, err := ParseEnvironmentID(e.Mirrors); {
		case e.Kind != KindSandbox:
			f.addf("mirrors", "only a sandbox mirrors another environment: remove mirrors, or set kind to %q", KindSandbox)
		case err != nil:
			f.check("mirrors", err)
		case id == e.ID():
			f.addf("mirrors", "an environment can't mirror itself: name the production environment that this sandbox must equal")
		}
	}
	f.tags(e.Tags)
	f.roleTags(e.Tags)
	return f
}

// validateLocal adds the faults of what only a machine has.
func (f *Faults) validateLocal(e Environment) {
	if net.ParseIP(e.Network.ListenAddress) == nil {
		f.addf("network.listen_address", "%q is not an IP address: expected such as \"127.0.0.1\", which only this machine reaches, or \"0.0.0.0\" for all", e.Network.ListenAddress)
	}
	if e.Database.MaxConnections < 10 || e.Database.MaxConnections > 10000 {
		f.addf("database.max_connections", "%d is out of range: expected 10 to 10000 connections", e.Database.MaxConnections)
	}
}

// ValidateIn returns the faults that only show beside the region the environment is for.
// existing says that the environment is there already: a closed region keeps it.
func (e Environment) ValidateIn(r Region, existing bool) Faults {
	var f Faults
	if r.Closed && !existing {
		f.addf("region_id", "region %q is closed to new environments: choose another region, or open it by setting closed = false", r.Name)
	}
	return f
}

// Conflicts returns the faults that only show beside another environment of the target.
func (e Environment) Conflicts(other Environment) Faults {
	var f Faults
	if e.ID() == other.ID() {
		return nil
	}
	for _, mine := range []struct {
		path string
		port int
	}{{"network.https_port", e.Network.HTTPSPort}, {"network.preview_port", e.Network.PreviewPort}} {
		if e.AWS != nil { // each has a load balancer of its own
			break
		}
		if mine.port == other.Network.HTTPSPort || mine.port == other.Network.PreviewPort {
			f.addf(mine.path, "port %d is used by environment %q: set %s to a free port", mine.port, other.ID(), mine.path)
		}
	}
	if e.DomainName == other.DomainName {
		f.addf("domain_name", "%q is the domain name of environment %q: each environment needs its own", e.DomainName, other.ID())
	}
	return f
}

// LocalDomainName is the name a domain has on this machine, under ".localhost", which
// RFC 6761 reserves for loopback.
func LocalDomainName(domain string) string {
	if domain == "localhost" || strings.HasSuffix(domain, ".localhost") {
		return domain
	}
	return domain + ".localhost"
}
