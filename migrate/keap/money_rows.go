package keap

import (
	"errors"
	"strings"

	"carryover/mapping/terms"
	"carryover/migrate/sheet"
)

// Referral is one row of the referrals: a contact came by a partner.
type Referral struct {
	ID          sheet.ID   `csv:"id"`         // blank when the file gives none
	ContactID   sheet.ID   `csv:"contact_id"` // never blank
	PartnerID   sheet.ID   `csv:"partner_id"` // it or the code is there
	PartnerCode string     `csv:"partner_code"`
	SetAt       sheet.Date `csv:"set_at"`     // always valid
	ExpiresAt   sheet.Date `csv:"expires_at"` // not valid: never
	Type        string     `csv:"type"`       // COOKIE, MANUAL, PERMANENT, or another word in upper case
	Source      string     `csv:"source"`     // usually a link code
	Note        string     `csv:"note"`
}

// Order is one row of the orders.
type Order struct {
	ID              sheet.ID    `csv:"id"`                // never blank
	ContactID       sheet.ID    `csv:"contact_id"`        // never blank
	OrderedAt       sheet.Date  `csv:"ordered_at"`        // always valid
	TotalText       string      `csv:"total"`             // the cell that Total was read from
	Total           sheet.Money `csv:"-"`                 //
	SalePartnerID   sheet.ID    `csv:"sale_partner_id"`   // who made the sale; 0 for nobody
	SalePartnerCode string      `csv:"sale_partner_code"` // the same, where the id is blank; may be a name
	LeadPartnerID   sheet.ID    `csv:"lead_partner_id"`   // who brought the lead; 0 for nobody
	LeadPartnerCode string      `csv:"lead_partner_code"` // the same, where the id is blank; may be a name
	Products        string      `csv:"products"`          // names; several with ";" between
	Type            string      `csv:"type"`
}

// Subscription is one row of the subscriptions.
type Subscription struct {
	StartedAt       sheet.Date   `csv:"started_at"`
	EndedAt         sheet.Date   `csv:"ended_at"`          // not valid: it has no end yet
	ID              sheet.ID     `csv:"id"`                // blank when the file gives none
	ContactID       sheet.ID     `csv:"contact_id"`        // never blank
	SalePartnerID   sheet.ID     `csv:"sale_partner_id"`   // who made the sale; 0 for nobody
	SalePartnerCode string       `csv:"sale_partner_code"` // the same, where the id is blank; may be a name
	LeadPartnerID   sheet.ID     `csv:"lead_partner_id"`   // who brought the lead; 0 for nobody
	LeadPartnerCode string       `csv:"lead_partner_code"` // the same, where the id is blank; may be a name
	PlanID          string       `csv:"plan_id"`
	Product         string       `csv:"product"`
	AmountText      string       `csv:"amount"` // the cell that Amount was read from
	Amount          sheet.Money  `csv:"-"`      // of each bill
	Status          sheet.Status `csv:"status"`
	HasStatus       bool         `csv:"-"` // the file has a status column; else Status says nothing
}

// Commission is one row of the commissions or of the clawbacks. Neither has an id in Keap.
type Commission struct {
	PartnerID   sheet.ID    `csv:"partner_id"` // of the earner; it or the code is there
	PartnerCode string      `csv:"partner_code"`
	EarnedAt    sheet.Date  `csv:"earned_at"`  // always valid
	AmountText  string      `csv:"amount"`     // the cell that Amount was read from
	Amount      sheet.Money `csv:"-"`          // of a clawback: what it takes away, never below 0
	Invoice     string      `csv:"invoice_id"` // digits without leading zeros; may be blank
	ContactID   sheet.ID    `csv:"contact_id"` // the customer
	Product     string      `csv:"product"`
	Description string      `csv:"description"`
	SellerID    sheet.ID    `csv:"seller_id"` // who made the sale; another than the earner on the second level
}

// Payment is one row of the payments to partners.
type Payment struct {
	ID          sheet.ID    `csv:"id"`         // blank when the file gives none
	PartnerID   sheet.ID    `csv:"partner_id"` // it or the code is there
	PartnerCode string      `csv:"partner_code"`
	PaidAt      sheet.Date  `csv:"paid_at"` // always valid
	AmountText  string      `csv:"amount"`  // the cell that Amount was read from
	Amount      sheet.Money `csv:"-"`       // below 0: money that came back
	Type        string      `csv:"type"`
	Note        string      `csv:"note"`
}

// LedgerRow is one row of the ledger: a partner's balance and what it is made of. All
// amounts are in one currency.
type LedgerRow struct {
	PartnerID   sheet.ID     `csv:"partner_id"` // it or the code is there
	PartnerCode string       `csv:"partner_code"`
	Opening     LedgerAmount `csv:"opening"`
	Commissions LedgerAmount `csv:"commissions"`
	Clawbacks   LedgerAmount `csv:"clawbacks"` // what they take away, never below 0
	Payments    LedgerAmount `csv:"payments"`
	Closing     LedgerAmount `csv:"closing"`
}

