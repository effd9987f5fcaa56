package terms

// PromoterStatus says whether a promoter takes part in the program.
type PromoterStatus string

const (
	Active   PromoterStatus = "active"
	Inactive PromoterStatus = "inactive"
	Blocked  PromoterStatus = "blocked"
)

// How a [Candidate] was named, in the order in which candidates are asked.
const (
	ByOwner         = "owner"       // an earlier event bound the customer
	ByCarried       = "carried"     // the customer's owner at Keap
	ByClick         = "click"       // the cookie's last click, or a click by its id
	ByToken         = "ref_token"   // given with the event
	ByPromoterID    = "promoter_id" // the promoter itself, named in the event
	ByPromoterEmail = "promoter_email"
	ByCoupon        = "coupon"
	ByHistory       = "history" // a referral of Keap's that no import has counted yet
)

// Outcomes of a [Candidate].
const (
	OutcomeWon      = "won"
	OutcomeNotAsked = "not asked"        // an earlier candidate had won
	OutcomeNobody   = "of nobody"        // no promoter has that token, coupon or click
	OutcomeBlocked  = "blocked"          // a blocked promoter earns nothing
	OutcomeInactive = "inactive"         // and the program does not credit inactive promoters
	OutcomeTooLate  = "after the signup" // the click came after the sign-up that it should have brought
)

// Candidate is a promoter who may have brought a customer.
type Candidate struct {
	By       string         `json:"by"`
	Named    string         `json:"named,omitempty"` // the token or coupon
	Click    string         `json:"click,omitempty"` // its id
	At       int64          `json:"at,omitempty"`    // of the click or referral, Unix seconds; 0: not known
	Promoter int64          `json:"promoter_id"`     // 0: nobody
	Status   PromoterStatus `json:"standing,omitempty"`
	Outcome  string         `json:"outcome"` // set by [Attribute]
}

// CreditPolicy says what a program credits to inactive promoters.
type CreditPolicy struct {
	InactiveEarn bool // they earn on customers who are theirs already
	InactiveWin  bool // they win new customers
	AnyOwner     bool // a customer's owner is credited whatever its status: with what is taken back
}

// Attribution is whose a customer is, and why.
type Attribution struct {
	Promoter   int64       `json:"promoter_id"` // 0: nobody
	By         string      `json:"by"`          // of the candidate that won; empty: none did
	Candidates []Candidate `json:"candidates"`
	First      *Candidate  `json:"first_click,omitempty"` // who had clicked first, when that is known
}

// AlreadyBound reports whether the customer was the promoter's before.
func (a *Attribution) AlreadyBound() bool { return a.By == ByOwner || a.By == ByCarried }

// ClockSkew is how many seconds the clocks of the program and of the billing system may
// differ: a click that seems so much later than a sign-up may have come before it.
const ClockSkew = 5 * 60

// Attribute decides whose a customer is at an instant (Unix seconds): that of its sign-up, or
// of its first sale. Candidates stand in the order in which they are asked, and the first
// that may earn wins. An owner, ByOwner or ByCarried, is never passed over: when it may not
// earn, or is the program itself (no promoter), nobody does. first is kept beside.
func Attribute(at int64, candidates []Candidate, first *Candidate, policy CreditPolicy) Attribution {
	a := Attribution{Candidates: make([]Candidate, len(candidates)), First: first}
	decided := false
	for i, k := range candidates {
		owner := k.By == ByOwner || k.By == ByCarried
		switch {
		case decided:
			k.Outcome = OutcomeNotAsked
		case k.Promoter == 0:
			k.Outcome = OutcomeNobody
		case owner && policy.AnyOwner:
			k.Outcome = OutcomeWon
			a.Promoter, a.By = k.Promoter, k.By
		case k.Status == Blocked:
			k.Outcome = OutcomeBlocked
		case k.Status == Inactive && !(owner && policy.InactiveEarn || !owner && policy.InactiveWin):
			k.Outcome = OutcomeInactive
		case !owner && k.At > at+ClockSkew:
			k.Outcome = OutcomeTooLate
		default:
			k.Outcome = OutcomeWon
			a.Promoter, a.By = k.Promoter, k.By
			decided = true
		}
		decided = decided || owner
		a.Candidates[i] = k
	}
	return a
}
