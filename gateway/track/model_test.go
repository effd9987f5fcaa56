package track_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"carryover/gateway/click"
	"carryover/gateway/track"
	"carryover/mapping/book"
	"carryover/mapping/payout"
	"carryover/mapping/terms"
)

// The tiny model of a program: everything in it is obvious, and nothing of it is shared
// with what it is compared with but the calendar of months.
type modelSale struct {
	customer string
	owner    int64
	month    terms.Month
	amount   int64 // of 25%
	refunded int64
}

// earlySale is a sale of a customer whom nobody had heard of.
type earlySale struct {
	id     string
	month  terms.Month
	at     int64 // Unix seconds
	amount int64
}

// quarter is 25% of n, half to the even one.
func quarter(n int64) int64 {
	whole, rest := n/4, n%4
	if rest == 3 || rest == 2 && whole%2 == 1 {
		whole++
	}
	return whole
}

// left is what is still earned on a sale.
func (s *modelSale) left() int64 {
	if s.refunded >= s.amount {
		return 0
	}
	return quarter(s.amount) - quarter(s.refunded)
}

// refundNewest takes a refund from the newest of the sales, which are the newest first, of
// which just as much is left; else from the newest of which more is left; else from the newest
// ones until there is nothing.
func refundNewest(sales []*modelSale, amount int64) {
	for _, s := range sales {
		if s.amount-s.refunded == amount {
			s.refunded = s.amount
			return
		}
	}
	for _, s := range sales {
		if s.amount-s.refunded > amount {
			s.refunded += amount
			return
		}
	}
	for _, s := range sales {
		part := min(amount, s.amount-s.refunded)
		s.refunded += part
		amount -= part
	}
}

type modelVisit struct {
	promoter int64
	at       time.Time
}

// machine runs a real book and a real tracker beside the model.
type machine struct {
	zone *time.Location
	b    *book.Book
	pay  *payout.Service
	s    *track.Service
	keys *click.Keyring
	now  time.Time
	n    int

	browsers map[string]click.Mark
	last     map[string]modelVisit  // of a browser
	owner    map[string]int64       // of a customer
	sales    map[string]*modelSale  // by event id
	early    map[string][]earlySale // of customers whom nobody had heard of
	order    []string               // of the sales, by date
	toldAt   map[string]int64       // when they were, Unix seconds
	paid     map[int64]int64
	pending  map[int64]int64 // by payout line
	lineOf   map[int64]int64 // whose a payout line is
	calls    []track.Call

	run      int64
	partners map[int64]int64 // promoters, by Keap id
	carried  map[int64]int64 // what was earned at Keap, by Keap id
	excluded map[int64]bool  // the program's own, by Keap id
}

var machineTokens = map[int64]string{1: "anna", 2: "ben", 3: "cleo"}