// LedgerAmount is one cell of a ledger; a blank one is 0.
type LedgerAmount struct {
	sheet.Money
	Given bool // the file has the column
	text  string
}

// UnmarshalCSV keeps the text, which only the program's currency makes an amount. It never
// fails.
func (a *LedgerAmount) UnmarshalCSV(text string) error {
	*a = LedgerAmount{Given: true, text: text}
	return nil
}

// ReadReferrals reads a file of kind [Referrals]; see [sheet.Rows] for fn and onReject.
func ReadReferrals(f *sheet.File, fn func(line int, r *Referral) error, onReject func(*sheet.Reject) error) (sheet.Count, error) {
	partner := partnerField(f)
	return sheet.Rows(f, func(line int, r *Referral) error {
		switch {
		case !r.ContactID.Valid:
			return sheet.MissingField("contact_id")
		case !r.PartnerID.Valid && r.PartnerCode == "":
			return sheet.MissingField(partner)
		case !r.SetAt.Valid:
			return missingDate("set_at")
		}
		r.Type = referralType(r.Type)
		return fn(line, r)
	}, onReject)
}

// ReadOrders reads a file of kind [Orders] whose amounts are in currency unless they say
// otherwise; see [sheet.Rows] for fn and onReject.
func ReadOrders(f *sheet.File, currency string, fn func(line int, o *Order) error,
	onReject func(*sheet.Reject) error) (sheet.Count, error) {
	format := f.NumberFormat("total")
	return sheet.Rows(f, func(line int, o *Order) (err error) {
		switch {
		case !o.ID.Valid:
			return sheet.MissingField("id")
		case !o.ContactID.Valid:
			return sheet.MissingField("contact_id")
		case !o.OrderedAt.Valid:
			return missingDate("ordered_at")
		}
		if o.Total, err = readAmount(o.TotalText, format, currency, "total"); err != nil {
			return err
		}
		return fn(line, o)
	}, onReject)
}

// ReadSubscriptions reads a file of kind [Subscriptions] whose amounts are in currency
// unless they say otherwise; see [sheet.Rows] for fn and onReject.
func ReadSubscriptions(f *sheet.File, currency string, fn func(line int, s *Subscription) error,
	onReject func(*sheet.Reject) error) (sheet.Count, error) {
	_, hasStatus := f.Column("status")
	format := f.NumberFormat("amount")
	return sheet.Rows(f, func(line int, s *Subscription) (err error) {
		if !s.ContactID.Valid {
			return sheet.MissingField("contact_id")
		}
		if s.Amount, err = readAmount(s.AmountText, format, currency, "amount"); err != nil {
			return err
		}
		s.HasStatus = hasStatus
		return fn(line, s)
	}, onReject)
}

// ReadCommissions reads a file of kind [Commissions] whose amounts are in currency unless
// they say otherwise; see [sheet.Rows] for fn and onReject.
func ReadCommissions(f *sheet.File, currency string, fn func(line int, c *Commission) error,
	onReject func(*sheet.Reject) error) (sheet.Count, error) {
	partner, format := partnerField(f), f.NumberFormat("amount")
	return sheet.Rows(f, func(line int, c *Commission) error {
		if err := c.parse(format, currency, partner); err != nil {
			return err
		}
		return fn(line, c)
	}, onReject)
}

// ReadClawbacks reads a file of kind [Clawbacks] whose amounts are in currency unless they
// say otherwise; see [sheet.Rows] for fn and onReject. The sign of an amount says nothing.
func ReadClawbacks(f *sheet.File, currency string, fn func(line int, c *Commission) error,
	onReject func(*sheet.Reject) error) (sheet.Count, error) {
	partner, format := partnerField(f), f.NumberFormat("amount")
	return sheet.Rows(f, func(line int, c *Commission) error {
		if err := c.parse(format, currency, partner); err != nil {
			return err
		}
		c.Amount.Minor = max(c.Amount.Minor, -c.Amount.Minor)
		return fn(line, c)
	}, onReject)
}

func (c *Commission) parse(format sheet.NumberFormat, currency, partner string) (err error) {
	switch {
	case !c.PartnerID.Valid && c.PartnerCode == "":
		return sheet.MissingField(partner)
	case !c.EarnedAt.Valid:
		return missingDate("earned_at")
	}
	if c.Amount, err = readAmount(c.AmountText, format, currency, "amount"); err != nil {
		return err
	}
	var id sheet.ID
	if err := id.UnmarshalCSV(c.Invoice); err != nil {
		return rejectFor(err, "invoice_id")
	}
	for len(c.Invoice) > 1 && c.Invoice[0] == '0' {
		c.Invoice = c.Invoice[1:]
	}
	return nil
}

