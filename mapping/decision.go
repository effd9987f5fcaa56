package mapping

// Outcome is what the gateway answers, in the words of the answer table.
type Outcome uint8

const (
	NotFound          Outcome = iota // a helpful page, status 404
	Forward                          // to the destination, credited
	ForwardUncredited                // to the destination, nobody credited
	ToLogin                          // the promoter signs in to the new dashboard
	ToRejoin                         // an inactive or unknown partner may come back
	ToLanding                        // the visitor of an expired link without a partner
	ToJoin                           // sign-up
	ToPasswordReset
	ToGuide
)

var outcomeNames = [...]string{"not_found", "forward", "forward_uncredited", "login", "rejoin", "landing", "join", "password_reset", "guide"}

// Outcomes lists every outcome's name, in the order of the constants.
func Outcomes() []string { return outcomeNames[:] }

// String returns the name that reports, metrics and --json use.
func (o Outcome) String() string { return outcomeNames[o] }

// Request is what of an HTTP request or a pasted URL can decide an answer. Path and
// Query are raw, as they stood on the wire: no percent-decoding, no cleaning.
type Request struct {
	Host  string // any case, with or without a port
	Path  string // begins with "/"; the empty path counts as "/"
	Query string // without the "?"
}

// Decision is the answer to one request.
type Decision struct {
	Outcome  Outcome
	Location string // absolute URL on an allowed host; empty for NotFound, and when Page or Form is set
	Token    string // ref token of the promoter that the URL names, credited or not; empty when it names none
	Link     string // stored code of the link; empty when the link is unknown
	Ad       string // cleaned ad segment, at most 64 characters
	Miss     bool   // the URL did not resolve to all that it seems to name
	Expired  bool   // answered by the rules that hold after the cutoff
	Page     bool   // answer the expired page instead of redirecting (after_cutoff = "page")
	Form     bool   // answer the form of ToJoin or ToRejoin instead of redirecting
}

// Credited says whether the decision credits Token with the visit.
func (d Decision) Credited() bool { return d.Outcome == Forward }

// Status is the HTTP status of the answer: 302 with a location, 200 for a form, 404 for
// another page of the gateway's own.
func (d Decision) Status() int {
	if d.Form {
		return 200
	}
	if d.Location == "" {
		return 404
	}
	return 302
}
