package history

import (
	"context"
	"strings"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Application is an application.
type Application struct {
	ID        int64  `json:"id"`
	Kind      string `json:"kind"` // join or rejoin
	Name      string `json:"name"`
	Email     string `json:"email"`
	Site      string `json:"site"`
	Terms     string `json:"terms"`      // what was agreed to
	AppliedAt string `json:"applied_at"` // RFC 3339, in the program's zone
	Visitor   string `json:"visitor"`    // equal for one network address on one day
	Reason    string `json:"reason"`     // why a person decides, with the name that was found; empty: nobody had to
	State     string `json:"state"`      // waiting, approved or rejected
	RefToken  string `json:"ref_token"`  // of the promoter that it is, or was; empty: none
	Standing  string `json:"standing"`   // of that promoter now
	DecidedAt string `json:"decided_at"`
	DecidedBy string `json:"decided_by"`
}

// Applications lists who wants to take part, in the order in which they came, and what the
// book knows of the address; all: also those that were decided.
func Applications(ctx context.Context, b *book.Book, all bool, zone *time.Location) ([]Application, error) {
	rows, err := b.Applications(ctx, all)
	if err != nil {
		return nil, err
	}
	directory, err := b.Directory(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Application, len(rows))
	for i := range rows {
		list[i] = newApplication(&rows[i], directory, zone)
	}
	return list, nil
}

func newApplication(ap *book.Application, directory *book.Directory, zone *time.Location) Application {
	l := Application{
		ID: ap.ID, Kind: ap.Kind, Name: ap.Name, Email: ap.Email, Site: ap.Site, Terms: ap.Terms,
		AppliedAt: terms.FormatTime(ap.AppliedAt, zone), Visitor: ap.Visitor, Reason: ap.Reason, State: ap.State,
		DecidedAt: terms.FormatTime(ap.DecidedAt, zone), DecidedBy: ap.DecidedBy,
	}
	owner := directory.ByEmail(ap.Email)
	if ap.PromoterID != 0 {
		owner = directory.ByID(ap.PromoterID)
	}
	if p := owner.Promoter; p != nil {
		l.RefToken, l.Standing = p.Token, string(p.Status)
	}
	return l
}

// holds are the reasons for which a person decides, for people; %s is the name behind them.
var holds = map[string]string{
	book.HoldManual:    "a person decides about everybody",
	book.HoldActive:    "the address takes part",
	book.HoldInactive:  "the address took part before",
	book.HoldBlocked:   "the address is blocked",
	book.HoldRejected:  "the address was rejected before",
	book.HoldMailbox:   "mail to the address arrives at %s",
	book.HoldAddress:   "an address of %s, of the program's own",
	book.HoldAlphabets: "letters of two alphabets that look alike",
	book.HoldReserved:  "taken for %s, which is reserved",
	book.HoldDomain:    "read as a host under .%s",
	book.HoldTaken:     "%s is taken",
	book.HoldLookAlike: "taken for %s",
	book.HoldNoToken:   "the name makes no ref token",
	book.HoldMany:      "many joined within the hour, or from one network",
}

// ReasonText says for people why a person decides.
func (l *Application) ReasonText() string {
	code, name, _ := strings.Cut(l.Reason, " ")
	switch text := holds[code]; {
	case text == "":
		return l.Reason
	case strings.Contains(text, "%s"):
		return strings.Replace(text, "%s", name, 1)
	default:
		return text
	}
}

// ApplicationDecision is what a decision came to.
type ApplicationDecision struct {
	ID       int64  `json:"id"`
	Email    string `json:"email"`
	State    string `json:"state"`
	Outcome  string `json:"outcome"` // joined, rejoined, takes part, rejected or unchanged
	RefToken string `json:"ref_token"`
	Link     string `json:"link"` // to share

	Text string `json:"-"` // the outcome, for people
}

// NewApplicationDecision tells a decision; with a policy also the ref token of an approved
// applicant, and the link to share.
func NewApplicationDecision(a *book.Admission, policy *mapping.Policy) ApplicationDecision {
	d := ApplicationDecision{ID: a.Application.ID, Email: a.Application.Email, State: a.Application.State}
	switch a.Outcome {
	case book.AdmissionJoined:
		d.Outcome, d.Text = "joined", "takes part"
	case book.AdmissionRejoined:
		d.Outcome, d.Text = "rejoined", "takes part again"
	case book.AdmissionActive:
		d.Outcome, d.Text = "takes part", "took part already"
	case book.AdmissionRejected:
		d.Outcome, d.Text = "rejected", "rejected"
	case book.AdmissionUnchanged:
		d.Outcome, d.Text = "unchanged", "was "+a.Application.State+" before"
	}
	if policy != nil && a.Promoter.Token != "" {
		d.RefToken = a.Promoter.Token
		d.Link = "https://" + policy.LegacyHosts[0] + "/r/" + d.RefToken
	}
	return d
}
