package main

import (
	"fmt"
	"slices"
	"strings"

	"carryover/mapping/book"
)

// owners tells whose a partner's money is: rows of Keap's name a partner, and the
// partner's Keap id names a promoter.
type owners struct {
	content *book.Content
	byID    map[int64]*book.Promoter
	partner map[int64]*book.Alias // by Keap id
}

func newOwners(c *book.Content) *owners {
	o := &owners{content: c, byID: make(map[int64]*book.Promoter, len(c.Promoters)), partner: make(map[int64]*book.Alias, len(c.Promoters))}
	for i := range c.Promoters {
		o.byID[c.Promoters[i].ID] = &c.Promoters[i]
	}
	for i := range c.Aliases {
		if id, ok := c.Aliases[i].KeapID(); ok {
			o.partner[id] = &c.Aliases[i]
		}
	}
	return o
}

// of is the promoter whom a partner's money belongs to; nil for the program's own
// partners, and for none.
func (o *owners) of(partner int64) *book.Promoter {
	if a := o.partner[partner]; a != nil {
		return o.standing(o.byID[a.PromoterID])
	}
	return nil
}

// standing follows a promoter to the one that it was merged into.
func (o *owners) standing(p *book.Promoter) *book.Promoter {
	for n := 0; p != nil && p.MergedInto != 0 && n < len(o.byID); n++ {
		p = o.byID[p.MergedInto]
	}
	return p
}

// token is the ref token of a partner's promoter; empty when there is none.
func (o *owners) token(partner int64) string {
	if p := o.of(partner); p != nil {
		return p.Token
	}
	return ""
}

const ownName = "(the program's own)"

// name is what people call the owner of a partner's money.
func (o *owners) name(partner int64) string {
	switch a := o.partner[partner]; {
	case partner == 0:
		return ""
	case a == nil:
		return fmt.Sprintf("partner %d", partner)
	case a.State == book.StateHouse:
		return ownName
	}
	return o.token(partner)
}

// payee is a promoter, or one of the program's own partners, and its partners' Keap ids.
type payee struct {
	name     string
	partners []int64
}

// find is whom a person means: a ref token, also one of a promoter that was merged since,
// a code or a Keap id, each as it is written; else a token or code in other letter case.
func (o *owners) find(who string) (payee, error) {
	who = strings.TrimSpace(who)
	for i := range o.content.Promoters {
		if p := &o.content.Promoters[i]; p.Token == who {
			return o.payee(o.standing(p)), nil
		}
	}
	id := strings.TrimLeft(who, "0")
	var byID, folded []*book.Alias
	for i := range o.content.Aliases {
		switch a := &o.content.Aliases[i]; {
		case a.Kind == book.AliasCode && a.Value == who:
			return o.payeeOf(a)
		case a.Kind == book.AliasCode && strings.EqualFold(a.Value, who):
			folded = append(folded, a)
		case a.Kind == book.AliasKeapID && a.Value == id:
			byID = append(byID, a)
		}
	}
	if len(byID) > 0 {
		return o.payeeOf(byID[0])
	}
	means := map[int64]bool{}
	var found *book.Promoter
	for i := range o.content.Promoters {
		if p := o.standing(&o.content.Promoters[i]); strings.EqualFold(o.content.Promoters[i].Token, who) {
			means[p.ID], found = true, p
		}
	}
	for _, a := range folded {
		if p := o.standing(o.byID[a.PromoterID]); p != nil {
			means[p.ID], found = true, p
		}
	}
	switch {
	case len(means) == 1:
		return o.payee(found), nil
	case len(means) > 1:
		return payee{}, fmt.Errorf("%q could mean several promoters, whose codes differ only by case: write the code as it is, or the ref token; \"carryover promoters\" lists them", who)
	case len(folded) > 0:
		return o.payeeOf(folded[0])
	}
	return payee{}, fmt.Errorf("no promoter has the ref token, code or Keap id %q: \"carryover promoters\" lists them", who)
}

func (o *owners) payeeOf(a *book.Alias) (payee, error) {
	if p := o.standing(o.byID[a.PromoterID]); p != nil {
		return o.payee(p), nil
	}
	if a.State == book.StateAmbiguous {
		return payee{}, fmt.Errorf("several promoters have the code %q: name one by its ref token or a Keap id; \"carryover promoters\" lists them", a.Value)
	}
	own := payee{name: ownName, partners: []int64{}}
	for id, partner := range o.partner {
		if partner == a || a.Kind == book.AliasCode && partner.Code == a.Value && partner.State == book.StateHouse {
			own.partners = append(own.partners, id)
		}
	}
	slices.Sort(own.partners)
	return own, nil
}

func (o *owners) payee(p *book.Promoter) payee {
	found := payee{name: p.Token, partners: []int64{}}
	for id := range o.partner {
		if o.of(id) == p {
			found.partners = append(found.partners, id)
		}
	}
	slices.Sort(found.partners)
	return found
}
