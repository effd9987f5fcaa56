package payout

import (
	"cmp"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Service answers for the payouts of one program.
type Service struct {
	Book     *book.Book
	Program  string         // its name
	Currency string         // in which it pays; amounts in others are held
	Zone     *time.Location // of its days and months
	Terms    terms.Config
	Forms    FormThresholds
}

// IsPayableEmail says whether money can be sent to an address: a file of payments is a CSV,
// in which a cell must not begin like a formula.
func IsPayableEmail(address string) bool {
	_, ok := terms.EmailKey(address)
	return ok && !strings.ContainsAny(address[:1], "=+-@")
}

// Destination is how and where to a promoter is paid; ok is false when that is not known.
// PayPal pays to the promoter's own e-mail where no other address was recorded.
func Destination(p *book.DirectoryPromoter) (method, address string, ok bool) {
	method, address = p.Setting(book.SettingPayoutMethod), p.Setting(book.SettingPayoutAddress)
	if method != book.MethodPayPal {
		return method, address, method != ""
	}
	if address == "" {
		address = p.Email
	}
	return method, address, IsPayableEmail(address)
}

// CheckSettings checks what is to be recorded of a promoter against what is recorded already:
// PayPal pays to an e-mail.
func CheckSettings(promoter *book.DirectoryPromoter, list []book.Setting) error {
	now := map[string]string{}
	for _, field := range []string{book.SettingPayoutMethod, book.SettingPayoutAddress} {
		now[field] = promoter.Setting(field)
	}
	changed := maps.Clone(now)
	for _, s := range list {
		changed[s.Field] = s.Value
	}
	if changed[book.SettingPayoutMethod] != book.MethodPayPal || changed[book.SettingPayoutMethod] == now[book.SettingPayoutMethod] && changed[book.SettingPayoutAddress] == now[book.SettingPayoutAddress] {
		return nil
	}
	switch address := cmp.Or(changed[book.SettingPayoutAddress], promoter.Email); {
	case address == "":
		return book.NewInputError("payout_method=paypal needs payout_address=, an e-mail: %s has none of its own", promoter.Token)
	case !IsPayableEmail(address):
		return book.NewInputError("payout_address=%q: PayPal pays to an e-mail, which must not begin with = + - or @", address)
	}
	return nil
}

// payeeName is the name on payments and tax forms, on one line.
func payeeName(p *book.DirectoryPromoter) string {
	for _, name := range []string{p.Setting(book.SettingLegalName), p.Name, p.Token} {
		if name != "" {
			return strings.Join(strings.Fields(name), " ")
		}
	}
	return ""
}

// LineName is how people and files name a line of a batch: R3-17 is line 17, of batch 3. No
// spreadsheet takes it for a date.
func LineName(l *book.PayoutLine) string { return fmt.Sprintf("R%d-%d", l.BatchID, l.ID) }

// ParseName reads the name of a batch (3 or R3) or of a line (R3-17 or 3-17); line is 0 for
// a batch.
func ParseName(text string) (batch, line int64, ok bool) {
	text = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "R")
	first, second, isLine := strings.Cut(text, "-")
	number := func(s string) int64 {
		n, err := strconv.ParseUint(s, 10, 63)
		if err != nil {
			ok = false
		}
		return int64(n)
	}
	ok = true
	batch = number(first)
	if isLine {
		line = number(second)
	}
	return batch, line, ok && batch > 0 && (line > 0) == isLine
}

// ParseDay reads a day of the program's zone, such as 2023-03-10, that has come by now; name
// is that of the flag or column, for the error.
func (s *Service) ParseDay(name, text string, now time.Time) (start time.Time, err error) {
	d, err := time.Parse(time.DateOnly, strings.TrimSpace(text))
	if err != nil || d.Year() < 2000 {
		return d, book.NewInputError("%s: %q is no day: write it like 2023-03-10", name, text)
	}
	start = terms.DayStart(d.Year(), d.Month(), d.Day(), s.Zone)
	if start.After(now) {
		return d, book.NewInputError("%s: %s has not come yet", name, text)
	}
	return start, nil
}

// dayEnd is the first instant after the day that begins with start; Unix seconds.
func dayEnd(start time.Time) int64 {
	year, month, day := start.Date()
	return terms.DayStart(year, month, day+1, start.Location()).Unix()
}

// PlainAmount is an amount for machines: without separators between thousands.
func PlainAmount(minor int64, currency string) string {
	return strings.ReplaceAll(terms.FormatMinor(minor, currency), ",", "")
}

// MonthSpan is months as people write them: those between the first and the last are left
// out.
func MonthSpan(months []string) string {
	if len(months) <= 2 {
		return strings.Join(months, " ")
	}
	return fmt.Sprintf("%s to %s (%d months)", months[0], months[len(months)-1], len(months))
}
