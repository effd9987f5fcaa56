package track

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// attribute decides whose the customer is: the promoter's that it is bound to, else its
// owner's at Keap, else whoever the call names first and may win it.
func (b *booking) attribute(c *book.Customer) (terms.Attribution, error) {
	candidates, first := b.namedCandidates()
	ownedBy := func(owner terms.Candidate) terms.Attribution {
		return terms.Attribute(b.until(), slices.Insert(candidates, 0, owner), nil, b.creditPolicy())
	}
	dir := b.t.Directory()
	if c.PromoterID != 0 {
		return ownedBy(candidateOf(terms.Candidate{By: terms.ByOwner, At: c.BoundAt}, dir.ByID(c.PromoterID))), nil
	}
	if c.Email == "" {
		return terms.Attribute(b.until(), candidates, first, b.creditPolicy()), nil
	}
	carried, _, err := b.t.Referral(c.Email)
	switch {
	case err != nil:
		return terms.Attribution{}, err
	case carried.Rule == terms.RuleHouse:
		owner := candidateOf(terms.Candidate{By: terms.ByCarried, At: carried.ReferredAt}, dir.ByPartner(carried.PartnerID))
		owner.Named = "the program's own partner"
		return ownedBy(owner), nil
	case carried.PartnerID != 0:
		return ownedBy(candidateOf(terms.Candidate{By: terms.ByCarried, At: carried.ReferredAt}, dir.ByPartner(carried.PartnerID))), nil
	case carried.Rule == terms.RuleLater:
		row, ok, err := b.laterReferral(c.Email)
		if err != nil {
			return terms.Attribution{}, err
		}
		if ok {
			candidates = append(candidates, candidateOf(terms.Candidate{By: terms.ByHistory, At: row.SetAt}, dir.ByPartner(row.PartnerID)))
		}
	}
	return terms.Attribute(b.until(), candidates, first, b.creditPolicy()), nil
}

// creditPolicy is whom the call may be credited to: what is taken back, to an owner of whatever
// status.
func (b *booking) creditPolicy() terms.CreditPolicy {
	policy := b.s.o.CreditPolicy
	policy.AnyOwner = b.call.Kind == book.EventRefund
	return policy
}

// laterReferral is the newest of Keap's referrals of an address that no import has counted yet and
// that count at the time of the event.
func (b *booking) laterReferral(email string) (row book.ReferralRow, ok bool, err error) {
	rows, err := b.t.ReferralRows(email)
	today := time.Unix(b.at(), 0).In(b.s.o.Zone).Format(time.DateOnly)
	for _, r := range rows {
		if r.SetAt <= b.at() && (r.ExpiresOn == "" || r.ExpiresOn >= today) {
			return r, true, err
		}
	}
	return row, false, err
}

// namedCandidates lists whom the call names, in the order in which they are asked: by a
// click, a ref token, an id or e-mail address of a promoter, a coupon. first is the first click, if it is known.
func (b *booking) namedCandidates() (list []terms.Candidate, first *terms.Candidate) {
	dir := b.t.Directory()
	if b.touch.given {
		last := candidateOf(b.touch.last, dir.ByToken(b.touch.last.Named))
		afterSignup := last.At > b.until()+terms.ClockSkew
		list = append(list, last)
		if b.touch.first.Named != "" {
			k := candidateOf(b.touch.first, dir.ByToken(b.touch.first.Named))
			first = &k
			if afterSignup { // the last click before the sign-up that is known is the first one
				list = append(list, k)
			}
		} else if last.Promoter != 0 && !afterSignup {
			first = &last
		}
	}
	if token := b.call.RefID; token != "" {
		list = append(list, candidateOf(terms.Candidate{By: terms.ByToken, Named: token}, dir.ByToken(token)))
	}
	if id := b.call.PromoterID; id != "" {
		list = append(list, candidateOf(terms.Candidate{By: terms.ByPromoterID, Named: id}, promoterByID(dir, id)))
	}
	if email := b.call.PromoterEmail; email != "" {
		list = append(list, candidateOf(terms.Candidate{By: terms.ByPromoterEmail, Named: email}, dir.ByEmail(email)))
	}
	if coupon := b.call.PromoCode; coupon != "" {
		list = append(list, candidateOf(terms.Candidate{By: terms.ByCoupon, Named: coupon}, dir.ByCoupon(coupon)))
	}
	return list, first
}

// promoterByID looks a promoter up by what [Call.PromoterID] holds.
func promoterByID(dir *book.Directory, id string) book.Owner {
	digits, keap := cutFold(id, keapPrefix)
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil:
		return book.Owner{}
	case keap:
		return dir.ByPartner(n)
	}
	return dir.ByID(n)
}

// candidateOf makes a candidate of an owner, if something new may be credited to it.
func candidateOf(k terms.Candidate, o book.Owner) terms.Candidate {
	if p := o.Creditable(); p != nil {
		k.Promoter, k.Status = p.ID, p.Status
		if k.Named == "" {
			k.Named = p.Token
		}
	}
	return k
}

// candidateFields names what a candidate was named by, as the API does.
var candidateFields = map[string]string{
	terms.ByClick: "tid", terms.ByToken: "ref_id", terms.ByPromoterID: "promoter_id", terms.ByPromoterEmail: "promoter_email",
	terms.ByCoupon: "promo_code", terms.ByHistory: "Keap's referral",
}

// unattributed answers that a call credits nobody, and why. A call that named somebody is
// kept, so that a person can look into it.
func (b *booking) unattributed(a *terms.Attribution) (Result, error) {
	r := Result{Outcome: NotReferred, Message: "the customer is no promoter's"}
	var reasons []string
	named := b.call.TID != "" || b.call.RefID != "" || b.call.PromoterID != "" || b.call.PromoterEmail != "" || b.call.PromoCode != ""
	for _, k := range a.Candidates {
		named = named || k.Promoter != 0
		switch {
		case k.By == terms.ByOwner || k.By == terms.ByCarried:
			r.Message = "the customer's promoter earns nothing"
		case k.Outcome == terms.OutcomeNobody && k.By == terms.ByClick && k.Named == "":
			reasons = append(reasons, "tid: "+b.touch.wrong)
		case k.Outcome != terms.OutcomeWon && k.Outcome != terms.OutcomeNotAsked:
			reasons = append(reasons, strings.TrimSpace(candidateFields[k.By]+" "+k.Named)+": "+k.Outcome)
		}
	}
	if len(reasons) > 0 {
		r.Message += " (" + strings.Join(reasons, ", ") + ")"
	}
	owned := func(k terms.Candidate) bool { return k.By == terms.ByOwner || k.By == terms.ByCarried }
	b.waits = a.Promoter != 0 || !slices.ContainsFunc(a.Candidates, owned)
	if !named {
		return r, nil
	}
	e, err := b.newEvent(&book.Customer{}, *a, "", 0)
	b.evidence = e.Evidence
	return r, err
}
