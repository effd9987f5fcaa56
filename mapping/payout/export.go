package payout

import (
	"strconv"
	"strings"

	"carryover/mapping/book"
)

// PayPalMax is how many recipients one upload of PayPal's mass payments takes.
const PayPalMax = 5000

// PayPalRow is a row of what PayPal's mass payment upload takes; the file has no header.
type PayPalRow struct {
	Recipient string `csv:"recipient"` // an e-mail address
	Amount    string `csv:"amount"`
	Currency  string `csv:"currency"`
	UniqueID  string `csv:"unique id"` // the line's name
	Note      string `csv:"note"`
}

// CheckRow is a row of a check register.
type CheckRow struct {
	Number  string `csv:"check number"` // blank, to fill in
	Date    string `csv:"date"`
	Payee   string `csv:"payee"`
	Amount  string `csv:"amount"`
	InWords string `csv:"amount in words"`
	Memo    string `csv:"memo"`
	Address string `csv:"address"`
	Line    string `csv:"line"`
}

// LineRow is a line of a batch as a CSV has it: of every method, with what became of it.
type LineRow struct {
	Line      string `csv:"line"`
	Batch     string `csv:"run"`
	RefToken  string `csv:"ref_token"`
	Payee     string `csv:"name"`
	Months    string `csv:"months"`
	Gross     string `csv:"gross"`
	Refunds   string `csv:"refunds"`
	Carried   string `csv:"carried"`
	Net       string `csv:"net"`
	Currency  string `csv:"currency"`
	Method    string `csv:"method"`
	Address   string `csv:"address"`
	Status    string `csv:"status"`
	Reference string `csv:"reference"`
}

// PayPalRows are the lines of a batch to upload to PayPal. leftOut counts those whose payment
// is recorded as paid, failed or returned: nothing may be paid twice.
func (s *Service) PayPalRows(b *BatchDetail) (rows []PayPalRow, leftOut int) {
	lines, leftOut := b.toPay(book.MethodPayPal)
	for _, l := range lines {
		rows = append(rows, PayPalRow{l.Address, PlainAmount(l.Net, l.Currency), l.Currency, l.Name, s.memo(l)})
	}
	return rows, leftOut
}

// CheckRows are the lines of a batch to write checks for, all of one date. leftOut counts
// those whose payment is recorded as paid, failed or returned.
func (s *Service) CheckRows(b *BatchDetail, date string) (rows []CheckRow, leftOut int) {
	lines, leftOut := b.toPay(book.MethodCheck)
	for _, l := range lines {
		rows = append(rows, CheckRow{
			Date: date, Payee: l.Payee, Amount: PlainAmount(l.Net, l.Currency), InWords: amountInWords(l.Net, l.Currency),
			Memo: s.memo(l), Address: l.Address, Line: l.Name,
		})
	}
	return rows, leftOut
}

// LineRows are all lines of a batch.
func (b *BatchDetail) LineRows() []LineRow {
	rows := make([]LineRow, 0, len(b.Lines))
	for i := range b.Lines {
		l := &b.Lines[i]
		amount := func(minor int64) string { return PlainAmount(minor, l.Currency) }
		rows = append(rows, LineRow{
			l.Name, strconv.FormatInt(l.Batch, 10), l.RefToken, l.Payee, strings.Join(l.Months, " "),
			amount(l.Gross), amount(l.Refunds), amount(l.Carried), amount(l.Net), l.Currency, l.Method, l.Address, l.Status, l.Reference,
		})
	}
	return rows
}

// toPay are the lines of a method that are still to be paid; closed counts the others of it.
func (b *BatchDetail) toPay(method string) (lines []*BatchLine, closed int) {
	for i := range b.Lines {
		switch l := &b.Lines[i]; {
		case l.Method != method:
		case l.Status != StatusOpen:
			closed++
		default:
			lines = append(lines, l)
		}
	}
	return lines, closed
}

func (s *Service) memo(l *BatchLine) string { return s.Program + " commissions " + MonthSpan(l.Months) }
