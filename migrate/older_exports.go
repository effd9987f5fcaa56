package migrate

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"carryover/mapping/book"
	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// KeepNewer is the decision about exports that are older than those of the book: what the
// book holds stays as it is, and only what it lacks is added.
const KeepNewer = "keep"

// askOlder asks about exports that are older than those that the book was made of: by the
// day whose customers they carry over, or by their ledger. Until a person has decided, and
// when he decides so, the book's rows hold and the newer day does.
func (in *inputs) askOlder(ctx context.Context, req *Request, conflicts *conflictList) error {
	in.asOf = req.asOf()
	in.asOfGiven = in.asOf
	if in.book.base == 0 {
		return nil
	}
	var why []string
	subject := "ledger"
	if in.asOf < in.book.asOf {
		subject = "as_of"
		why = append(why, fmt.Sprintf("they carry over the customers of %s, and run %d those of %s", in.asOf, in.book.base, in.book.asOf))
	}
	ledger, err := in.olderLedger(ctx, req.Settings)
	if err != nil {
		return err
	}
	if ledger != "" {
		why = append(why, ledger)
	}
	if len(why) == 0 {
		return nil
	}
	c := conflicts.add(question(KindOlder, subject,
		fmt.Sprintf("these exports are older than what the book holds: %s. With %s the book's rows hold and only what it lacks is added; "+
			"with %s the older ones take their place: owners, statuses, links and balances go back", strings.Join(why, "; "), KeepNewer, Accept),
		KeepNewer, KeepNewer, Accept))
	if in.keepNewer = c.Decision != Accept; in.keepNewer {
		in.asOf = max(in.asOf, in.book.asOf)
	}
	return nil
}

// olderLedger says that the ledger of these exports knows less than the book; empty when it
// does not. It is from the moment at which the most of its endings were the book's balances; that is
// in the past when these exports hold no newer row.
func (in *inputs) olderLedger(ctx context.Context, s *Settings) (string, error) {
	histories := accountHistories(in.book.money)
	if len(histories) == 0 || !slices.ContainsFunc(in.exports.found, func(f *sheet.File) bool { return f.Kind == keap.Ledger }) {
		return "", nil
	}
	endings, err := in.endings(s)
	if err != nil {
		return "", err
	}
	var spans []span // in which endings were the book's balances
	for a, list := range endings {
		spans = append(spans, histories[a].spans(list)...)
	}
	until := newestMoment(spans)
	if until == endOfTime {
		return "", nil
	}
	newest, err := in.newestRow(ctx, s)
	if err != nil || newest >= until {
		return "", err
	}
	var names []string
	n, directory := 0, book.NewDirectory(in.book.content)
	for _, a := range slices.SortedFunc(maps.Keys(endings), compareAccounts) {
		if h := histories[a]; len(h) > 0 && h[len(h)-1].at >= until {
			if n++; len(names) < 3 {
				names = append(names, partnerLabel(directory, a.partner))
			}
		}
	}
	more := ""
	if n > len(names) {
		more = fmt.Sprintf(" and %d more", n-len(names))
	}
	return fmt.Sprintf("their ledger is from before %s, for it lacks what the book has since of %s%s", day(until, s.Zone),
		strings.Join(names, ", "), more), nil
}

// history are the balances of an account, in the order of the time.
type history []moment

// moment is a balance from one time on, Unix seconds.
type moment struct{ at, balance int64 }

// endOfTime is when what holds now ends.
const endOfTime = math.MaxInt64

// span is a stretch of time: from its first second to the one before it ends.
type span struct{ from, until int64 }

// spans are those in which an account had one of the balances; none of them meets another.
func (h history) spans(balances []int64) (list []span) {
	for i, m := range h {
		if !slices.Contains(balances, m.balance) {
			continue
		}
		s := span{m.at, endOfTime}
		if i+1 < len(h) {
			s.until = h[i+1].at
		}
		if n := len(list); n > 0 && list[n-1].until == s.from { // of several balances that follow each other
			list[n-1].until = s.until
			continue
		}
		list = append(list, s)
	}
	return list
}

