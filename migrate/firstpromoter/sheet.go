package firstpromoter

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"carryover/mapping/terms"
	"carryover/migrate/sheet"
)

// How amounts of a file are written.
const (
	AmountsAuto    = "auto"    // cents when every one of them is a whole number without a sign of money
	AmountsCents   = "cents"   // 1234 is 12.34
	AmountsDecimal = "decimal" // 1234 is 1,234.00
)

// sheetKind is a list of commissions as people export it, or write it down: nothing of the
// like is documented, so that headers are matched loosely.
const sheetKind = "FirstPromoter commissions"

func kinds() []sheet.Kind {
	return []sheet.Kind{{
		Name: sheetKind,
		Fields: []sheet.Field{
			{Name: "email", Aliases: []string{"promoteremail", "affiliateemail", "partneremail", "promoter", "affiliate", "partner"}, Fallbacks: []string{"email", "emailaddress"}},
			{Name: "token", Aliases: []string{"reftoken", "refid", "promoterreftoken", "promoterrefid", "affiliaterefid", "defaultrefid", "custref", "referralid", "token"}},
			{Name: "event_id", Aliases: []string{"eventid", "externaleventid", "saleeventid"}},
			{Name: "created_at", Aliases: []string{"createdat", "created", "createdon", "creationdate", "commissiondate", "eventdate", "date"}, Date: true},
			{Name: "month", Aliases: []string{"month", "period", "earnedin"}},
			{Name: "cents", Aliases: []string{"amountcents", "amountincents", "earningscents", "earningsincents", "commissioncents", "commissionamountcents", "cents"}},
			{Name: "amount", Aliases: []string{"amount", "earnings", "earning", "commissionamount", "commission", "promoterearnings", "promoterearningsamount", "rewardamount", "reward"}},
			{Name: "status", Aliases: []string{"status", "commissionstatus", "state"}},
			{Name: "unit", Aliases: []string{"unit", "rewardunit"}},
		},
		OneOf: [][]string{{"email", "token"}, {"cents", "amount"}},
	}}
}

type sheetRow struct {
	Email   string     `csv:"email"`
	Token   string     `csv:"token"`
	EventID string     `csv:"event_id"`
	Created sheet.Date `csv:"created_at"`
	Month   string     `csv:"month"`
	Cents   string     `csv:"cents"`
	Amount  string     `csv:"amount"`
	Status  string     `csv:"status"`
	Unit    string     `csv:"unit"`
	line    int
}

// File is what a file of commissions says.
type File struct {
	Commissions []Commission
	Rejects     []*sheet.Reject // rows that could not be read
	Cents       bool            // amounts were taken as cents
	Dated       bool            // rows say when, by date or month; else all are of the month that was asked for
}

