package main

import (
	"fmt"
	"slices"
	"strconv"
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
	also     string // whom the word names besides, for a person; empty: nobody
}

// find is whom a person means: a ref token, also one of a promoter that was merged since,
// a code or a Keap id, each as it is written; else a token or code in other letter case.
// A ref token comes before codes and ids, and who else has it as an old code is noted. Any
// other word that means several is refused.
func (o *owners) find(who string) (payee, error) {
	who = strings.TrimSpace(who)
	found := o.named(who, func(a, b string) bool { return a == b })
	if len(found) == 0 {
		found = o.named(who, strings.EqualFold)
	}
	switch len(found) {
	case 0:
		return payee{}, fmt.Errorf("no promoter has the ref token, code or Keap id %q: \"carryover promoters\" lists them", who)
	case 1:
		return found[0].payee, nil
	}
	var means, say []string
	for _, n := range found {
		means = append(means, fmt.Sprintf("%s by its %s", n.name, strings.Join(n.by, " and ")))
		if len(n.partners) > 0 {
			say = append(say, fmt.Sprintf("--promoter %s for %s", o.sure(n.partners[0]), n.name))
		}
	}
	for _, n := range found {
		if slices.Contains(n.by, "ref token") && slices.ContainsFunc(o.content.Promoters, func(p book.Promoter) bool { return p.Token == who }) {
			n.also = fmt.Sprintf("%q is a ref token and taken as one; it also means %s: %s", who, strings.Join(means, ", "), strings.Join(say, ", "))
			return n.payee, nil
		}
	}
	return payee{}, fmt.Errorf("%q could mean several promoters: %s; write a Keap id: %s", who, strings.Join(means, ", "), strings.Join(say, ", "))
}

// note tells whom a word means besides.
func (a *app) note(p payee) {
	if p.also != "" {
		fmt.Fprintln(a.errOut, "carryover:", p.also)
	}
}

// sure is how to write a Keap id so that it means nothing else: a code may have the same
// digits, and zeros before an id do not count.
func (o *owners) sure(id int64) string {
	word := strconv.FormatInt(id, 10)
	for len(o.named(word, func(a, b string) bool { return a == b })) > 1 {
		word = "0" + word
	}
	return word
}

// named is a payee, and by what a word names it: ref token, code, Keap id.
type named struct {
	payee
	by []string
}

// named lists everybody whom a word names; same compares it with a token or a code.
func (o *owners) named(who string, same func(a, b string) bool) []named {
	var all []named
	at := map[*book.Promoter]int{} // the index in all; nil: the program's own
	add := func(p *book.Promoter, by string) *named {
		i, ok := at[p]
		if !ok {
			i = len(all)
			at[p] = i
			n := named{payee: payee{name: ownName, partners: []int64{}}}
			if p != nil {
				n.payee = o.payee(p)
			}
			all = append(all, n)
		}
		if !slices.Contains(all[i].by, by) {
			all[i].by = append(all[i].by, by)
		}
		return &all[i]
	}
	for i := range o.content.Promoters {
		if p := &o.content.Promoters[i]; same(p.Token, who) {
			add(o.standing(p), "ref token")
		}
	}
	zeroless := strings.TrimLeft(who, "0")
	for i := range o.content.Aliases {
		a := &o.content.Aliases[i]
		id, isID := a.KeapID()
		by := ""
		switch {
		case isID && a.Value == zeroless:
			by = "Keap id"
		case isID && a.Code != "" && same(a.Code, who), a.Kind == book.AliasCode && a.State != book.StateAmbiguous && same(a.Value, who):
			by = "code" // of an ambiguous code the partners tell who has it
		default:
			continue
		}
		p := o.standing(o.byID[a.PromoterID])
		if n := add(p, by); p == nil && isID {
			n.partners = append(n.partners, id)
		}
	}
	for i := range all {
		slices.Sort(all[i].partners)
	}
	return all
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
