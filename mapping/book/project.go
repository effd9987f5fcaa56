package book

import (
	"fmt"
	"strconv"
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
	former := map[int64][]string{}
	for i := range c.Promoters {
		p := &c.Promoters[i]
		byID[p.ID] = p
		if p.MergedInto != 0 {
			former[p.MergedInto] = append(former[p.MergedInto], p.Token)
		}
	}
	until := c.promoterGrace(grace.Partners)
	aliased := map[int64]bool{}
	for _, a := range c.Aliases {
		if a.Kind == AliasKeapID {
			id, err := strconv.ParseInt(a.Value, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("the book holds the Keap id %q", a.Value)
			}
			m.IDs = append(m.IDs, mapping.ID{KeapID: id, Code: a.Code})
			continue
		}
		partner := mapping.Partner{Code: a.Value}
		switch a.State {
		case StateHouse:
			partner.Status = mapping.House
		case StateAmbiguous:
			partner.Status = mapping.Ambiguous
		default:
			p := byID[a.PromoterID]
			if p == nil {
				return nil, fmt.Errorf("the book has no promoter %d, whom the code %q names", a.PromoterID, a.Value)
			}
			partner.Token, partner.Until = p.Token, until[p.ID]
			if p.Status == StatusActive {
				partner.Status = mapping.Active
			}
			if !aliased[p.ID] { // once a promoter is enough
				aliased[p.ID] = true
				partner.AliasTokens = former[p.ID]
			}
		}
		m.Partners = append(m.Partners, partner)
	}
	for _, l := range c.Links {
		m.Links = append(m.Links, mapping.Link{Code: l.Code, Destination: l.Destination, Until: byCode(grace.Links, l.Code)})
	}
	return m, nil
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
