package mapping

import (
	"fmt"
	"time"
)

// Map is the content of one published link map: two small tables (links by code,
// partners by code), the Keap ids that name the same partners, exact legacy paths,
// and the policy. It never holds the product of links and partners.
type Map struct {
	Policy   Policy
	Links    []Link
	Partners []Partner
	IDs      []ID
	Paths    []Path
}

// Link is one tracking link: the code in the old URL and where it leads.
type Link struct {
	Code        string    // as Keap issued it, case kept
	Destination string    // absolute http(s) URL, raw bytes kept
	Until       time.Time // grace: first instant not honoured; zero means the program's cutoff
}

// Status says what a partner code is worth.
type Status uint8

const (
	Inactive  Status = iota // known, its promoter no longer takes part
	Active                  // credited
	House                   // the program's own code: known, never credited
	Ambiguous               // one exact code that several promoters claim: never guessed
)

var statusNames = [...]string{"inactive", "active", "house", "ambiguous"}

// String returns the name that the published map and the reports use.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// ParseStatus is the inverse of [Status.String].
func ParseStatus(name string) (Status, error) {
	for i, n := range statusNames {
		if n == name {
			return Status(i), nil
		}
	}
	return 0, fmt.Errorf("status %q is none of %v", name, statusNames)
}

// Partner is one code that Keap ever issued and the promoter behind it. Several
// partners may name one promoter; they then carry the same token and status.
type Partner struct {
	Code        string    // as Keap issued it, case kept
	Token       string    // the promoter's ref token; empty for House and Ambiguous
	Status      Status    // of the promoter, not of the single Keap record
	Until       time.Time // grace: first instant not honoured; zero means the program's cutoff
	AliasTokens []string  // earlier ref tokens of the promoter that must go on resolving
}

// ID says which code a numeric Keap partner id stands for.
type ID struct {
	KeapID int64
	Code   string
}

// Path is one exact legacy path (an order form, a portal page, a one-off URL): with a Target, or
// with the link and the partner that it stands for.
type Path struct {
	Path   string // begins with "/", as it stands in the URL
	Target string // the name of a page ("login", "join", ...) or an absolute URL; empty when it credits
	Link   string `json:",omitempty"` // code of the link; empty: the partner's only
	Code   string `json:",omitempty"` // code of the partner who is credited
}

// credits reports whether p stands for a link and a partner.
func (p *Path) credits() bool { return p.Target == "" }

// Policy is everything about a program that decides an answer beside its tables.
type Policy struct {
	Program      string    `json:"program"`
	KeapApp      string    `json:"keap_app,omitempty"` // tenant: <app>.infusionsoft.com, <app>.isrefer.com
	LegacyHosts  []string  `json:"legacy_hosts"`       // lower case, no scheme
	AllowedHosts []string  `json:"allowed_hosts"`      // where a redirect may lead, beside the hosts of Pages
	Cutoff       time.Time `json:"cutoff"`             // first instant at which old links are no longer honoured
	AfterCutoff  string    `json:"after_cutoff"`       // AfterRedirect or AfterPage
	Inactive     string    `json:"inactive"`           // InactiveUncredited, InactiveRejoin or InactiveForward
	Pages        Pages     `json:"pages"`
	TokenParam   string    `json:"token_param"`            // "fpr"
	SubIDParam   string    `json:"sub_id_param"`           // "fp_sid"
	CodeParams   []string  `json:"code_params"`            // "aff", "affcode": name a partner by code
	IDParams     []string  `json:"id_params"`              // "affiliate": name a partner by Keap id
	RootCodes    bool      `json:"root_codes"`             // /<code> at the root is a partner link
	BuiltinJoin  bool      `json:"builtin_join,omitempty"` // /join and /rejoin are forms of the gateway's own
}

// Values of [Policy.AfterCutoff].
const (
	AfterRedirect = "redirect" // to the login, rejoin or landing page
	AfterPage     = "page"     // a page of our own that offers both people their way
)

// Values of [Policy.Inactive]: what the link of an inactive partner does.
const (
	InactiveUncredited = "forward_uncredited" // visitor goes on, nobody is credited
	InactiveRejoin     = "rejoin"             // to the rejoin page
	InactiveForward    = "forward"            // credited like an active partner
)

// Pages are absolute URLs, answered exactly as they stand here.
type Pages struct {
	Landing       string `json:"landing"`
	Login         string `json:"login"`
	Join          string `json:"join"`
	Rejoin        string `json:"rejoin"`
	PasswordReset string `json:"password_reset"`
	Guide         string `json:"guide"`
}

// ByName returns the page that a [Path] target names.
func (p Pages) ByName(name string) (url string, ok bool) {
	switch name {
	case "landing":
		return p.Landing, true
	case "login":
		return p.Login, true
	case "join":
		return p.Join, true
	case "rejoin":
		return p.Rejoin, true
	case "password_reset":
		return p.PasswordReset, true
	case "guide":
		return p.Guide, true
	}
	return "", false
}
