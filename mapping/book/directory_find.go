package book

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Match is the owner that a person means by a word.
type Match struct {
	Owner
	Partners []int64 // Keap ids, ascending; of the program's own partners only those that the word names
	Also     string  // a sentence about what else the word may mean; empty: nothing
}

// Earners lists the earners of all rows of the ledger that belong to the match.
func (m *Match) Earners() []Earner {
	if m.Promoter != nil {
		return m.Promoter.Earners()
	}
	list := make([]Earner, len(m.Partners))
	for i, id := range m.Partners {
		list[i] = Earner{PartnerID: id}
	}
	return list
}

// Earned reports whether a row of the ledger belongs to the match.
func (m *Match) Earned(d *Directory, e Earner) bool {
	return d.ByEarner(e) == m.Owner && (m.Promoter != nil || slices.Contains(m.Partners, e.PartnerID))
}

// Find looks up whom a person means by a ref token (also that of a merged promoter), a code or a
// Keap id, as it is written, else by a token or code without regard to case. A ref token goes
// before codes and ids, and [Match.Also] says who else has it as a code. Another word with
// several meanings is refused, with a sentence that says how to name each.
func (d *Directory) Find(word string) (Match, error) {
	word = strings.TrimSpace(word)
	found := d.meanings(word, func(a, b string) bool { return a == b })
	if len(found) == 0 {
		found = d.meanings(word, strings.EqualFold)
	}
	switch len(found) {
	case 0:
		return Match{}, fmt.Errorf("no promoter has the ref token, code or Keap id %q: \"carryover promoters\" lists them", word)
	case 1:
		return found[0].Match, nil
	}
	var means, say []string
	for _, m := range found {
		means = append(means, fmt.Sprintf("%s by its %s", m.Name(), strings.Join(m.by, " and ")))
		if len(m.Partners) > 0 {
			say = append(say, fmt.Sprintf("--promoter %s for %s", d.unambiguous(m.Partners[0]), m.Name()))
		}
	}
	if d.byToken[word] != nil {
		for _, m := range found {
			if slices.Contains(m.by, byRefToken) {
				m.Also = fmt.Sprintf("%q is a ref token and taken as one; it also means %s: %s",
					word, strings.Join(means, ", "), strings.Join(say, ", "))
				return m.Match, nil
			}
		}
	}
	return Match{}, fmt.Errorf("%q could mean several promoters: %s; write a Keap id: %s",
		word, strings.Join(means, ", "), strings.Join(say, ", "))
}

// unambiguous writes a Keap id so that it means nothing else. A code may have the same digits,
// but leading zeros do not change an id.
func (d *Directory) unambiguous(keapID int64) string {
	word := strconv.FormatInt(keapID, 10)
	for len(d.meanings(word, func(a, b string) bool { return a == b })) > 1 {
		word = "0" + word
	}
	return word
}

// What a word can be.
const (
	byRefToken = "ref token"
	byCode     = "code"
	byKeapID   = "Keap id"
)

// meaning is an owner that a word names, and what the word is then.
type meaning struct {
	Match
	by []string
}

// meanings lists the owners that a word names; same compares it with a token or a code. It scans
// the directory.
func (d *Directory) meanings(word string, same func(a, b string) bool) []meaning {
	var all []meaning
	at := map[*DirectoryPromoter]int{} // the index in all; nil: the program's own
	add := func(o Owner, by string) *meaning {
		i, ok := at[o.Promoter]
		if !ok {
			i = len(all)
			at[o.Promoter] = i
			m := meaning{Match: Match{Owner: Owner{House: true}}}
			if o.Promoter != nil {
				m.Match = Match{Owner: o, Partners: o.Promoter.Partners}
			}
			all = append(all, m)
		}
		if !slices.Contains(all[i].by, by) {
			all[i].by = append(all[i].by, by)
		}
		return &all[i]
	}
	for i := range d.rows {
		if same(d.rows[i].Token, word) {
			if o := d.ByID(d.rows[i].ID); o.Promoter != nil {
				add(o, byRefToken)
			}
		}
	}
	for i := range d.codes {
		// A code that several claim is found among their partners, below.
		if c := &d.codes[i]; c.owner != (Owner{}) && same(c.value, word) {
			add(c.owner, byCode)
		}
	}
	zeroless := strings.TrimLeft(word, "0")
	for i := range d.partners {
		p := &d.partners[i]
		var m *meaning
		switch {
		case strconv.FormatInt(p.KeapID, 10) == zeroless:
			m = add(p.Owner, byKeapID)
		case p.Code != "" && same(p.Code, word):
			m = add(p.Owner, byCode)
		default:
			continue
		}
		if p.Owner.Promoter == nil {
			m.Partners = append(m.Partners, p.KeapID)
		}
	}
	for i := range all {
		if all[i].Promoter == nil {
			slices.Sort(all[i].Partners)
		}
	}
	return all
}
