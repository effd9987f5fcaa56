package migrate

import (
	"maps"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// reportProducts reports the names of products that [products] does not place, or places
// twice: which share of a sale is a commission depends on it, and is never guessed.
func reportProducts(
	products terms.Products, orders []book.Sale, subscriptions []book.Subscription, commissions []book.Commission, conflicts *conflictList,
) {
	type use struct{ orders, commissions int }
	unmatched := map[string]use{}
	matched := map[string]bool{}
	note := func(name, plan string, count func(*use)) {
		if name == "" || matched[name] {
			return
		}
		u, seen := unmatched[name]
		if !seen {
			if kind, ambiguous := products.Kind(name, plan); kind != terms.UnknownProduct && !ambiguous {
				matched[name] = true
				return
			}
		}
		count(&u)
		unmatched[name] = u
	}
	for i := range orders {
		for name := range strings.SplitSeq(orders[i].Products, ";") {
			note(strings.TrimSpace(name), "", func(u *use) { u.orders++ })
		}
	}
	for i := range subscriptions {
		note(subscriptions[i].Product, subscriptions[i].PlanID, func(u *use) { u.orders++ })
	}
	for i := range commissions {
		note(commissions[i].Product, "", func(u *use) { u.commissions++ })
	}
	for _, name := range slices.Sorted(maps.Keys(unmatched)) {
		why := "matches no pattern"
		if _, ambiguous := products.Kind(name, ""); ambiguous {
			why = "matches patterns of both membership and training"
		}
		u := unmatched[name]
		conflicts.inform(KindProduct, clip(name),
			"the product %q (%s, %s) %s in [products]: it is neither a membership nor a training until one names it, "+
				"and its sales are compared with no rate", clip(name), quantity(u.orders, "order or subscription", "orders or subscriptions"),
			quantity(u.commissions, "commission or clawback", "commissions or clawbacks"), why)
	}
}