// ReadPayments reads a file of kind [Payments] whose amounts are in currency unless they
// say otherwise; see [sheet.Rows] for fn and onReject.
func ReadPayments(f *sheet.File, currency string, fn func(line int, p *Payment) error,
	onReject func(*sheet.Reject) error) (sheet.Count, error) {
	partner, format := partnerField(f), f.NumberFormat("amount")
	return sheet.Rows(f, func(line int, p *Payment) (err error) {
		switch {
		case !p.PartnerID.Valid && p.PartnerCode == "":
			return sheet.MissingField(partner)
		case !p.PaidAt.Valid:
			return missingDate("paid_at")
		}
		if p.Amount, err = readAmount(p.AmountText, format, currency, "amount"); err != nil {
			return err
		}
		return fn(line, p)
	}, onReject)
}

// ReadLedger reads a file of kind [Ledger] whose amounts are in currency unless they say
// otherwise; see [sheet.Rows] for fn and onReject. A row with amounts in several
// currencies is rejected.
func ReadLedger(f *sheet.File, currency string, fn func(line int, r *LedgerRow) error,
	onReject func(*sheet.Reject) error) (sheet.Count, error) {
	partner := partnerField(f)
	var formats ledgerFormats
	for i, field := range ledgerFields {
		formats[i] = f.NumberFormat(field)
	}
	return sheet.Rows(f, func(line int, r *LedgerRow) error {
		if !r.PartnerID.Valid && r.PartnerCode == "" {
			return sheet.MissingField(partner)
		}
		if err := r.parse(&formats, currency); err != nil {
			return err
		}
		return fn(line, r)
	}, onReject)
}

// ledgerFields are the amounts of a ledger row, in the order of [LedgerRow].
var ledgerFields = [...]string{"opening", "commissions", "clawbacks", "payments", "closing"}

// ledgerFormats are how they are written.
type ledgerFormats [len(ledgerFields)]sheet.NumberFormat

// parse makes amounts of the texts of a row.
func (r *LedgerRow) parse(formats *ledgerFormats, own string) error {
	cells := [...]*LedgerAmount{&r.Opening, &r.Commissions, &r.Clawbacks, &r.Payments, &r.Closing}
	currency := ""
	for i, cell := range cells {
		if cell.text == "" {
			continue
		}
		var err error
		if cell.Money, err = readAmount(cell.text, formats[i], own, ledgerFields[i]); err != nil {
			return err
		}
		if cell.Minor == 0 && cell.Currency == own { // nothing is nothing in any currency
			continue
		}
		if currency != "" && currency != cell.Currency {
			return &sheet.Reject{Reason: sheet.BadMoney, Field: ledgerFields[i],
				Hint: "it is in " + cell.Currency + " and an amount before it in " + currency + "; a row of the ledger is in one currency"}
		}
		currency = cell.Currency
	}
	if currency == "" {
		currency = own
	}
	for _, cell := range cells {
		cell.Currency = currency
	}
	r.Clawbacks.Minor = max(r.Clawbacks.Minor, -r.Clawbacks.Minor)
	return nil
}

// partnerField is the field that a row without a partner lacks: the one that the file has.
func partnerField(f *sheet.File) string {
	if _, found := f.Column("partner_id"); found {
		return "partner_id"
	}
	return "partner_code"
}

// referralType is a referral's type as Keap's newest interface writes it.
func referralType(text string) string {
	for _, known := range [...]string{"COOKIE", "MANUAL", "PERMANENT"} {
		if strings.EqualFold(text, known) {
			return known
		}
	}
	if text == "" || strings.Trim(text, "0") == "" {
		return "COOKIE"
	}
	return strings.ToUpper(text)
}

// maxAmount is the most that a cell may hold either way, in minor units: far more than any
// payment, and 900,000 of them still sum within an int64.
const maxAmount = 10_000_000_000_000

// readAmount reads the amount of a field that must not be blank.
func readAmount(text string, format sheet.NumberFormat, currency, field string) (sheet.Money, error) {
	if text == "" {
		return sheet.Money{}, sheet.MissingField(field)
	}
	m, err := format.ParseAmount(text, currency)
	if err != nil {
		return m, rejectFor(err, field)
	}
	if m.Minor > maxAmount || m.Minor < -maxAmount {
		return m, &sheet.Reject{Reason: sheet.BadMoney, Field: field,
			Hint: "it is more than " + terms.FormatMinor(maxAmount, m.Currency) +
				": the column is probably not an amount; name the right one in [import.headers], or correct the cell"}
	}
	return m, nil
}

// rejectFor is the reject for a field whose cell cannot be read.
func rejectFor(err error, field string) error {
	var cell *sheet.CellError
	if !errors.As(err, &cell) {
		return err
	}
	return &sheet.Reject{Reason: cell.Reason, Field: field, Hint: cell.Hint}
}

func missingDate(field string) *sheet.Reject {
	return &sheet.Reject{Reason: sheet.BadDate, Field: field,
		Hint: "the row needs a date; write it as 2023-03-31 or as the others of its column"}
}
