package config

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"carryover/mapping/payout"
	"carryover/mapping/terms"
	"carryover/migrate/sheet"
)

// How often a training earns, in [terms] training.
const (
	trainingEvery = "every" // on every payment
	trainingOnce  = "once"  // on a customer's first sale of it, here or at Keap
)

// terms reads the program's terms; what is not said is as usual.
func (c *checker) terms(f *file, zone *time.Location) terms.Config {
	t := terms.DefaultConfig()
	c.percent("terms.membership_percent", f.Terms.MembershipPercent, &t.MembershipPercent)
	c.percent("terms.training_percent", f.Terms.TrainingPercent, &t.TrainingPercent)
	t.TrainingOnce = c.oneOf("terms.training", f.Terms.Training, trainingEvery, trainingOnce) == trainingOnce
	t.RateChanges = c.changes(f, zone)
	switch hold := f.Terms.Hold.(type) {
	case nil:
	case int64:
		t.HoldMonths = int(hold)
	case string:
		t.HoldMonths = slices.Index([]string{"none", "next_month"}, hold)
	default:
		t.HoldMonths = -1
	}
	if t.HoldMonths < 0 || t.HoldMonths > 24 {
		c.invalid("terms.hold", f.Terms.Hold,
			"\"next_month\" (held through the month after the one of earning), \"none\", or a number of months")
	}
	if days := f.Terms.PayoutDays; days != nil && (len(days) != 2 || days[0] < 1 || days[0] > days[1] || days[1] > 31) {
		c.invalid("terms.payout_days", days, "the first and the last day of the month for payouts, such as [10, 15]")
	} else if days != nil {
		t.PayoutFirstDay, t.PayoutLastDay = days[0], days[1]
	}
	if text := f.Terms.Minimum; text != "" {
		t.Minimum = c.amount("terms.minimum", text, f.Currency, "25.00")
	}
	for _, r := range f.Terms.Requires {
		c.oneOf("terms.requires", r, terms.RequireW9, terms.RequirePayoutMethod)
	}
	if f.Terms.Requires != nil {
		t.Requires = f.Terms.Requires
	}
	return t
}

// changes reads the percentages that hold from a day on.
func (c *checker) changes(f *file, zone *time.Location) (changes []terms.RateChange) {
	for i, change := range f.Terms.Change {
		key := fmt.Sprintf("terms.change.%d.", i+1)
		from := c.day(key+"from", change.From, zone).Unix()
		if change.MembershipPercent == nil && change.TrainingPercent == nil {
			c.invalid(key+"membership_percent", nil, "a number from 0 to 100; or say training_percent")
		}
		for _, one := range []struct {
			name  string
			kind  terms.ProductKind
			value any
		}{{"membership_percent", terms.Membership, change.MembershipPercent}, {"training_percent", terms.Training, change.TrainingPercent}} {
			if one.value != nil {
				to := terms.RateChange{From: from, Kind: one.kind}
				c.percent(key+one.name, one.value, &to.Percent)
				changes = append(changes, to)
			}
		}
	}
	return changes
}

// form1099 reads years as keys, amounts in quotes.
func (c *checker) form1099(f *file) payout.FormThresholds {
	thresholds := payout.FormThresholds{}
	for _, from := range sortedKeys(f.Terms.Form1099) {
		key := "terms.form_1099." + from
		year, err := strconv.Atoi(from)
		if err != nil || year < 1000 || year > 9999 {
			c.invalid(key, from, "a year such as \"2026\", from which on the amount holds")
			continue
		}
		thresholds[year] = c.amount(key, f.Terms.Form1099[from], f.Currency, "2000.00")
	}
	if len(thresholds) == 0 {
		return payout.DefaultFormThresholds()
	}
	return thresholds
}

// amount reads an amount of at least 0 in the program's currency; minor units.
func (c *checker) amount(key, text, currency, such string) int64 {
	m, err := sheet.ParseAmount(text, currency)
	if err != nil || m.Minor < 0 || m.Currency != currency {
		c.invalid(key, text, "an amount in quotes such as \""+such+"\"")
	}
	return m.Minor
}

// percent reads a share of 0 to 100, as a number or in quotes, into to.
func (c *checker) percent(key string, value any, to *terms.Percent) {
	if value == nil {
		return
	}
	text := fmt.Sprint(value)
	if f, ok := value.(float64); ok {
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	share, err := terms.ParsePercent(text)
	if err != nil {
		c.invalid(key, value, "a number from 0 to 100 with up to four decimals, such as 25")
	}
	*to = share
}
