package book

import (
	"fmt"
	"strings"
	"time"

	"carryover/mapping"
)

// Grace holds the dates until which single partners' and links' old links are honoured
// beyond the program's cutoff: the first instant not honoured, by code.
type Grace struct {
	Partners map[string]time.Time
	Links    map[string]time.Time
}

// Project makes the published link map from the model: every code and Keap id with the
// promoter it means today. It fails on a model that contradicts itself.
func (c *Content) Project(policy mapping.Policy, paths []mapping.Path, grace Grace) (*mapping.Map, error) {
	m := &mapping.Map{
		Policy:   policy,
		Paths:    paths,
		Links:    make([]mapping.Link, 0, len(c.Links)),
		Partners: make([]mapping.Partner, 0, len(c.Aliases)/2),
		IDs:      make([]mapping.ID, 0, len(c.Aliases)/2),
	}
	byID := make(map[int64]*Promoter, len(c.Promoters))
	for i := range c.Promoters {
		byID[c.Promoters[i].ID] = &c.Promoters[i]
	}
	former := map[int64][]string{} // tokens of those that it took over
	for i := range c.Promoters {
		if p := &c.Promoters[i]; p.MergedInto != 0 {
			if to := live(byID, p.ID); to != nil {
				former[to.ID] = append(former[to.ID], p.Token)
			}
		}
	}
	until := c.promoterGrace(grace.Partners)
	codes := map[string]int64{}                         // who is credited through a code
	anyCode := make(map[int64]string, len(c.Promoters)) // one of those codes
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
			p := live(byID, a.PromoterID)
			if p == nil {
				return nil, fmt.Errorf("the book has no promoter %d, whom the code %q names", a.PromoterID, a.Value)
			}
			partner = p.partner(a.Value, until[p.ID])
			codes[a.Value] = p.ID
			if _, again := anyCode[p.ID]; !again { // the former tokens once are enough
				anyCode[p.ID] = a.Value
				partner.AliasTokens = former[p.ID]
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
		// The code may be ambiguous, or another promoter's by now; the id is not.
		switch p := live(byID, a.PromoterID); {
		case a.State == StateHouse && codes[code] != 0:
			code = idOnly + a.Value
			m.Partners = append(m.Partners, mapping.Partner{Code: code, Status: mapping.House})
		case a.State == "" && p != nil && codes[code] != p.ID:
			if code, ok = anyCode[p.ID]; !ok {
				code = idOnly + a.Value
				anyCode[p.ID] = code
				partner := p.partner(code, until[p.ID])
				partner.AliasTokens = former[p.ID]
				m.Partners = append(m.Partners, partner)
			}
		}
		m.IDs = append(m.IDs, mapping.ID{KeapID: id, Code: code})
	}
	for _, l := range c.Links {
		m.Links = append(m.Links, mapping.Link{Code: l.Code, Destination: l.Destination, Until: byCode(grace.Links, l.Code)})
	}
	return m, nil
}

// idOnly begins the code under which a promoter is published that no code of its own
// names for certain: its Keap id and ref token must resolve all the same. No code of
// Keap's holds a colon.
const idOnly = "id:"

func (p *Promoter) partner(code string, until time.Time) mapping.Partner {
	partner := mapping.Partner{Code: code, Token: p.Token, Until: until}
	if p.Status == StatusActive {
		partner.Status = mapping.Active
	}
	return partner
}

// live follows a promoter to the one that took it over; nil when there is none.
func live(byID map[int64]*Promoter, id int64) *Promoter {
	p := byID[id]
	for n := 0; n <= len(byID); n++ { // a chain is never longer than there are promoters
		if p == nil || p.MergedInto == 0 {
			return p
		}
		p = byID[p.MergedInto]
	}
	return nil
}

// promoterGrace gives every promoter the latest grace date of any of its codes.
func (c *Content) promoterGrace(byPartner map[string]time.Time) map[int64]time.Time {
	until := map[int64]time.Time{}
	if len(byPartner) == 0 {
		return until
	}
	for _, a := range c.Aliases {
		if a.Kind != AliasCode || a.State != "" {
			continue
		}
		if t := byCode(byPartner, a.Value); t.After(until[a.PromoterID]) {
			until[a.PromoterID] = t
		}
	}
	return until
}

// byCode finds a grace date by the exact code, else by its lower case.
func byCode(dates map[string]time.Time, code string) time.Time {
	if t, ok := dates[code]; ok {
		return t
	}
	return dates[strings.ToLower(code)]
}
