package migrate

import (
	"cmp"
	"fmt"
	"slices"

	"carryover/mapping/book"
	"carryover/migrate/sheet"
)

// partnerIndex finds the partners of Keap's that rows of customers and money name: by id,
// or by exact code. It only reads.
type partnerIndex struct {
	ids    map[int64]bool
	byCode map[string]int64 // ambiguousCode: more than one person has the code
}

const ambiguousCode = -1

// newPartnerIndex makes the index of all partners. What these exports say of a code comes
// before what the book does, codes that partners have now before those that they had, and
// codes of earlier exports last.
func newPartnerIndex(who *people, before *book.Content) *partnerIndex {
	all := slices.Clone(who.partners)
	for _, m := range who.house {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *partner) int { return cmp.Compare(a.id, b.id) })
	p := &partnerIndex{ids: make(map[int64]bool, len(all)), byCode: make(map[string]int64, len(all))}
	for _, m := range all {
		p.ids[m.id] = true
	}
	claim := func(code string, id int64) {
		other, taken := p.byCode[code]
		switch {
		case !taken:
			p.byCode[code] = id
		case other != ambiguousCode && who.byPartner[other] != who.byPartner[id]:
			p.byCode[code] = ambiguousCode
		}
	}
	for _, exported := range []bool{true, false} {
		claimed := map[string]bool{}
		for _, m := range all {
			if _, taken := p.byCode[m.code]; m.exported == exported && (!taken || claimed[m.code]) {
				claimed[m.code] = true
				claim(m.code, m.id)
			}
		}
	}
	former := map[string]bool{}
	for _, m := range all {
		for _, code := range m.formerCodes {
			if _, taken := p.byCode[code]; !taken || former[code] {
				former[code] = true
				claim(code, m.id)
			}
		}
	}
	for i := range before.Aliases {
		a := &before.Aliases[i]
		if _, taken := p.byCode[a.Value]; taken || a.Kind != book.AliasCode || a.State != "" {
			continue
		}
		if q, ok := findRow(before.Promoters, a.PromoterID, func(q *book.Promoter) int64 { return q.ID }); ok {
			p.byCode[a.Value] = q.KeapID
		}
	}
	return p
}

// find returns the Keap id of the partner that a row names.
func (p *partnerIndex) find(id sheet.ID, code string) (int64, error) {
	reject := func(field, hint string) (int64, error) {
		return 0, &sheet.Reject{Reason: sheet.UnknownPartner, Field: field, Hint: hint}
	}
	if id.Valid {
		if p.ids[id.Number] {
			return id.Number, nil
		}
		return reject("partner_id", "no partner of these exports or of the book has this id: add the partner list that holds it")
	}
	switch found, ok := p.byCode[code]; {
	case !ok:
		return reject("partner_code",
			"no partner of these exports or of the book has this code (capital letters count): add the partner list that holds it")
	case found == ambiguousCode:
		return reject("partner_code", "several partners have this code: name the partner by its Keap id")
	default:
		return found, nil
	}
}

// credited is the Keap id of the partner that an order or a subscription names; 0 for
// nobody. An id holds whether or not a partner has it: partners that Keap no longer lists
// made sales too. A code that is nobody's, or of several, is 0.
func (p *partnerIndex) credited(id sheet.ID, code string) int64 {
	if id.Valid || code == "" {
		return id.Number
	}
	partner, err := p.find(id, code)
	if err != nil {
		return 0
	}
	return partner
}

// partnerLabel names a partner for a person.
func partnerLabel(d *book.Directory, keapID int64) string {
	if p := d.Partner(keapID); p != nil && p.Code != "" {
		return fmt.Sprintf("%s (%d)", p.Code, keapID)
	}
	return fmt.Sprintf("partner %d", keapID)
}
