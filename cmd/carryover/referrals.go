package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"carryover/mapping/book"
	"carryover/migrate/report"
)

type referralsCmd struct {
	Promoter string `placeholder:"WHO" help:"Only the customers of this promoter: a ref token, a code or a Keap id."`
	All      bool   `help:"Also customers who belong to nobody, and those without an e-mail address."`
}

func (referralsCmd) Help() string {
	return `One line for every customer with an e-mail address who belongs to a promoter: whose it is, since when, and
by which rule that promoter won it. The rule of a customer who belongs to nobody says why: house (the referral that
wins is of the program's own partner), expired (all of them were on the day of the newest run), later (they were
set after it). "carryover explain CUSTOMER" tells the whole story of one. Changes nothing.

Example: carryover referrals --promoter coachdesk`
}

// referralLine is a customer as --json tells it. Times are UTC; empty when there is none.
type referralLine struct {
	Email         string `json:"customer_email"`
	ContactID     int64  `json:"keap_contact_id"`
	RefToken      string `json:"ref_token"`
	ReferredAt    string `json:"referred_at"`
	FirstReferred string `json:"first_referred_at"`
	Source        string `json:"source"`
	Rule          string `json:"rule"`
	ReferralID    int64  `json:"keap_referral_id"` // 0: none, or the export gave none
	PartnerID     int64  `json:"keap_partner_id"`
	Self          bool   `json:"self_referred"`
}

func newReferralLine(r *book.Referral, whose *owners) referralLine {
	return referralLine{
		Email: r.Email, ContactID: r.ContactID, RefToken: whose.token(r.PartnerID),
		ReferredAt: moment(r.ReferredAt, time.UTC), FirstReferred: moment(r.FirstAt, time.UTC),
		Source: r.Source, Rule: r.Rule, ReferralID: max(0, r.ReferralID), PartnerID: r.PartnerID, Self: r.Self,
	}
}

// moment writes Unix seconds as RFC 3339; empty for 0, which is not known.
func moment(at int64, zone *time.Location) string {
	if at == 0 {
		return ""
	}
	return time.Unix(at, 0).In(zone).Format(time.RFC3339)
}

func (c *referralsCmd) Run(a *app) error {
	return a.withBook(func(p *program, b *book.Book) error {
		content, err := b.Content(a.ctx)
		if err != nil {
			return err
		}
		whose := newOwners(content)
		var only payee
		if c.Promoter != "" {
			if only, err = whose.find(c.Promoter); err != nil {
				return err
			}
			a.note(only)
		}
		out := bufio.NewWriterSize(a.out, 1<<18)
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		table := pages{out: out, header: []string{"customer", "contact", "ref token", "referred", "source", "rule", "partner", "referral"}}
		n, more := 0, 0 // customers that are listed, and those that only --all lists
		err = b.Customers(a.ctx, func(r book.Referral) error {
			if c.Promoter != "" && !slices.Contains(only.partners, r.PartnerID) {
				return nil
			}
			l := newReferralLine(&r, whose)
			if !c.All && (l.Email == "" || l.RefToken == "") {
				more++
				return nil
			}
			n++
			if a.JSON {
				return enc.Encode(l)
			}
			email, rule := l.Email, l.Rule
			if email == "" {
				email = "(needs an e-mail)"
			}
			if l.Self {
				rule += ", self"
			}
			return table.add(email, strconv.FormatInt(l.ContactID, 10), whose.name(r.PartnerID), day(r.ReferredAt, p.settings.Zone), l.Source, rule, number(l.PartnerID), number(l.ReferralID))
		})
		if err == nil && !a.JSON {
			if err = table.end(); err == nil && n == 0 {
				_, err = fmt.Fprintln(out, "No customers.")
			}
			switch {
			case more == 1:
				fmt.Fprint(out, "\n1 more has no e-mail address or belongs to nobody: --all\n")
			case more > 1:
				fmt.Fprintf(out, "\n%d more have no e-mail address or belong to nobody: --all\n", more)
			}
		}
		return errors.Join(err, out.Flush())
	})
}

// day writes Unix seconds as a date; empty for 0.
func day(at int64, zone *time.Location) string {
	if at == 0 {
		return ""
	}
	return time.Unix(at, 0).In(zone).Format(time.DateOnly)
}

// number writes an id; empty for 0.
func number(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

// pages is a table of any length: it is written in pages, each with the header and widths
// of its own, so that no more than one is in memory.
type pages struct {
	out    io.Writer
	header []string
	rows   [][]string
}

const pageRows = 1000

func (t *pages) add(row ...string) error {
	t.rows = append(t.rows, row)
	if len(t.rows) < pageRows {
		return nil
	}
	return t.end()
}

// end writes what is left.
func (t *pages) end() error {
	if len(t.rows) == 0 {
		return nil
	}
	rows := t.rows
	t.rows = nil
	return report.Table(t.out, t.header, rows)
}
