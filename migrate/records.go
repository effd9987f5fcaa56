package migrate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// recordsInput is what rows of customers and money are read with. Nobody changes it.
type recordsInput struct {
	settings *Settings
	partners *partnerIndex
	contacts *knownContacts
}

// customerRows are the rows that say whose the customers are, as they were read.
type customerRows struct {
	referrals     rowList[book.ReferralRow]
	orders        rowList[book.Sale]
	subscriptions rowList[book.Subscription]
}

// ledgerRows are the rows of money, as they were read.
type ledgerRows struct {
	commissions []book.Commission // with the clawbacks, in the order of their kinds, then as read
	payments    rowList[payment]
	ledger      []ledgerRow
	rejected    []suspectRow // rejected, of all of these
}

// suspectRow is a row of money that could not be loaded: it may be what a ledger and its
// rows do not agree on.
type suspectRow struct {
	kind    string
	partner int64
	at      position
	reason  string
}

// dropSuspects leaves out rejected rows that do not count as such.
func (l *ledgerRows) dropSuspects(settled []position) {
	if len(settled) == 0 {
		return
	}
	drop := make(map[position]bool, len(settled))
	for _, at := range settled {
		drop[at] = true
	}
	l.rejected = slices.DeleteFunc(l.rejected, func(r suspectRow) bool { return drop[r.at] })
}

// maxRejected bounds how many of them are remembered of each lane.
const maxRejected = 10_000

// readRecords reads the exports that need to know first who the promoters are.
func readRecords(ctx context.Context, x *exports, in recordsInput, conflicts *conflictList) (customerRows, ledgerRows, error) {
	commissions, others := newRecordReader(in), newRecordReader(in)
	if err := x.read(ctx, "reading customers and money",
		lane{[]string{keap.Commissions}, commissions.load},
		lane{[]string{keap.Referrals, keap.Orders, keap.Subscriptions, keap.Clawbacks, keap.Payments, keap.Ledger}, others.load}); err != nil {
		return customerRows{}, ledgerRows{}, err
	}
	for _, t := range slices.Sorted(maps.Keys(others.unknownTypes)) {
		conflicts.inform(KindReferralType, clip(t), "%s the type %q, which Keap does not have: read as COOKIE, the weakest",
			quantity(others.unknownTypes[t], "referral has", "referrals have"), clip(t))
	}
	money := others.money
	money.commissions = append(commissions.money.commissions, money.commissions...) // there is room for them
	money.rejected = append(commissions.money.rejected, money.rejected...)
	return others.customers, money, nil
}

// recordReader reads the files of one lane.
type recordReader struct {
	recordsInput
	texts        interner
	customers    customerRows
	money        ledgerRows
	unknownTypes map[string]int // referral types that Keap does not have
}

func newRecordReader(in recordsInput) *recordReader {
	return &recordReader{recordsInput: in, texts: interner{}, unknownTypes: map[string]int{}}
}

func (r *recordReader) load(f *exportFile) (sheet.Count, error) {
	currency := r.settings.Currency
	f.KnowNames("partner_code", func(code string) bool {
		_, known := r.partners.byCode[code]
		return known && code != ""
	})
	switch f.Kind {
	case keap.Referrals:
		r.customers.referrals.grow(f.Rows)
		return keap.ReadReferrals(f.File, func(line int, row *keap.Referral) error {
			return cmp.Or(f.count(), r.referral(row, f.at(line)))
		}, f.onReject)
	case keap.Orders:
		r.customers.orders.grow(f.Rows)
		return keap.ReadOrders(f.File, currency, func(line int, row *keap.Order) error {
			return cmp.Or(f.count(), r.order(row, f.at(line)))
		}, f.onReject)
	case keap.Subscriptions:
		return keap.ReadSubscriptions(f.File, currency, func(line int, row *keap.Subscription) error {
			return cmp.Or(f.count(), r.subscription(row, f.at(line)))
		}, f.onReject)
	case keap.Commissions:
		r.money.commissions = slices.Grow(r.money.commissions, f.Rows+f.Rows/16) // clawbacks come to them
		return keap.ReadCommissions(f.File, currency, func(line int, row *keap.Commission) error {
			return cmp.Or(f.count(), r.commission(book.KindCommission, row, f.at(line)))
		}, r.rememberRejects(f))
	case keap.Clawbacks:
		return keap.ReadClawbacks(f.File, currency, func(line int, row *keap.Commission) error {
			return cmp.Or(f.count(), r.commission(book.KindClawback, row, f.at(line)))
		}, r.rememberRejects(f))
	case keap.Payments:
		return keap.ReadPayments(f.File, currency, func(line int, row *keap.Payment) error {
			return cmp.Or(f.count(), r.payment(row, f.at(line)))
		}, r.rememberRejects(f))
	default:
		return keap.ReadLedger(f.File, currency, func(line int, row *keap.LedgerRow) error {
			return cmp.Or(f.count(), r.ledgerRow(row, f.at(line)))
		}, r.rememberRejects(f))
	}
}