func newMachine(t *testing.T, rt *rapid.T, dir string) *machine {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		rt.Fatal(err)
	}
	b, err := book.Open(filepath.Join(dir, "book.db"))
	if err != nil {
		rt.Fatal(err)
	}
	keys, err := click.NewKeyring([]byte("a key of the cookie"))
	if err != nil {
		rt.Fatal(err)
	}
	m := &machine{
		zone: zone, b: b, keys: keys, now: time.Date(2023, 1, 3, 12, 0, 0, 0, zone),
		pay:      &payout.Service{Book: b, Program: "carrot", Currency: "USD", Zone: zone, Terms: terms.DefaultConfig()},
		browsers: map[string]click.Mark{}, last: map[string]modelVisit{}, owner: map[string]int64{}, sales: map[string]*modelSale{}, early: map[string][]earlySale{},
		paid: map[int64]int64{}, pending: map[int64]int64{}, lineOf: map[int64]int64{},
	}
	m.toldAt = map[string]int64{}
	m.partners, m.carried, m.excluded = map[int64]int64{}, map[int64]int64{}, map[int64]bool{}
	var c book.Changes
	for _, id := range []int64{1, 2, 3} {
		c.Promoters = append(c.Promoters, book.Promoter{ID: id, KeapID: id, Token: machineTokens[id], Status: book.StatusActive})
		for _, keapID := range []int64{id, 10 + id} {
			m.partners[keapID], m.carried[keapID] = id, 100+keapID
			c.KeapRecords.Commissions = append(c.KeapRecords.Commissions, book.Commission{
				ID: book.EntryID{byte(keapID)}, Kind: book.KindCommission, PartnerID: keapID, EarnedAt: m.now.Unix() - 60*86400,
				Month: machineCarried, Amount: m.carried[keapID], Currency: "USD",
			})
		}
	}
	slices.SortFunc(c.KeapRecords.Commissions, func(x, y book.Commission) int { return bytes.Compare(x.ID[:], y.ID[:]) })
	m.carry(rt, c)
	// Cleo never hands in a W-9.
	for id, field := range map[int64][]string{1: {"w9=yes", "payout_method=paypal", "payout_address=anna@promoters.test"},
		2: {"w9=yes", "payout_method=check", "payout_address=1 Lane"}, 3: {"payout_method=check", "payout_address=2 Lane"}} {
		for _, text := range field {
			name, value, _ := strings.Cut(text, "=")
			if err := b.RecordSettings(context.Background(),
				[]book.Setting{{PromoterID: id, Field: name, Value: value, RecordedAt: m.now.Unix(), RecordedBy: "test"}}); err != nil {
				rt.Fatal(err)
			}
		}
	}
	m.s = track.New(track.Options{
		Book: b, Terms: terms.DefaultConfig(), Currency: "USD", Zone: zone, Keys: keys, Now: func() time.Time { return m.now },
		CreditPolicy: terms.CreditPolicy{InactiveEarn: true}, Logger: slog.New(slog.DiscardHandler),
	})
	return m
}

// machineCarried is the month of what was earned at Keap.
const machineCarried = 202211

// carry applies an import of some rows and of all partners as they are by now.
func (m *machine) carry(t *rapid.T, c book.Changes) {
	for keapID, promoter := range m.partners {
		a := book.Alias{Kind: book.AliasKeapID, Value: fmt.Sprint(keapID), PromoterID: promoter}
		if m.excluded[keapID] {
			a.PromoterID, a.State = 0, book.StateHouse
		}
		c.Aliases = append(c.Aliases, a)
	}
	var err error
	if m.run, err = m.b.Apply(context.Background(), book.Import{PlanID: "p", AppliedAt: m.now, Inputs: []byte("{}"), Tables: []byte("{}")},
		m.run, &c, nil, func(int) {}); err != nil {
		t.Fatal(err)
	}
}

// standing is a promoter, or the one that took it over.
func (m *machine) standing(promoter int64) int64 { return m.partners[promoter] }

// creditable says whether a partner is left that is not the program's own.
func (m *machine) creditable(promoter int64) bool {
	for keapID, of := range m.partners {
		if of == m.standing(promoter) && !m.excluded[keapID] {
			return true
		}
	}
	return false
}

// earned is what the ledger should hold of a promoter beside payments, until a month.
func (m *machine) earned(promoter int64, last terms.Month) (sum int64) {
	for _, s := range m.sales {
		if m.standing(s.owner) == promoter && s.month <= last {
			sum += s.left()
		}
	}
	for keapID, of := range m.partners {
		if of == promoter && !m.excluded[keapID] && machineCarried <= last {
			sum += m.carried[keapID]
		}
	}
	return sum
}

func (m *machine) close() {
	m.s.Close(context.Background())
	m.b.Close()
}