// ReadFile reads a CSV of commissions for a comparison of one month. Dates that name no zone
// are of zone, amounts of currency. amounts is one of the Amounts constants.
func ReadFile(path string, month terms.Month, zone *time.Location, currency, amounts string) (*File, error) {
	in, err := sheet.Find([]string{path}, nil)
	if err != nil {
		return nil, err
	}
	out := &File{Cents: amounts == AmountsCents}
	var rows []sheetRow
	for _, input := range in {
		input.Kind = sheetKind
		f, err := sheet.Probe(input, kinds(), sheet.Options{Location: zone})
		if err != nil {
			return nil, headless(err)
		}
		_, byDate := f.Column("created_at")
		_, byMonth := f.Column("month")
		out.Dated = out.Dated || byDate || byMonth
		if _, err = sheet.Rows(f, func(line int, r *sheetRow) error {
			r.line = line
			switch {
			case r.Email == "" && r.Token == "":
				return &sheet.Reject{Reason: sheet.MissingValue, Hint: "it names no promoter, by address or ref token"}
			case r.Cents == "" && r.Amount == "":
				return sheet.MissingField("amount")
			case (byDate || byMonth) && !r.Created.Valid && r.Month == "":
				return sheet.MissingField(map[bool]string{true: "created_at", false: "month"}[byDate])
			}
			at, err := r.at(month, zone)
			if err != nil {
				return err
			}
			r.Created = sheet.Date{Time: at, Valid: true}
			rows = append(rows, *r)
			return nil
		}, func(r *sheet.Reject) error {
			out.Rejects = append(out.Rejects, r)
			return nil
		}); err != nil {
			return nil, err
		}
	}
	if amounts == AmountsAuto {
		out.Cents = true
		for i := range rows {
			if !whole(rows[i].Amount) {
				out.Cents = false
			}
		}
	}
	for i := range rows {
		r := &rows[i]
		minor, err := r.minor(currency, out.Cents)
		if err != nil {
			out.Rejects = append(out.Rejects, &sheet.Reject{Line: r.line, Reason: sheet.BadMoney, Column: "amount", Value: cmp.Or(r.Cents, r.Amount), Hint: err.Error()})
			continue
		}
		if unit := strings.ToLower(r.Unit); unit != "" && unit != unitCash && !strings.EqualFold(unit, currency) {
			continue
		}
		k := Commission{
			EventID: r.EventID, Amount: minor, CreatedAt: r.Created.Time, Status: strings.ToLower(r.Status),
			Token: r.Token, Line: r.line,
		}
		// A column of promoters may hold either.
		if strings.Contains(r.Email, "@") {
			k.Email = address(r.Email)
		} else if k.Token == "" {
			k.Token = r.Email
		}
		out.Commissions = append(out.Commissions, k)
	}
	slices.SortStableFunc(out.Rejects, func(x, y *sheet.Reject) int { return cmp.Compare(x.Line, y.Line) })
	return out, nil
}

// at is when a row was earned, as exactly as it says.
func (r *sheetRow) at(month terms.Month, zone *time.Location) (time.Time, error) {
	if r.Created.Valid {
		return r.Created.Time, nil
	}
	if r.Month == "" {
		return middle(month, zone), nil
	}
	for _, layout := range []string{"2006-01", "2006/01", "01/2006", "1/2006", "January 2006", "Jan 2006", "January, 2006", "200601"} {
		if t, err := time.Parse(layout, r.Month); err == nil {
			return middle(terms.MonthOf(t, time.UTC), zone), nil
		}
	}
	return time.Time{}, &sheet.Reject{Reason: sheet.BadDate, Field: "month", Hint: "write the month as 2023-03"}
}

// middle is an instant of a month, far from both of its ends.
func middle(m terms.Month, zone *time.Location) time.Time {
	return time.Date(int(m)/100, time.Month(int(m)%100), 15, 12, 0, 0, 0, zone)
}

func (r *sheetRow) minor(currency string, cents bool) (int64, error) {
	text := r.Cents
	if text == "" {
		if text = r.Amount; !cents {
			m, err := sheet.ParseAmount(text, currency)
			if cell, ok := errors.AsType[*sheet.CellError](err); ok {
				err = errors.New(cell.Hint)
			} else if err == nil && m.Currency != currency {
				err = fmt.Errorf("the amount is in %s and the program in %s", m.Currency, currency)
			}
			return m.Minor, err
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errors.New("the amount is no whole number of cents")
	}
	return n, nil
}

// headless says what a file lacks to be compared with.
func headless(err error) error {
	unknown, ok := errors.AsType[*sheet.UnknownKindError](err)
	if !ok {
		return err
	}
	has := ""
	if len(unknown.Headers) > 0 {
		has = ": it has " + strings.Join(unknown.Headers, ", ")
	}
	return fmt.Errorf("%s has no header with a promoter (promoter_email or ref_id) and an amount (amount, earnings or amount_cents) at its beginning%s; name its columns so", unknown.Path, has)
}

// whole says whether an amount is nothing but digits, with or without a minus; a blank one
// says nothing.
func whole(text string) bool {
	return strings.Trim(strings.TrimPrefix(text, "-"), "0123456789") == ""
}