// rememberRejects remembers which partners the rejected rows of a file name.
func (r *recordReader) rememberRejects(f *exportFile) func(*sheet.Reject) error {
	return func(x *sheet.Reject) error {
		if len(r.money.rejected) < maxRejected {
			if partner, err := r.partnerIn(f.File, x.Cells); err == nil {
				r.money.rejected = append(r.money.rejected, suspectRow{f.Kind, partner, f.at(x.Line), x.Reason})
			}
		}
		return f.onReject(x)
	}
}

// partnerIn is the partner that the cells of a rejected row name.
func (r *recordReader) partnerIn(f *sheet.File, cells []string) (int64, error) {
	cell := func(field string) string {
		header, found := f.Column(field)
		if i := slices.Index(f.Header, header); found && i < len(cells) {
			return sheet.Clean(cells[i])
		}
		return ""
	}
	var id sheet.ID
	if err := id.UnmarshalCSV(cell("partner_id")); err != nil {
		return 0, err
	}
	return r.partners.find(id, cell("partner_code"))
}

func (r *recordReader) referral(row *keap.Referral, at position) error {
	partner, err := r.partners.find(row.PartnerID, row.PartnerCode)
	if err != nil {
		return err
	}
	if !r.contacts.has(row.ContactID.Number) {
		return &sheet.Reject{
			Reason: sheet.UnknownContact, Field: "contact_id",
			Hint: "no contact of these exports or of the book has this id: add the contact list that holds it",
		}
	}
	to := book.ReferralRow{
		ID: row.ID.Number, ContactID: row.ContactID.Number, PartnerID: partner, SetAt: row.SetAt.Time.Unix(),
		Type: r.texts.intern(row.Type), Source: r.texts.intern(row.Source), Note: r.texts.intern(row.Note),
	}
	if row.ExpiresAt.Valid {
		to.ExpiresOn = r.texts.intern(row.ExpiresAt.Time.In(r.settings.Zone).Format(time.DateOnly))
	}
	if to.Type != "PERMANENT" && to.Type != "MANUAL" && to.Type != "COOKIE" {
		r.unknownTypes[to.Type]++
		to.Type = "COOKIE"
	}
	if !row.ID.Valid {
		to.ID = derivedID(to.ContactID, to.PartnerID, to.SetAt, to.ExpiresOn, to.Type, to.Source, to.Note)
	}
	r.customers.referrals.add(to, at)
	return nil
}

func (r *recordReader) order(row *keap.Order, at position) error {
	r.customers.orders.add(book.Sale{
		ID: row.ID.Number, ContactID: row.ContactID.Number, OrderedAt: row.OrderedAt.Time.Unix(),
		Total: row.Total.Minor, Currency: r.texts.intern(row.Total.Currency), Products: r.texts.intern(row.Products),
		SellerID: r.partners.credited(row.SalePartnerID, row.SalePartnerCode),
		LeadID:   r.partners.credited(row.LeadPartnerID, row.LeadPartnerCode), Type: r.texts.intern(row.Type),
	}, at)
	return nil
}

