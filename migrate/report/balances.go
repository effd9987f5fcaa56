package report

import (
	"fmt"

	"carryover/migrate"
)

// spread counts the balances of promoters.
type spread struct {
	Above, Zero, Below int
	Without            int // promoters who have no entries in this currency
	Owed, Owing, Held  int64
	Largest            []migrate.Balance // at most ten, all above 0
	LargestSum         int64
}

// maxLargest is how many balances are drawn.
const maxLargest = 10

func spreadOf(p *migrate.Plan, currency string) spread {
	var s spread
	for _, b := range p.Balances { // the largest first
		if b.Currency != currency {
			continue
		}
		switch {
		case b.Amount > 0:
			s.Above++
			s.Owed += b.Amount
			if len(s.Largest) < maxLargest {
				s.Largest = append(s.Largest, b)
				s.LargestSum += b.Amount
			}
		case b.Amount < 0:
			s.Below++
			s.Owing -= b.Amount
		default:
			s.Zero++
		}
		s.Held += b.Held
	}
	s.Without = max(0, p.Totals.Promoters-s.Above-s.Zero-s.Below)
	return s
}

// sentence tells the spread in a sentence or two; nothing when nobody is owed or owes.
func (s spread) sentence(currency string) string {
	var parts []string
	add := func(n int, one, many, rest string) {
		if n == 0 {
			return
		}
		if len(parts) == 0 {
			one, many = "promoter "+one, "promoters "+many
		}
		parts = append(parts, quantity(n, one, many)+" "+rest)
	}
	add(s.Above, "is", "are", "owed "+amount(s.Owed, currency))
	add(s.Below, "owes", "owe", amount(s.Owing, currency))
	add(s.Zero, "is", "are", "at zero")
	if s.Above+s.Below == 0 {
		return ""
	}
	text := joinWords(parts)
	switch {
	case s.Without == 1:
		text += "; the other one has no entries"
	case s.Without > 1:
		text += fmt.Sprintf("; the other %s have no entries", Count(s.Without))
	}
	text += "."
	if s.Held > 0 {
		text += fmt.Sprintf(" %s is still inside the hold.", amount(s.Held, currency))
	}
	if s.Above > maxLargest {
		share := fmt.Sprintf("%.0f%%", 100*float64(s.LargestSum)/float64(s.Owed))
		if share == "0%" {
			share = "less than 1%"
		}
		text += fmt.Sprintf(" The ten largest have %s of what is owed.", share)
	}
	return text
}
