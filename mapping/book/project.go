package book

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"carryover/mapping"
	"carryover/mapping/terms"
)

// Grace holds the dates until which single partners' and links' old links are honoured
// beyond the program's cutoff: the first instant not honoured, by code.
type Grace struct {
	Partners map[string]time.Time
	Links    map[string]time.Time
	Zone     *time.Location // of the dates that a person recorded of single promoters; nil: UTC
}

// Project makes the link map: every code and Keap id with the promoter that it names today. It
// fails on content that contradicts itself.
func (c *Content) Project(policy mapping.Policy, paths []mapping.Path, grace Grace) (*mapping.Map, error) {
	m := &mapping.Map{
		Policy:   policy,
		Paths:    paths,
		Links:    make([]mapping.Link, 0, len(c.Links)),
		Partners: make([]mapping.Partner, 0, len(c.Aliases)/2),
		IDs:      make([]mapping.ID, 0, len(c.Aliases)/2),
	}
	d := NewDirectory(c)
	until, _ := d.partnerGrace(grace.Partners)
	for i := range d.promoters {
		p := &d.promoters[i]
		if end := p.graceEnd(cmp.Or(grace.Zone, time.UTC)); end.After(until[p.ID]) {
			until[p.ID] = end
		}
	}
	linkUntil, _ := c.linkGrace(grace.Links)
	codes := map[string]int64{}                         // the promoter that a code credits
	anyCode := make(map[int64]string, len(c.Promoters)) // one of its codes, by promoter
	for _, a := range c.Aliases {
		if a.Kind != AliasCode {
			continue
		}
		partner := mapping.Partner{Code: a.Value}
		switch a.State {
		case StateHouse:
			partner.Status = mapping.House
		case StateAmbiguous:
			partner.Status = mapping.Ambiguous
		default:
			p := d.byID[a.PromoterID]
			if p == nil {
				return nil, fmt.Errorf("the book has no promoter %d, whom the code %q names", a.PromoterID, a.Value)
			}
			partner = p.partner(a.Value, until[p.ID], policy.Inactive)
			codes[a.Value] = p.ID
			if _, again := anyCode[p.ID]; !again { // its former tokens are published once
				anyCode[p.ID] = a.Value
				if partner.Token != "" {
					partner.AliasTokens = p.formerTokens()
				}
			}
		}
		m.Partners = append(m.Partners, partner)
	}
	for i := range c.Aliases {
		a := &c.Aliases[i]
		if a.Kind != AliasKeapID {
			continue
		}
		id, ok := a.KeapID()
		if !ok {
			return nil, fmt.Errorf("the book holds the Keap id %q", a.Value)
		}
		code := a.Code
		// The code may be ambiguous, or another promoter's by now. The id is not.
		switch p := d.byID[a.PromoterID]; {
		case a.State == StateHouse && codes[code] != 0:
			code = idOnly + a.Value
			m.Partners = append(m.Partners, mapping.Partner{Code: code, Status: mapping.House})
		case a.State == "" && p != nil && codes[code] != p.ID:
			if code, ok = anyCode[p.ID]; !ok {
				code = idOnly + a.Value
				anyCode[p.ID] = code
				partner := p.partner(code, until[p.ID], policy.Inactive)
				if partner.Token != "" {
					partner.AliasTokens = p.formerTokens()
				}
				m.Partners = append(m.Partners, partner)
			}
		}
		if id > 0 { // not one that joined here
			m.IDs = append(m.IDs, mapping.ID{KeapID: id, Code: code})
		}
	}
	for _, l := range c.Links {
		m.Links = append(m.Links, mapping.Link{Code: l.Code, Destination: l.Destination, Until: linkUntil[l.Code]})
	}
	return m, nil
}

// idOnly is the prefix of the code under which a promoter without an unambiguous code is
// published, so that its Keap id and ref token resolve. Keap's codes have no colon.
const idOnly = "id:"

// partner is the entry of the link map for a code of the promoter. A blocked promoter counts as
// inactive or, where inactive promoters are credited, as nobody.
func (p *DirectoryPromoter) partner(code string, until time.Time, inactive string) mapping.Partner {
	partner := mapping.Partner{Code: code, Token: p.Token, Until: until}
	switch {
	case p.Status == terms.Blocked && inactive == mapping.InactiveForward:
		return mapping.Partner{Code: code, Status: mapping.House}
	case p.Status == terms.Active:
		partner.Status = mapping.Active
	}
	return partner
}

// formerTokens are the ref tokens of the promoters that it took over.
func (p *DirectoryPromoter) formerTokens() (list []string) {
	for _, was := range p.Absorbed {
		list = append(list, was.Token)
	}
	return list
}

// partnerGrace returns the latest grace date of each promoter, over its codes in dates, and the
// codes that name no promoter, see [Directory.ByCode].
func (d *Directory) partnerGrace(dates map[string]time.Time) (until map[int64]time.Time, unknown []string) {
	until = map[int64]time.Time{}
	for _, code := range slices.Sorted(maps.Keys(dates)) {
		p := d.ByCode(code).Promoter
		if p == nil {
			unknown = append(unknown, code)
		} else if dates[code].After(until[p.ID]) {
			until[p.ID] = dates[code]
		}
	}
	return until, unknown
}

// linkGrace does the same for links, by code: exactly, else in another case if that is
// unambiguous.
func (c *Content) linkGrace(dates map[string]time.Time) (until map[string]time.Time, unknown []string) {
	until = map[string]time.Time{}
	exact, folded := map[string]bool{}, map[string][]string{}
	for _, l := range c.Links {
		exact[l.Code] = true
		lower := strings.ToLower(l.Code)
		folded[lower] = append(folded[lower], l.Code)
	}
	for _, code := range slices.Sorted(maps.Keys(dates)) {
		named := code
		if alike := folded[strings.ToLower(code)]; !exact[code] && len(alike) == 1 {
			named = alike[0]
		}
		if !exact[named] {
			unknown = append(unknown, code)
		} else if dates[code].After(until[named]) {
			until[named] = dates[code]
		}
	}
	return until, unknown
}

// UnknownGrace lists the codes in g that name no promoter or no link, or several.
func (c *Content) UnknownGrace(g Grace) (partners, links []string) {
	_, partners = NewDirectory(c).partnerGrace(g.Partners)
	_, links = c.linkGrace(g.Links)
	return partners, links
}