func (r *recordReader) subscription(row *keap.Subscription, at position) error {
	s := book.Subscription{
		ID: row.ID.Number, ContactID: row.ContactID.Number, Product: r.texts.intern(row.Product), PlanID: r.texts.intern(row.PlanID),
		Amount: row.Amount.Minor, Currency: r.texts.intern(row.Amount.Currency),
		SellerID: r.partners.credited(row.SalePartnerID, row.SalePartnerCode),
		LeadID:   r.partners.credited(row.LeadPartnerID, row.LeadPartnerCode),
		Active:   row.Status == sheet.Active || !row.HasStatus, StartedAt: unix(row.StartedAt), EndedAt: unix(row.EndedAt),
	}
	if !row.ID.Valid {
		s.ID = derivedID(s.ContactID, s.Product, s.PlanID, s.Amount, s.Currency, s.SellerID, s.LeadID, s.StartedAt)
	}
	r.customers.subscriptions.add(s, at)
	return nil
}

// commission loads a row of the commissions, or with kind book.KindClawback of the
// clawbacks.
func (r *recordReader) commission(kind string, row *keap.Commission, at position) error {
	partner, err := r.partners.find(row.PartnerID, row.PartnerCode)
	if err != nil {
		return err
	}
	e := book.Commission{
		Kind: kind, PartnerID: partner, SellerID: row.SellerID.Number, ContactID: row.ContactID.Number,
		Invoice: strings.Clone(row.Invoice), EarnedAt: row.EarnedAt.Time.Unix(), Month: monthOf(row.EarnedAt.Time.Unix(), r.settings.Zone),
		Amount: row.Amount.Minor, Currency: r.texts.intern(row.Amount.Currency),
		Product: r.texts.intern(row.Product), Description: r.texts.intern(row.Description), Origin: at.where(),
	}
	if kind == book.KindClawback {
		e.Amount = -e.Amount
	}
	e.ID = commissionID(&e)
	r.money.commissions = append(r.money.commissions, e)
	return nil
}

func (r *recordReader) payment(row *keap.Payment, at position) error {
	partner, err := r.partners.find(row.PartnerID, row.PartnerCode)
	if err != nil {
		return err
	}
	p := payment{
		id: row.ID.Number, partner: partner, paidAt: row.PaidAt.Time.Unix(), amount: row.Amount.Minor,
		currency: r.texts.intern(row.Amount.Currency), kind: r.texts.intern(row.Type), note: r.texts.intern(row.Note),
	}
	if !row.ID.Valid || row.ID.Number == 0 {
		p.id = derivedID(p.partner, p.paidAt, p.amount, p.currency, p.kind, p.note)
	}
	r.money.payments.add(p, at)
	return nil
}

func (r *recordReader) ledgerRow(row *keap.LedgerRow, at position) error {
	partner, err := r.partners.find(row.PartnerID, row.PartnerCode)
	if err != nil {
		return err
	}
	to := ledgerRow{account: account{partner, r.texts.intern(row.Closing.Currency)}, closing: row.Closing.Minor, at: at}
	for _, c := range []struct {
		to   **int64
		cell *keap.LedgerAmount
	}{{&to.opening, &row.Opening}, {&to.commissions, &row.Commissions}, {&to.clawbacks, &row.Clawbacks}, {&to.payments, &row.Payments}} {
		if c.cell.Given {
			amount := c.cell.Minor
			*c.to = &amount
		}
	}
	r.money.ledger = append(r.money.ledger, to)
	return nil
}

// interner shares texts of which many rows hold the same.
type interner map[string]string

// maxInterned bounds how many are remembered: a column that never repeats must not be.
const maxInterned = 1 << 16

// intern is s without the row that it was cut from, shared with equal ones.
func (w interner) intern(s string) string {
	if s == "" {
		return ""
	}
	if t, ok := w[s]; ok {
		return t
	}
	s = strings.Clone(s)
	if len(w) < maxInterned {
		w[s] = s
	}
	return s
}

// derivedID is an id below 0 for a row that has none: equal rows have the same.
func derivedID(parts ...any) int64 {
	sum := sha256.Sum256(fmt.Appendln(nil, parts...))
	return -int64(binary.BigEndian.Uint64(sum[:])>>1) - 1
}
