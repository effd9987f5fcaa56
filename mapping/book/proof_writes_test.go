package book_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pgregory.net/rapid"

	"carryover/mapping/book"
)

// writes are random legitimate writes to a book.
type writes struct {
	t  *rapid.T
	b  *book.Book
	id int // of what is written next
}

func (w *writes) next() string { w.id++; return fmt.Sprint(w.id) }

// some draws a small number from 1.
func (w *writes) some(max int) int64 { return int64(rapid.IntRange(1, max).Draw(w.t, "n")) }

func (w *writes) importMore() {
	ctx := context.Background()
	was, err := w.b.KeapRecords(ctx)
	must(w.t, err)
	c := randomChanges(w.t, was, rapid.SampledFrom([]string{"", "a", "b"}), rapid.Int64Range(0, 9))
	c.Promoters = append(c.Promoters[:0], book.Promoter{ID: 7, Token: "ada", Name: w.next(), Status: book.StatusActive})
	c.Aliases, c.Links = nil, nil
	base := int64(0)
	if last, err := w.b.LastImport(ctx); err == nil {
		base = last.ID
	}
	_, err = w.b.Apply(ctx, book.Import{PlanID: "p", AppliedAt: time.Unix(1, 0)}, base, c,
		[]book.Reject{{File: "f", Line: 3, Reason: "bad_id", Cells: []string{w.next()}}}, func(int) {})
	must(w.t, err)
}

func (w *writes) undo() { // refused where somebody depends on the import
	_, err := w.b.Rollback(context.Background(), 0, time.Unix(9, 0))
	_ = err
}

func (w *writes) set() {
	must(w.t, w.b.RecordSettings(context.Background(), []book.Setting{{PromoterID: 7, Field: book.SettingW9, Value: w.next()},
		{PromoterID: 7, Field: book.SettingLegalName, Value: w.next()}}))
}

func (w *writes) submit() {
	_, err := w.b.SubmitApplication(context.Background(), book.Application{Email: fmt.Sprintf("p%d@mail.test", w.some(4)), Name: "P"},
		book.JoinRules{Auto: rapid.Bool().Draw(w.t, "admit")})
	must(w.t, err)
}

func (w *writes) approve() { w.allow(w.b.Approve(context.Background(), []int64{w.some(4)}, "kim", 5)) }
func (w *writes) reject()  { w.allow(w.b.Reject(context.Background(), []int64{w.some(4)}, "kim", 5)) }

// allow lets a refusal pass: nothing is written then.
func (w *writes) allow(_ any, err error) {
	if err != nil && !errors.Is(err, book.ErrNoApplication) && !errors.Is(err, book.ErrAlreadyApproved) {
		w.t.Fatal(err)
	}
}

func (w *writes) track() {
	must(w.t, w.b.Track(func(tr *book.Tracking) error {
		email := fmt.Sprintf("c%d@mail.test", w.some(4))
		c, known, err := tr.CustomerByEmail(email)
		must(w.t, err)
		if !known {
			c = book.Customer{Email: email}
			must(w.t, tr.AddCustomer(&c))
		}
		if further := fmt.Sprintf("other%d@mail.test", w.some(9)); known {
			_, taken, err := tr.CustomerByEmail(further)
			must(w.t, err)
			if !taken {
				must(w.t, tr.AddFurtherEmail(&book.FurtherEmail{Email: further, CustomerID: c.ID, At: 5}))
			}
			c.Suspicion = book.ReasonTwo
			must(w.t, tr.SuspectCustomer(&c))
		}
		if c.PromoterID == 0 {
			c.PromoterID = 7
			must(w.t, tr.BindCustomer(&c))
		}
		if c.UID == "" {
			c.UID = w.next()
			must(w.t, tr.IdentifyCustomer(&c))
		}
		kind := rapid.SampledFrom([]string{book.EventSale, book.EventRefund}).Draw(w.t, "kind")
		e := book.Event{Kind: kind, ExternalID: w.next(), CustomerID: c.ID, Currency: "USD", PromoterID: 7, Evidence: "{}"}
		lines := []book.EventLine{commission(7, 5, 202301, 5)}
		if kind == book.EventRefund {
			lines = nil
		}
		must(w.t, tr.AddEvent(&e, lines))
		if kind == book.EventSale {
			must(w.t, tr.AddReview(lines[0].ID, book.ReasonFast, "fast", 5))
			refunds, err := tr.Refunds(c.ID)
			must(w.t, err)
			for i := range refunds {
				refunds[i].SaleEventID, refunds[i].Evidence.Taken = e.ID, w.next()
				must(w.t, tr.MoveRefund(&refunds[i], []book.EventLine{reversal(book.KindRefund, lines[0], lines[0].ID, 6, 1)}))
			}
		}
		_, err = tr.AddRefused(&book.RefusedEvent{Kind: book.EventSale, Email: email, Digest: w.next(), State: book.RefusedOpen})
		return err
	}))
}

func (w *writes) decide() {
	open, err := w.b.Reviews(context.Background(), false)
	must(w.t, err)
	for _, r := range open[:min(1, len(open))] {
		d := book.ReviewDecision{LineID: r.Line.ID, Decision: rapid.SampledFrom([]string{book.ReviewAccept, book.ReviewDeny}).Draw(w.t, "decision")}
		_, err := w.b.Decide(context.Background(), []book.ReviewDecision{d})
		must(w.t, err)
	}
}

func (w *writes) correct() {
	must(w.t, w.b.Correct(context.Background(), &book.Correction{PromoterID: 7, Month: 202301, Amount: 5, Currency: "USD", Note: w.next()}))
}

func (w *writes) approvePayout() {
	ctx := context.Background()
	d, err := w.b.PayoutInputs(ctx, "USD", 0)
	must(w.t, err)
	must(w.t, w.b.ApprovePayouts(ctx, &book.PayoutBatch{Month: 202303, Currency: "USD"}, []book.PayoutLine{{PromoterID: 7, Net: 5}}, d.State))
}

func (w *writes) record() {
	ctx := context.Background()
	all, err := w.b.Payouts(ctx)
	must(w.t, err)
	outcomes := all.Outcomes()
	for _, l := range all.Lines {
		if outcomes[l.ID] == nil {
			_, err := w.b.RecordPayouts(ctx, []book.PayoutRecord{{LineID: l.ID, Status: book.PayoutPaid, Reference: w.next()}})
			must(w.t, err)
			return
		}
	}
}
