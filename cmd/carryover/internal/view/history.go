package view

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/book"
	"carryover/mapping/history"
	"carryover/mapping/terms"
	"carryover/migrate/report"
)

// OwnedCustomers is customers and whose they are.
func OwnedCustomers(cfg *config.Config) *console.Table[history.OwnedCustomer] {
	return &console.Table[history.OwnedCustomer]{
		Titles: []string{"customer", "contact", "ref token", "referred", "source", "rule", "partner", "referral"},
		Cells: func(c *history.OwnedCustomer) []string {
			email, rule := c.Email, c.Rule
			switch {
			case email == "" && c.UID != "":
				email = "uid:" + c.UID
			case email == "":
				email = "(needs an e-mail)"
			}
			if c.Self {
				rule += ", self"
			}
			since := terms.FormatDay(c.Since, cfg.Zone)
			return []string{email, Number(c.ContactID), c.Owner, since, c.Source, rule, Number(c.PartnerID), Number(c.ReferralID)}
		},
		Below: []string{"contact", "partner", "referral"},
		Empty: "No customers.",
	}
}

// LedgerEntries is entries of the ledger.
func LedgerEntries(cfg *config.Config) *console.Table[history.LedgerEntry] {
	return &console.Table[history.LedgerEntry]{
		Titles: []string{"date", "entry", "promoter", "amount", "invoice", "for", "customer", "event"},
		Cells: func(l *history.LedgerEntry) []string {
			return []string{
				l.At[:min(len(time.DateOnly), len(l.At))], l.Label(), cmp.Or(l.RefToken, book.HouseName), cfg.Amount(l.Amount, l.Currency),
				l.Invoice, l.Purpose(), cmp.Or(l.Email, l.Name), l.EventID,
			}
		},
		Below: []string{"for", "event"},
	}
}

// Timeline is what happened to a customer.
func Timeline(cfg *config.Config) *console.Table[history.TimelineEntry] {
	return &console.Table[history.TimelineEntry]{
		Titles: []string{"when", "what", "promoter", "amount", "became", "more"},
		Cells: func(t *history.TimelineEntry) []string {
			what, amount := t.Kind, ""
			if t.KeapID != 0 {
				what += " " + strconv.FormatInt(t.KeapID, 10)
			}
			if t.Amount != nil {
				amount = cfg.Amount(*t.Amount, t.Currency)
			}
			return []string{t.When, what, t.Owner, amount, t.Outcome, t.Details}
		},
		Below: []string{"more"},
	}
}

// Reviews is what a person should look at.
func Reviews(cfg *config.Config) *console.Table[history.Review] {
	return &console.Table[history.Review]{
		Titles: []string{"id", "date", "promoter", "customer", "amount", "for", "why", "decided"},
		Cells: func(r *history.Review) []string {
			var reasons []string
			for _, v := range r.Reasons {
				reasons = append(reasons, v.Reason+": "+v.Detail)
			}
			decided := r.Decision
			if decided != "" {
				decided += " by " + r.DecidedBy
			}
			return []string{
				r.ID, r.At[:min(len(time.DateOnly), len(r.At))], r.RefToken, cmp.Or(r.Email, r.UID), cfg.Amount(r.Amount, r.Currency),
				r.Product, strings.Join(reasons, "; "), decided,
			}
		},
		Below: []string{"for", "why"},
		Alert: func(r *history.Review, title string) bool { return title == "id" && r.Decision == "" },
		Empty: "Nothing to review.",
	}
}

// OutboxStates is the states of the outbox.
func OutboxStates() *console.Table[history.OutboxState] {
	return &console.Table[history.OutboxState]{
		Titles: []string{"state", "events", "oldest", "means", "said last"},
		Cells: func(s *history.OutboxState) []string {
			return []string{s.State, report.Count(s.Count), s.Oldest, s.Means, s.Said}
		},
		Alert: func(s *history.OutboxState, title string) bool {
			return title == "state" && s.State == book.ForwardRefused && s.Count > 0
		},
	}
}

// OutboxEvents is the events in a state; when titles the time of the next try, or of the end.
func OutboxEvents(state, when string) *console.Table[history.OutboxEvent] {
	return &console.Table[history.OutboxEvent]{
		Titles: []string{"id", "kind", "event id", "came", "tries", when, "status", "said"},
		Cells: func(e *history.OutboxEvent) []string {
			return []string{
				strconv.FormatInt(e.ID, 10), e.Kind, e.EventID, e.Came, strconv.FormatInt(e.Tries, 10), cmp.Or(e.Next, e.Done),
				strconv.FormatInt(e.Status, 10), e.Said,
			}
		},
		Below: []string{"said"},
		Empty: fmt.Sprintf("No event is %s.", strings.ReplaceAll(state, "_", " ")),
	}
}