// newestMoment is the end of the stretch of time that the most spans have in common; of several,
// the newest.
func newestMoment(spans []span) (until int64) {
	type edge struct {
		at int64
		by int // spans that begin, less those that end
	}
	var edges []edge
	for _, s := range spans {
		edges = append(edges, edge{s.from, 1})
		if s.until != endOfTime {
			edges = append(edges, edge{s.until, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	until = endOfTime
	n, most := 0, 0
	for i := 0; i < len(edges); {
		at := edges[i].at
		for ; i < len(edges) && edges[i].at == at; i++ {
			n += edges[i].by
		}
		if n < most {
			continue
		}
		most, until = n, endOfTime
		if i < len(edges) {
			until = edges[i].at
		}
	}
	return until
}

// accountHistories are those of the accounts of the book. An account that a person has
// corrected tells nothing.
func accountHistories(money *book.KeapRecords) map[account]history {
	entries, corrected := map[account]history{}, map[account]bool{}
	for i := range money.Posted {
		e := &money.Posted[i]
		a := account{e.PartnerID, e.Currency}
		corrected[a] = corrected[a] || e.Kind == book.KindDifference
		entries[a] = append(entries[a], moment{e.EarnedAt, e.Amount})
	}
	for i := range money.Payouts {
		e := &money.Payouts[i]
		a := account{e.PartnerID, e.Currency}
		entries[a] = append(entries[a], moment{e.PaidAt, -e.Amount})
	}
	maps.DeleteFunc(entries, func(a account, _ history) bool { return corrected[a] })
	for a, h := range entries {
		slices.SortFunc(h, func(x, y moment) int { return cmp.Compare(x.at, y.at) })
		n, sum := 0, int64(0)
		for _, m := range h {
			sum += m.balance
			if n > 0 && h[n-1].at == m.at {
				n--
			}
			h[n] = moment{m.at, sum}
			n++
		}
		entries[a] = h[:n]
	}
	return entries
}

// endings are the ledger's, by account: of the partners that the book knows.
func (in *inputs) endings(s *Settings) (map[account][]int64, error) {
	codes := map[string]int64{}
	for id, a := range in.book.partners {
		codes[a.Code] = id
	}
	endings := map[account][]int64{}
	for _, f := range in.exports.found {
		if f.Kind != keap.Ledger {
			continue
		}
		if _, err := keap.ReadLedger(f, s.Currency, func(_ int, row *keap.LedgerRow) error {
			id := row.PartnerID.Number
			if !row.PartnerID.Valid {
				id = codes[row.PartnerCode]
			}
			if in.book.partners[id] != nil {
				a := account{id, row.Closing.Currency}
				endings[a] = append(endings[a], row.Closing.Minor)
			}
			return nil
		}, nil); err != nil {
			return nil, err
		}
	}
	return endings, nil
}

// newestRow is when the newest row of money of these exports is from. They are read twice for
// it, which only exports cost that look old.
func (in *inputs) newestRow(ctx context.Context, s *Settings) (newest int64, err error) {
	newest = math.MinInt64
	see := func(d sheet.Date) error {
		newest = max(newest, unix(d))
		return ctx.Err()
	}
	for _, f := range in.exports.found {
		switch f.Kind {
		case keap.Commissions:
			_, err = keap.ReadCommissions(f, s.Currency, func(_ int, row *keap.Commission) error { return see(row.EarnedAt) }, nil)
		case keap.Clawbacks:
			_, err = keap.ReadClawbacks(f, s.Currency, func(_ int, row *keap.Commission) error { return see(row.EarnedAt) }, nil)
		case keap.Payments:
			_, err = keap.ReadPayments(f, s.Currency, func(_ int, row *keap.Payment) error { return see(row.PaidAt) }, nil)
		}
		if err != nil {
			return newest, err
		}
	}
	return newest, nil
}

// keepModel takes rows of partners, contacts and links out that the book has.
func (in *inputs) keepModel() {
	var skipped skips
	for id, p := range in.model.partners {
		if in.book.partners[id] != nil {
			skipped.add(p.at, skippedSuperseded)
			delete(in.model.partners, id)
		}
	}
	codes, ids := map[string]bool{}, map[int64]bool{}
	for _, l := range in.book.content.Links {
		codes[l.Code], ids[l.KeapID] = true, l.KeapID != 0 || ids[l.KeapID]
	}
	maps.DeleteFunc(in.model.links, func(code string, l book.Link) bool { return codes[code] || ids[l.KeapID] })
	in.model.contacts.keep(in.book.money.Contacts.Create)
	in.exports.skip(skipped)
}

// keepRecords takes rows of customers and money out that the book has by the same id.
func (in *inputs) keepRecords() {
	var skipped skips
	held := in.book.money
	dropKnown(&in.rows.referrals, held.ReferralRows.Create, referralRowID, referralRowID, &skipped)
	dropKnown(&in.rows.orders, held.Sales.Create, saleID, saleID, &skipped)
	dropKnown(&in.rows.subscriptions, held.Subscriptions.Create, subscriptionID, subscriptionID, &skipped)
	payouts := slices.Clone(held.Payouts)
	slices.SortFunc(payouts, func(a, b book.Payout) int { return cmp.Compare(a.KeapID, b.KeapID) })
	dropKnown(&in.ledger.payments, payouts, paymentID, func(p *book.Payout) int64 { return p.KeapID }, &skipped)
	known := map[account]bool{}
	for i := range held.Posted {
		known[account{held.Posted[i].PartnerID, held.Posted[i].Currency}] = true
	}
	for i := range held.Payouts {
		known[account{held.Payouts[i].PartnerID, held.Payouts[i].Currency}] = true
	}
	in.ledger.ledger = slices.DeleteFunc(in.ledger.ledger, func(r ledgerRow) bool {
		if known[r.account] {
			skipped.add(r.at, skippedSuperseded)
		}
		return known[r.account]
	})
	in.exports.skip(skipped)
}

// dropKnown takes rows out whose id the book has; held ascends by id.
func dropKnown[T, B any](l *rowList[T], held []B, id func(*T) int64, heldID func(*B) int64, skipped *skips) {
	kept := 0
	for i := range l.rows {
		want := id(&l.rows[i])
		if _, known := slices.BinarySearchFunc(held, want, func(b B, id int64) int { return cmp.Compare(heldID(&b), id) }); known {
			skipped.add(l.at[i], skippedSuperseded)
			continue
		}
		l.rows[kept], l.at[kept] = l.rows[i], l.at[i]
		kept++
	}
	clear(l.rows[kept:])
	l.rows, l.at = l.rows[:kept], l.at[:kept]
}
