package sheet

import "carryover/mapping/terms"

// Money is an amount in minor units of a currency: 123450 USD is $1,234.50.
type Money struct {
	Minor    int64
	Currency string // ISO 4217, upper case
}

// String is the amount and its currency: 1,234.50 USD.
func (m Money) String() string { return terms.FormatMoney(m.Minor, m.Currency) }

// ParseAmount reads an amount of up to 2^63-1 minor units either way, which no column stands
// behind:
//
//	1234  1234.5  1,234.50       groups of three, a dot before the decimals
//	1 234.50  1'234.50           a blank or an apostrophe of any kind between the groups
//	1.234,56  1 234,56           the other way round; it needs a group and all decimals, for
//	                             1.234 and 12,50 could mean two things
//	-12.00  12.00-  (12.00)      below zero; so are -$12.00, $-12.00 and ($12.00)
//	$12.00  A$12.00  12.00 €     with a symbol
//	AUD 12.00  12.00AUD          with a code, in any case; $12.00 AUD with both
//
// own is the program's currency (ISO 4217). An amount that names no currency is in it, and
// so is one whose symbol it shares with others: a bare $ is CAD in a program in CAD, and
// USD in one in EUR. The currency says how many decimals there are. More of them, be they
// zeros, are an error and never rounded; so are blanks. The error is a [CellError] with
// the reason bad_money. The cells of a column are read with [NumberFormat.ParseAmount].
func ParseAmount(s, own string) (Money, error) { return eitherFormat.ParseAmount(s, own) }

// ParseAmount is the function of that name for a cell of a column that is written in format
// f. There, 12,50 and 1.234 mean one thing, and what accounting formats write for zero is an
// amount too: a dash, alone or beside a currency.
func (f NumberFormat) ParseAmount(s, own string) (Money, error) {
	a, ok := splitAmount(s)
	if !ok && f != eitherFormat {
		ok = a.isDash()
	}
	if !ok {
		return Money{}, errBadMoney
	}
	currency := own
	if a.names[0] != "" {
		if currency, ok = a.currency(own); !ok {
			return Money{}, errUnclearCurrency
		}
	}
	if a.number == "" {
		return Money{0, currency}, nil
	}
	n, err := f.minorUnits(a.number, terms.Decimals(currency))
	if err != nil {
		return Money{}, err
	}
	if a.negative {
		n = -n
	}
	return Money{n, currency}, nil
}

var (
	errBadMoney        error = &CellError{BadMoney, "write the amount as 1234.50, $1,234.50, -12.00, (12.00) or AUD 12.00"}
	errTooManyDecimals error = &CellError{BadMoney,
		"the amount has more decimals than the currency; it is never rounded, so write it out exactly"}
	errUnclearCurrency error = &CellError{BadMoney, "the currency is not clear; write its code beside the amount, such as AUD 12.00"}
	errTooLarge        error = &CellError{BadMoney,
		"the amount is larger than any that can be kept; look for digits that do not belong to it"}
)
