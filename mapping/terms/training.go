package terms

import "strings"

// SameProduct reports whether two names are of one product: compared like patterns, without
// regard to case, to blanks around them and to how many blanks separate two words.
func SameProduct(a, b string) bool {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	for a != "" && b != "" {
		x, n := nextRune(a)
		y, m := nextRune(b)
		if x != y {
			return false
		}
		a, b = a[n:], b[m:]
	}
	return a == b
}

// KeapEarning is what was earned at Keap on one product of one invoice of a customer.
type KeapEarning struct {
	Product string
	Earned  bool  // a commission is among what Amount sums
	Amount  int64 // of commissions less clawbacks; minor units
}

// BoughtAtKeap reports whether a customer has bought a product at Keap, and not got all of it
// back there. orders are the products of each paid order, as exported: several with ";"
// between. An order counts whether anybody earned on it or not; what tells that one was
// refunded is a commission that clawbacks took back in full.
func BoughtAtKeap(product string, orders []string, earnings []KeapEarning) bool {
	standing := 0 // orders
	for _, products := range orders {
		for name := range strings.SplitSeq(products, ";") {
			if SameProduct(name, product) {
				standing++
				break
			}
		}
	}
	for _, e := range earnings {
		switch {
		case !SameProduct(e.Product, product) || !e.Earned:
		case e.Amount > 0:
			return true
		default:
			standing--
		}
	}
	return standing > 0
}
