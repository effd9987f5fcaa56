package history

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// explainReferrals tells what became of the referrals of a customer, and why r is its owner.
func (x *Explainer) explainReferrals(ctx context.Context, s *CustomerHistory, r *book.Referral) error {
	rows, err := x.Book.ReferralRowsOf(ctx, s.ContactIDs)
	if err != nil {
		return err
	}
	under := func(owner string) (c terms.KeapAttribution, winner book.ReferralRow) {
		if c = terms.AttributeKeap(book.KeapReferrals(nil, rows), x.AsOf, owner, x.Zone); c.Winner >= 0 {
			winner = rows[c.Winner]
		}
		return c, winner
	}
	other := otherOwner(s.Owner)
	c, winner := under(s.Owner)
	otherwise, wins := under(other)
	if winner.ID != r.ReferralID && wins.ID == r.ReferralID { // the configuration has changed since the run
		s.Owner, other, c, otherwise, winner, wins = other, s.Owner, otherwise, c, wins, winner
	}
	for i := range rows {
		s.Timeline = append(s.Timeline, x.referralEntry(&rows[i], s.Owner, c.Verdicts[i]))
	}
	counted := 0
	for _, v := range c.Verdicts {
		if v != terms.ReferralExpired && v != terms.ReferralLater {
			counted++
		}
	}
	s.Reason = x.reason(s, r, &winner, counted)
	if r.Rule != terms.RuleSubscription && otherwise.Winner >= 0 && x.name(wins.PartnerID) != x.name(winner.PartnerID) {
		token := x.Directory.ByPartner(wins.PartnerID).Token()
		s.Other = &OtherRule{Owner: other, RefToken: token, PartnerID: wins.PartnerID, ReferralID: max(0, wins.ID)}
	}
	return nil
}

// otherOwner is the rule among referrals that does not hold.
func otherOwner(owner string) string {
	if owner == terms.OwnerFirst {
		return terms.OwnerLatest
	}
	return terms.OwnerFirst
}

// reason says in one sentence whose a customer is. counted is how many referrals neither had
// expired nor were set later.
func (x *Explainer) reason(s *CustomerHistory, r *book.Referral, winner *book.ReferralRow, counted int) string {
	who := cmp.Or(s.Email, s.Name)
	if s.Email == "" && len(s.ContactIDs) > 0 {
		who = strings.TrimSpace(fmt.Sprintf("contact %d %s", s.ContactIDs[0], s.Name))
	}
	its := fmt.Sprintf("its referral of %s", x.minute(winner.SetAt))
	if winner.Source != "" {
		its += " (by " + winner.Source + ")"
	}
	belongs := who + " belongs to " + x.owner(book.Earner{PartnerID: r.PartnerID})
	if r.Self {
		belongs += ", and is that promoter"
	}
	among := fmt.Sprintf("of the %d that counted on %s", counted, s.AsOf)
	switch r.Rule {
	case terms.RuleOnly:
		return fmt.Sprintf("%s: %s is the only one that counted on %s.", belongs, its, s.AsOf)
	case terms.RuleLatest:
		return fmt.Sprintf("%s: %s is the latest %s.", belongs, its, among)
	case terms.RuleFirst:
		return fmt.Sprintf("%s: %s is the earliest %s.", belongs, its, among)
	case terms.RuleType:
		return fmt.Sprintf("%s: %s, %s, goes before the others of that minute: permanent before manual before cookie.",
			belongs, its, winner.Type)
	case terms.RuleID:
		return fmt.Sprintf("%s: %s has the highest id of those of that minute and type.", belongs, its)
	case terms.RuleSubscription:
		return belongs + ": a person decided for the partner of its running subscription."
	case terms.RuleHouse:
		return fmt.Sprintf("%s belongs to nobody: %s wins, and it is of the program's own partner; the next one does not inherit.", who, its)
	case terms.RuleExpired:
		return fmt.Sprintf("%s belongs to nobody: all of its referrals had expired on %s.", who, s.AsOf)
	case terms.RuleLater:
		return fmt.Sprintf("%s belongs to nobody yet: what has not expired was set after %s.", who, s.AsOf)
	}
	return who + " belongs to nobody: no promoter ever referred it."
}

// referralEntry is a row of the referrals on the timeline.
func (x *Explainer) referralEntry(r *book.ReferralRow, owner, verdict string) TimelineEntry {
	outcome := map[string]string{
		terms.ReferralExpired: "expired", terms.ReferralLater: "set after as_of", terms.ReferralLost: "lost: earlier",
		terms.RuleType: "lost: type", terms.RuleID: "lost: lower id", terms.ReferralWon: "won",
	}[verdict]
	switch {
	case verdict == terms.ReferralLost && owner == terms.OwnerFirst:
		outcome = "lost: later"
	case verdict == terms.ReferralWon && x.Directory.ByPartner(r.PartnerID).House:
		outcome = "house"
	}
	m := x.timelineEntry(r.SetAt, "referral", book.Earner{PartnerID: r.PartnerID})
	m.KeapID, m.Outcome, m.Type, m.Source, m.ExpiresOn = max(0, r.ID), outcome, r.Type, r.Source, r.ExpiresOn
	m.Details = r.Type + ", never expires"
	if r.ExpiresOn != "" {
		m.Details = r.Type + ", expires " + r.ExpiresOn
	}
	if r.Source != "" {
		m.Details += ", by " + r.Source
	}
	return m
}

// OtherOutcomes says in sentences whose the customer would be under first click, and with the
// other rule among Keap's referrals; none where it would be the same.
func (x *Explainer) OtherOutcomes(h *CustomerHistory) (sentences []string) {
	if h.Bound != nil {
		switch f := h.Bound.FirstClick; {
		case f == nil:
			return []string{"Who clicked first is not known."}
		case f.RefToken == h.Bound.RefToken:
			return []string{"Under first click it would be the same promoter's."}
		default:
			return []string{fmt.Sprintf("Under first click it would be of %s (%s).", f.RefToken, f.At)}
		}
	}
	if o := h.Other; o != nil {
		return []string{fmt.Sprintf("With owner = %q in [import] it would be of %s.", o.Owner, x.owner(book.Earner{PartnerID: o.PartnerID}))}
	}
	return nil
}
