package migrate

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/sheet"
)

// maxSheet is how many rows links.csv may have before it holds one pattern a code:
// nobody stores the product of links and partners, "carryover links" streams it.
const maxSheet = 200_000

// linksRow is one row of links.csv.
type linksRow struct {
	OldLink string `csv:"old_link"`
	NewLink string `csv:"new_link"`
	Token   string `csv:"ref_token"`
	Email   string `csv:"email"`
	Status  string `csv:"status"`
}

// writeLinks writes the old-to-new sheet.
func (p *Plan) writeLinks(w io.Writer) error {
	out := sheet.NewEncoder[linksRow](sheet.NewWriter(w))
	links := p.After.Links
	if len(links)*p.Totals.Codes > maxSheet {
		links = []book.Link{{Code: "LINK-CODE"}}
	}
	err := SheetLinks(&p.Map.Policy, &p.After, links, p.Map.Paths, "", func(l SheetLink) error {
		return out.Encode(linksRow{l.OldLink, l.NewLink, l.Token, l.Email, l.Status})
	})
	return errors.Join(err, out.Flush())
}

// ownersRow is one row of owners.csv.
type ownersRow struct {
	Customer     string `csv:"customer"`
	PartnerID    string `csv:"keap_partner"` // blank for nobody
	PartnerCode  string `csv:"keap_partner_code"`
	Promoter     string `csv:"promoter"`
	Why          string `csv:"why"`
	ContactID    int64  `csv:"keap_contact_id"`
	ReferralID   string `csv:"keap_referral_id"` // blank where the file gave none
	ReferredAt   string `csv:"referred_at"`
	LiveRefToken string `csv:"live_ref_token"`
}

// writeOwners writes every customer, whose it was in Keap, and whose it is now: who was
// bound by the live program is whose the last column says.
func (p *Plan) writeOwners(w io.Writer, d *book.Directory) error {
	out := sheet.NewEncoder[ownersRow](sheet.NewWriter(w))
	for i := range p.Owners {
		r := &p.Owners[i]
		row := ownersRow{Customer: r.Customer, Why: r.Rule, ContactID: r.ContactID, LiveRefToken: p.LiveOwners[r.Email]}
		if r.PartnerID != 0 {
			row.PartnerID = strconv.FormatInt(r.PartnerID, 10)
		}
		if partner := d.Partner(r.PartnerID); partner != nil {
			row.PartnerCode, row.Promoter = partner.Code, partner.Owner.Token()
		}
		if r.ReferralID != 0 {
			row.ReferralID = strconv.FormatInt(r.ReferralID, 10)
		}
		if r.ReferredAt != 0 {
			row.ReferredAt = time.Unix(r.ReferredAt, 0).UTC().Format(time.RFC3339)
		}
		if err := out.Encode(row); err != nil {
			return err
		}
	}
	return out.Flush()
}

// findingsRow is one row of findings.csv.
type findingsRow struct {
	Kind        string `csv:"kind"`
	Day         string `csv:"day"`
	ContactID   int64  `csv:"keap_contact_id"`
	PartnerID   int64  `csv:"keap_partner_id"`
	RefToken    string `csv:"ref_token"`
	Orders      string `csv:"orders"`
	Invoices    string `csv:"invoices"`
	Products    string `csv:"products"`
	Total       string `csv:"total"`
	Expected    string `csv:"expected"`
	Found       string `csv:"found"`
	Currency    string `csv:"currency"`
	Explanation string `csv:"explanation"`
}

// writeFindings writes the orders and commissions that do not agree with the terms.
func (p *Plan) writeFindings(w io.Writer, d *book.Directory) error {
	out := sheet.NewEncoder[findingsRow](sheet.NewWriter(w))
	for i := range p.Findings {
		f := &p.Findings[i]
		amount := func(n int64) string { return terms.FormatMinor(n, f.Currency) }
		if err := out.Encode(findingsRow{
			Kind: f.Kind, Day: f.Day, ContactID: f.ContactID, PartnerID: f.PartnerID, RefToken: d.ByPartner(f.PartnerID).Token(),
			Orders: f.Orders, Invoices: f.Invoices, Products: f.Products,
			Total: amount(f.Total), Expected: amount(f.Expected), Found: amount(f.Found), Currency: f.Currency, Explanation: f.Explanation,
		}); err != nil {
			return err
		}
	}
	return out.Flush()
}

// SheetLink is one row of the old-to-new sheet.
type SheetLink struct {
	OldLink string `json:"old_link" csv:"old_link"`
	NewLink string `json:"new_link" csv:"new_link"`
	Link    string `json:"link" csv:"link"`
	Code    string `json:"code" csv:"code"`
	Token   string `json:"ref_token" csv:"ref_token"`
	Email   string `json:"email" csv:"email"`
	Status  string `json:"status" csv:"status"`
}

// SheetLinks streams every old link of every promoter with the new one that takes its
// place: one row a link and code, in the order of tokens, codes and links, then the program's own
// paths that credit the code. token narrows it to one promoter.
func SheetLinks(policy interface {
	OldLink(link, code string) string
	NewLink(token, link string) string
	OwnLink(path string) string
}, c *book.Content, links []book.Link, paths []mapping.Path, token string, fn func(SheetLink) error) error {
	type owner struct {
		p     *book.Promoter
		codes []string
	}
	byID := make(map[int64]*owner, len(c.Promoters))
	owners := make([]*owner, 0, len(c.Promoters))
	for i := range c.Promoters {
		if p := &c.Promoters[i]; p.MergedInto == 0 && (token == "" || p.Token == token) {
			o := &owner{p: p}
			byID[p.ID] = o
			owners = append(owners, o)
		}
	}
	for _, a := range c.Aliases {
		if o := byID[a.PromoterID]; o != nil && a.Kind == book.AliasCode && a.State == "" {
			o.codes = append(o.codes, a.Value)
		}
	}
	slices.SortFunc(owners, func(a, b *owner) int { return strings.Compare(a.p.Token, b.p.Token) })
	for _, o := range owners {
		for _, code := range o.codes {
			for _, l := range links {
				link := SheetLink{policy.OldLink(l.Code, code), policy.NewLink(o.p.Token, l.Code), l.Code, code, o.p.Token, o.p.Email, o.p.Status}
				if err := fn(link); err != nil {
					return err
				}
			}
			for _, p := range paths {
				if p.Code != code {
					continue
				}
				if err := fn(SheetLink{policy.OwnLink(p.Path), policy.NewLink(o.p.Token, p.Link), p.Link, code, o.p.Token, o.p.Email, o.p.Status}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
