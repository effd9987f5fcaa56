package firstpromoter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"carryover/mapping/terms"
)

// Commission is what a promoter earned there, or lost again: a refund is below 0.
type Commission struct {
	ID         int64  // 0: read from a file
	EventID    string // the billing system's; empty: it has none
	Amount     int64  // minor units of the account's currency
	SaleAmount int64
	Currency   string // of the sale as it was told; empty: the account's
	CreatedAt  time.Time
	Status     string // one of the Status constants
	Tier       int64  // 1: direct
	IsPaid     bool
	PromoterID int64
	Email      string // the promoter's, lower case
	Token      string // the promoter's ref token, where it is told
	Line       int    // of the file; 0: read over the API
}

// Values of [Commission.Status].
const (
	StatusPending  = "pending"
	StatusApproved = "approved"
	StatusDenied   = "denied" // earns nothing
)

// unitCash is the unit of money; others, such as points, are no part of a ledger.
const unitCash = "cash"

// Promoter is who earns there.
type Promoter struct {
	ID     int64
	Email  string   // lower case
	CustID string   // our own name for it, if it was given one
	Tokens []string // ref tokens, one a campaign
}

// commissionRow is a commission as the API writes it.
type commissionRow struct {
	ID         int64  `json:"id"`
	Status     string `json:"status"`
	EventID    text   `json:"event_id"`
	Amount     cents  `json:"amount"`
	SaleAmount cents  `json:"sale_amount"`
	Currency   string `json:"original_sale_currency"`
	Unit       string `json:"unit"`
	Tier       int64  `json:"tier"`
	IsPaid     bool   `json:"is_paid"`
	CreatedAt  string `json:"created_at"`
	Membership *struct {
		PromoterID int64  `json:"promoter_id"`
		RefToken   string `json:"ref_token"`
		Promoter   *struct {
			ID    int64  `json:"id"`
			Email string `json:"email"`
		} `json:"promoter"`
	} `json:"promoter_campaign"`
}

// promoterRow is a promoter as the API writes it.
type promoterRow struct {
	ID          int64  `json:"id"`
	Email       string `json:"email"`
	CustID      text   `json:"cust_id"`
	Memberships []struct {
		RefToken string `json:"ref_token"`
	} `json:"promoter_campaigns"`
}

// Commissions gives fn what was earned in money in from <= created_at < to, oldest first as
// far as FirstPromoter keeps to that.
func (c *Client) Commissions(ctx context.Context, from, to time.Time, fn func(Commission) error) error {
	// Whether their bounds are days or instants, and in which zone, is not told: a wider
	// range is asked for, and each row looked at.
	const margin = 48 * time.Hour
	query := url.Values{
		"filters[created_at][from]": {from.Add(-margin).UTC().Format(time.RFC3339)},
		"filters[created_at][to]":   {to.Add(margin).UTC().Format(time.RFC3339)},
		"sorting[created_at]":       {"asc"},
	}
	return list(ctx, c, "commissions", query, func(r *commissionRow) int64 { return r.ID }, func(r *commissionRow) error {
		at, err := time.Parse(time.RFC3339, r.CreatedAt)
		switch {
		case r.Unit != unitCash && r.Unit != "":
			return nil
		case err != nil:
			return errors.New("FirstPromoter's commission " + strconv.FormatInt(r.ID, 10) + " says no time of creation that can be read")
		case at.Before(from) || !at.Before(to):
			return nil
		}
		k := Commission{
			ID: r.ID, EventID: string(r.EventID), Amount: int64(r.Amount), SaleAmount: int64(r.SaleAmount), Currency: strings.ToUpper(r.Currency),
			CreatedAt: at.UTC(), Status: r.Status, Tier: r.Tier, IsPaid: r.IsPaid,
		}
		if m := r.Membership; m != nil {
			k.PromoterID, k.Token = m.PromoterID, m.RefToken
			if p := m.Promoter; p != nil {
				k.PromoterID, k.Email = p.ID, address(p.Email)
			}
		}
		return fn(k)
	})
}

// Promoters gives fn everybody who takes part, or did.
func (c *Client) Promoters(ctx context.Context, fn func(Promoter) error) error {
	return list(ctx, c, "promoters", url.Values{}, func(r *promoterRow) int64 { return r.ID }, func(r *promoterRow) error {
		p := Promoter{ID: r.ID, Email: address(r.Email), CustID: string(r.CustID)}
		for _, m := range r.Memberships {
			if m.RefToken != "" {
				p.Tokens = append(p.Tokens, m.RefToken)
			}
		}
		return fn(p)
	})
}

// address is an e-mail address as both books compare it. What FirstPromoter appends to one
// that was moved is not part of it.
func address(email string) string {
	return terms.LowerEmail(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(email), "(moved)")))
}

// cents is an amount of minor units, written as a number or in quotes.
type cents int64

func (c *cents) UnmarshalJSON(raw []byte) error {
	raw = bytes.Trim(raw, `"`)
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		*c = cents(n)
		return nil
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return errors.New("an amount is no whole number of cents")
	}
	*c = cents(f)
	return nil
}

// text is a text that some write as a number.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(t))
	}
	if string(raw) != "null" {
		*t = text(raw)
	}
	return nil
}