func (m *machine) submit(t *rapid.T, c track.Call) track.Result {
	r, err := m.s.Submit(context.Background(), &c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// insertSale puts a sale where it belongs among those that were dated before and after it.
func (m *machine) insertSale(id string, at int64) {
	i := slices.IndexFunc(m.order, func(other string) bool { return m.toldAt[other] > at })
	if i < 0 {
		i = len(m.order)
	}
	m.order = slices.Insert(m.order, i, id)
	m.toldAt[id] = at
}

// acceptAll is a person who accepts whatever must be looked at.
func (m *machine) acceptAll(t *rapid.T) {
	open, err := m.b.Reviews(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	var list []book.ReviewDecision
	for _, r := range open {
		list = append(list, book.ReviewDecision{LineID: r.Line.ID, Decision: book.ReviewAccept, DecidedAt: m.now.Unix(), DecidedBy: "test"})
	}
	if _, err := m.b.Decide(context.Background(), list); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) id(kind string) string {
	m.n++
	return fmt.Sprintf("%s-%d", kind, m.n)
}

func (m *machine) month() terms.Month { return terms.MonthOf(m.now, m.zone) }

// due is what the model owes for what was earned until a month.
func (m *machine) due(promoter int64, last terms.Month) int64 {
	sum := m.earned(promoter, last) - m.paid[promoter]
	for line, amount := range m.pending {
		if m.standing(m.lineOf[line]) == promoter {
			sum -= amount
		}
	}
	return sum
}

// payable is what the model would pay.
func (m *machine) payable(promoter int64, last terms.Month) int64 {
	if due := m.due(promoter, last); promoter != 3 && due >= 2500 {
		return due
	}
	return 0
}

func (m *machine) actions() map[string]func(*rapid.T) {
	browser := rapid.SampledFrom([]string{"b1", "b2", "b3"})
	customer := rapid.SampledFrom([]string{"c1@mail.test", "c2@mail.test", "c3@mail.test", "c4@mail.test"})
	promoter := rapid.SampledFrom([]int64{1, 2, 3})
	return map[string]func(*rapid.T){
		"time passes": func(t *rapid.T) {
			m.now = m.now.Add(time.Duration(rapid.IntRange(1, 40*24).Draw(t, "hours")) * time.Hour)
		},
		"click": func(t *rapid.T) {
			b, p := browser.Draw(t, "browser"), promoter.Draw(t, "promoter")
			m.n++
			m.browsers[b] = m.browsers[b].WithVisit(click.Visit{Token: machineTokens[p], Click: book.ClickID{Node: "web1", Seq: int64(m.n)},
				At: m.now.UTC().Truncate(time.Second)})
			m.last[b] = modelVisit{p, m.now}
			m.now = m.now.Add(time.Hour)
		},
		"sign up": func(t *rapid.T) {
			b, c := browser.Draw(t, "browser"), customer.Draw(t, "customer")
			call := track.Call{Kind: book.EventSignup, Email: c, TID: m.keys.Sign(m.browsers[b]), CreatedAt: m.now.Unix()}
			if m.browsers[b].Token == "" {
				call.TID = ""
			}
			before, known := m.owner[c]
			r := m.submit(t, call)
			visit, clicked := m.last[b]
			want := track.NotReferred
			switch {
			case known:
				want = track.AlreadySignedUp
			case clicked && m.creditable(visit.promoter):
				want = track.Booked
				before, m.owner[c] = m.standing(visit.promoter), visit.promoter
				m.calls = append(m.calls, call)
				for _, e := range m.early[c] { // as if they had come in order
					m.sales[e.id] = &modelSale{c, visit.promoter, e.month, e.amount, 0}
					m.insertSale(e.id, e.at)
				}
				delete(m.early, c)
				m.acceptAll(t)
			}
			if r.Outcome != want || want == track.Booked && r.Promoter.ID != before {
				t.Fatalf("sign-up of %s: outcome %d, want %d for %d", c, r.Outcome, want, before)
			}
		},
		"sale": func(t *rapid.T) {
			c := customer.Draw(t, "customer")
			call := track.Call{Kind: book.EventSale, Email: c, EventID: m.id("pay"), Amount: rapid.Int64Range(1, 60_000).Draw(t, "amount"),
				CreatedAt: m.now.Unix()}
			r := m.submit(t, call)
			owner, known := m.owner[c]
			if !known || !m.creditable(owner) {
				if r.Outcome != track.NotReferred {
					t.Fatalf("a sale of nobody's customer: %d", r.Outcome)
				}
				if !known {
					m.early[c] = append(m.early[c], earlySale{call.EventID, m.month(), call.CreatedAt, call.Amount})
				}
				return
			}
			if r.Outcome != track.Booked || r.Promoter.ID != m.standing(owner) || r.Lines[0].Amount != quarter(call.Amount) {
				t.Fatalf("a sale of %d to a customer of %d: %+v", call.Amount, owner, r)
			}
			m.sales[call.EventID] = &modelSale{c, owner, m.month(), call.Amount, 0}
			m.order, m.toldAt[call.EventID] = append(m.order, call.EventID), call.CreatedAt
			m.calls = append(m.calls, call)
		},
		"refund": func(t *rapid.T) {
			if len(m.order) == 0 {
				return
			}
			id := rapid.SampledFrom(m.order).Draw(t, "sale")
			s := m.sales[id]
			amount := rapid.Int64Range(1, s.amount+100).Draw(t, "amount")
			call := track.Call{Kind: book.EventRefund, Email: s.customer, EventID: m.id("back"), Amount: amount, SaleEventID: id,
				CreatedAt: m.now.Unix()}
			if r := m.submit(t, call); r.Outcome != track.Booked {
				t.Fatalf("a refund: %+v", r)
			}
			s.refunded = min(s.amount, s.refunded+amount)
			m.calls = append(m.calls, call)
		},
		"refund of no name": func(t *rapid.T) {
			c := customer.Draw(t, "customer")
			var sales []*modelSale // the newest first
			for _, id := range slices.Backward(m.order) {
				if m.sales[id].customer == c {
					sales = append(sales, m.sales[id])
				}
			}
			if len(sales) == 0 {
				return
			}
			amount := rapid.Int64Range(1, 70_000).Draw(t, "amount")
			if s := rapid.SampledFrom(sales).Draw(t, "like"); s.amount > s.refunded && rapid.Bool().Draw(t, "as much") {
				amount = s.amount - s.refunded
			}
			call := track.Call{Kind: book.EventRefund, Email: c, EventID: m.id("back"), Amount: amount, CreatedAt: m.now.Unix()}
			if r := m.submit(t, call); r.Outcome != track.Booked {
				t.Fatalf("a refund of no name: %+v", r)
			}
			m.calls = append(m.calls, call)
			refundNewest(sales, amount)
		},
		"refund, and then its sale": func(t *rapid.T) {
			c := customer.Draw(t, "customer")
			owner, known := m.owner[c]
			if !known || !m.creditable(owner) {
				return
			}
			amount := rapid.Int64Range(1, 60_000).Draw(t, "amount")
			back := rapid.Int64Range(1, amount+100).Draw(t, "back")
			sale := track.Call{Kind: book.EventSale, Email: c, EventID: m.id("pay"), Amount: amount, CreatedAt: m.now.Unix()}
			m.now = m.now.Add(time.Duration(rapid.IntRange(0, 40*24).Draw(t, "hours")) * time.Hour)
			refund := track.Call{Kind: book.EventRefund, Email: c, EventID: m.id("back"), Amount: back, SaleEventID: sale.EventID,
				CreatedAt: m.now.Unix()}
			for _, call := range []track.Call{refund, sale} {
				if r := m.submit(t, call); r.Outcome != track.Booked {
					t.Fatalf("a refund before its sale: %+v", r)
				}
				m.calls = append(m.calls, call)
			}
			m.sales[sale.EventID] = &modelSale{c, owner, m.month(), amount, min(amount, back)} // it counts when it was told
			m.insertSale(sale.EventID, sale.CreatedAt)
			m.acceptAll(t)
		},
		"cancellation": func(t *rapid.T) {
			c := customer.Draw(t, "customer")
			r := m.submit(t, track.Call{Kind: book.EventCancellation, Email: c, EventID: m.id("gone"), CreatedAt: m.now.Unix()})
			if owner, known := m.owner[c]; (known && m.creditable(owner)) != (r.Outcome == track.Booked) {
				t.Fatalf("a cancellation of %s: %d", c, r.Outcome)
			}
		},
		"takeover": func(t *rapid.T) { // somebody names another's customer beside his own
			c, p := customer.Draw(t, "customer"), promoter.Draw(t, "promoter")
			if _, known := m.owner[c]; !known || !m.creditable(p) {
				return
			}
			uid := m.id("uid")
			if r := m.submit(t, track.Call{Kind: book.EventSignup, UID: uid, RefID: machineTokens[p]}); r.Outcome != track.Booked {
				t.Fatalf("a sign-up by uid: %+v", r)
			}
			kind := rapid.SampledFrom([]string{book.EventSale, book.EventCancellation, book.EventSignup}).Draw(t, "kind")
			r := m.submit(t, track.Call{Kind: kind, UID: uid, Email: c, EventID: m.id("cent"), Amount: 1})
			if r.Customer.Email != "" || kind == book.EventSale && len(r.Flagged) != 1 {
				t.Fatalf("a %s that names two customers: %+v", kind, r)
			}
		},
		"replay": func(t *rapid.T) {
			if len(m.calls) == 0 {
				return
			}
			call := rapid.SampledFrom(m.calls).Draw(t, "call")
			if r := m.submit(t, call); r.Outcome != track.Duplicate && r.Outcome != track.AlreadySignedUp {
				t.Fatalf("told again, %s: %+v", call.Kind, r)
			}
		},
		"payout": func(t *rapid.T) {
			plan, err := m.pay.Plan(context.Background(), m.month())
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Payable) == 0 {
				return
			}
			approved, err := m.pay.Approve(context.Background(), payout.Approval{Month: m.month(), At: m.now, By: "test", Early: true})
			if err != nil {
				t.Fatal(err)
			}
			all, err := m.b.Payouts(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range all.Lines {
				if l.BatchID == approved.ID {
					m.pending[l.ID], m.lineOf[l.ID] = l.Net, l.PromoterID
				}
			}
		},
		"the bank answers": func(t *rapid.T) {
			ids := make([]int64, 0, len(m.pending))
			for id := range m.pending {
				ids = append(ids, id)
			}
			slices.Sort(ids)
			for _, id := range ids {
				status := rapid.SampledFrom([]string{book.PayoutPaid, book.PayoutFailed, ""}).Draw(t, "status")
				if status == "" {
					continue
				}
				for range 2 { // told twice, it happens once
					if _, err := m.b.RecordPayouts(context.Background(), []book.PayoutRecord{{LineID: id, Status: status,
						Reference: fmt.Sprint("ref-", id), At: m.now.Unix(), Month: int32(m.month()), RecordedAt: m.now.Unix(),
						RecordedBy: "test"}}); err != nil {
						t.Fatal(err)
					}
				}
				if status == book.PayoutPaid {
					m.paid[m.standing(m.lineOf[id])] += m.pending[id]
				}
				delete(m.pending, id)
			}
		},
		"import": func(t *rapid.T) {
			var c book.Changes
			for keapID := range int64(14) {
				if m.partners[keapID] != 0 {
					m.excluded[keapID] = rapid.IntRange(0, 3).Draw(t, "excluded") == 0
				}
			}
			if m.standing(3) == 3 && rapid.IntRange(0, 4).Draw(t, "merge") == 0 { // ben takes cleo over
				c.Promoters = []book.Promoter{{ID: 3, KeapID: 3, Token: machineTokens[3], Status: book.StatusActive, MergedInto: 2}}
				m.partners[3], m.partners[13] = 2, 2
				m.paid[2] += m.paid[3]
				delete(m.paid, 3)
			}
			m.carry(t, c)
		},
		"": m.check,
	}
}

// check compares the book with the model.
func (m *machine) check(t *rapid.T) {
	dir, err := m.b.Directory(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	balances, house, ledger := map[int64]int64{}, int64(0), int64(0)
	if err := m.b.Ledger(context.Background(), nil, func(e book.Entry) error {
		ledger += e.Amount
		if owner := dir.ByEarner(e.Earner); owner.House {
			house += e.Amount
		} else {
			balances[owner.Promoter.ID] += e.Amount
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	plan, err := m.pay.Plan(context.Background(), m.month())
	if err != nil {
		t.Fatal(err)
	}
	if plan.Totals.House != house || plan.Totals.Ledger != ledger {
		t.Fatalf("the ledger has %d, of it %d of the program's own; the plan %+v", ledger, house, plan.Totals)
	}
	payable, held := map[int64]int64{}, map[int64]int64{}
	for _, l := range plan.Payable {
		payable[l.PromoterID] += l.Net
	}
	for _, l := range plan.Held {
		held[l.PromoterID] += l.Amount
	}
	for id := range machineTokens {
		if m.standing(id) != id {
			continue
		}
		if want := m.earned(id, math.MaxInt32) - m.paid[id]; balances[id] != want {
			t.Fatalf("%s: the ledger has %d, the model %d", machineTokens[id], balances[id], want)
		}
		last := m.month().Add(-2)
		if due := m.due(id, last); payable[id] != m.payable(id, last) || payable[id]+held[id] != due {
			t.Fatalf("%s in %s: payable %d and held %d, the model would pay %d of %d", machineTokens[id], m.month(), payable[id], held[id],
				m.payable(id, last), due)
		}
	}
}

// Whatever happens, in whatever order, no cent appears or vanishes, the last click before
// the sign-up holds, what is told twice happens once, and what is paid is what was earned
// and held long enough; whatever imports decide about partners.
func TestProgramLikeItsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(t, rt, t.TempDir())
		defer m.close()
		rt.Repeat(m.actions())
	})
}

// The events of customers who have nothing to do with each other end in the same book,
// in whatever order they arrive.
func TestOrderOfArrival(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		at := time.Date(2023, 1, 3, 12, 0, 0, 0, time.UTC).Unix()
		var queues [][]track.Call // of each customer, in order
		for c := range rapid.IntRange(2, 4).Draw(rt, "customers") {
			email := fmt.Sprintf("c%d@mail.test", c)
			queue := []track.Call{{Kind: book.EventSignup, Email: email, RefID: machineTokens[rapid.Int64Range(1, 3).Draw(rt, "promoter")],
				CreatedAt: at}}
			for n := range rapid.IntRange(0, 5).Draw(rt, "sales") {
				id := fmt.Sprintf("pay-%d-%d", c, n)
				queue = append(queue, track.Call{Kind: book.EventSale, Email: email, EventID: id,
					Amount: rapid.Int64Range(1, 20_000).Draw(rt, "amount"), CreatedAt: at + int64(n)*86400*20})
				if rapid.Bool().Draw(rt, "refunded") {
					queue = append(queue, track.Call{Kind: book.EventRefund, Email: email, EventID: "back-" + id, SaleEventID: id,
						Amount: rapid.Int64Range(1, 20_000).Draw(rt, "back"), CreatedAt: at + int64(n)*86400*21})
				}
			}
			queues = append(queues, queue)
		}
		ends := func(pick func(n int) int) string {
			m := newMachine(t, rt, t.TempDir())
			defer m.close()
			rest := slices.Clone(queues)
			for len(rest) > 0 {
				i := pick(len(rest))
				if r := m.submit(rt, rest[i][0]); r.Outcome != track.Booked {
					rt.Fatalf("%+v: %+v", rest[i][0], r)
				}
				if rest[i] = rest[i][1:]; len(rest[i]) == 0 {
					rest = slices.Delete(rest, i, i+1)
				}
			}
			sums, err := m.b.Sums(context.Background())
			if err != nil {
				rt.Fatal(err)
			}
			return fmt.Sprint(sums)
		}
		one := ends(func(int) int { return 0 })
		if other := ends(func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "next") }); other != one {
			rt.Fatalf("one after the other: %s\nin another order: %s", one, other)
		}
	})
}
