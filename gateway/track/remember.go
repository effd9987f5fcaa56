package track

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"carryover/mapping/book"
)

// answeredStatus is the status that a call is answered with that credits nobody, or is invalid.
func answeredStatus(c *Call, o Outcome) int {
	switch {
	case o == Invalid:
		return 400
	case c.Origin.V1 && c.Kind != book.EventSignup:
		return 204
	}
	return 404
}

// settle keeps a call that was refused. What became of one that was kept is noted there.
func (b *booking) settle(r *Result) error {
	refused := r.Outcome == NotReferred || r.Outcome == Invalid
	reason := r.Message
	if r.Outcome == Invalid {
		reason = newValidationResponse([]fieldError{{r.Field, r.Message}}).Message
	}
	if e := b.refused; e != nil {
		e.SettledAt = b.now
		switch {
		case refused:
			e.SettledAt, e.Status, e.Reason, e.Waits = 0, int64(answeredStatus(b.call, r.Outcome)), reason, b.waits
			e.Evidence = cmp.Or(b.evidence, e.Evidence)
		case r.Outcome == Booked:
			e.State, e.Waits = book.RefusedBooked, false
		default:
			e.State, e.Waits = book.RefusedDone, false
		}
		return b.t.SettleRefused(e)
	}
	if !refused {
		return nil
	}
	e := newRefusal(b.call.Origin, b.call.Kind, answeredStatus(b.call, r.Outcome), reason, b.now)
	keepCall(e, b.call, b.s.o.Zone)
	e.Visitor, e.Waits, e.Evidence = b.visitor, b.waits && r.Outcome == NotReferred, b.evidence
	return b.s.addRefused(b.t, e)
}

// addRefused keeps a refused event, and counts those that had to go for it.
func (s *Service) addRefused(t *book.Tracking, e *book.RefusedEvent) error {
	dropped, err := t.AddRefused(e)
	if dropped > 0 && s.dropped.Add(int64(dropped)) == int64(dropped) {
		s.o.Logger.Warn("there are more refused events than are kept: the oldest go; \"carryover tracking refused\" lists them")
	}
	return err
}

// DroppedRefusals is how many refused events have gone for newer ones, unsettled, since the start.
func (s *Service) DroppedRefusals() int64 { return s.dropped.Load() }

// order is the order in which events are booked that came before their customer was known: as
// they belong together, and then as they happened.
var order = map[string]int{book.EventSignup: 0, book.EventSale: 1, book.EventRefund: 2, book.EventCancellation: 3}

// maxRemembered bounds what one call may book that was told before: more than a customer has in the
// time for which it is remembered.
const maxRemembered = 1000

// bookRemembered books what was told of a customer before it was known whose it is, as if it had
// come in order. r is what has made that known.
func (b *booking) bookRemembered(r *Result) error {
	if waiting, err := b.mayBeWaitedFor(&r.Customer); err != nil || !waiting {
		return err
	}
	tried := map[int64]bool{}
	names := []customerNames{b.names(&r.Customer)}
	for i := 0; i < len(names) && len(tried) < maxRemembered; i++ {
		n := names[i]
		list, err := b.t.WaitingRefused(n.email, n.other, n.uid)
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(e book.RefusedEvent) bool { return tried[e.ID] })
		slices.SortStableFunc(list, func(x, y book.RefusedEvent) int {
			return cmp.Or(cmp.Compare(order[x.Kind], order[y.Kind]), cmp.Compare(x.At, y.At))
		})
		for i := range list {
			e := &list[i]
			tried[e.ID] = true
			again, r, err := b.retell(e, true)
			if err != nil {
				return err
			}
			if n := again.names(&r.Customer); (r.Outcome == Booked || again.completed) && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return nil
}

// mayBeWaitedFor reports whether refused events may wait for what was booked: for a customer who is
// new, or has a new name, any; for a further sale of one who was known, refunds.
func (b *booking) mayBeWaitedFor(c *book.Customer) (bool, error) {
	waiting, err := b.t.HasWaitingRefused()
	switch {
	case err != nil || !waiting || b.completed || c.CreatedAt == b.now:
		return waiting, err
	case b.call.Kind == book.EventSale:
		return b.t.HasWaitingRefund(c.Email, c.UID)
	}
	return false, nil
}

// customerNames are the names of a customer, and the further address that a call came with.
type customerNames struct{ email, other, uid string }

func (b *booking) names(c *book.Customer) customerNames {
	n := customerNames{email: c.Email, uid: c.UID}
	if b.identity.other != otherEmail {
		n.other = b.call.Email
	}
	return n
}

// retell books a refused event by the rules of now, and notes what became of it. remembered: by itself,
// since its customer is known now.
func (b *booking) retell(e *book.RefusedEvent, remembered bool) (*booking, Result, error) {
	c, wrong := b.s.readRefused(e)
	if wrong != "" {
		return b, Result{Outcome: Invalid, Message: wrong}, nil
	}
	c.Origin = Origin{V1: e.Status == 204}
	why := "when it was told again"
	if remembered {
		why = "once its customer was known"
	}
	told := time.Unix(e.At, 0).In(b.s.o.Zone).Format("2006-01-02 15:04")
	again := &booking{
		s: b.s, t: b.t, call: c, touch: b.s.readTouch(c), now: b.now, visitor: e.Visitor, refused: e, remembered: remembered,
		note: fmt.Sprintf("told first on %s, and answered %d: booked %s", told, e.Status, why),
	}
	r, err := again.book()
	return again, r, err
}

// Keep keeps something that was refused before it could be booked; it returns when that is on
// disk.
func (s *Service) Keep(ctx context.Context, e *book.RefusedEvent) error {
	_, err := s.group.Submit(ctx, &pending{refusal: e, now: s.o.Now().Unix()})
	return err
}

// Retell tells a refused event again, now that its cause may be mended. Its outcome is Duplicate
// when that was done before. With an error nothing of it was booked.
func (s *Service) Retell(ctx context.Context, id int64) (Result, error) {
	return s.group.Submit(ctx, &pending{retell: id, now: s.o.Now().Unix()})
}

// retellByID is [Service.Retell] within a transaction.
func (s *Service) retellByID(t *book.Tracking, id, now int64) (Result, error) {
	e, ok, err := t.Refused(id)
	switch {
	case err != nil:
		return Result{}, err
	case !ok:
		return Result{Outcome: Invalid, Message: "there is no such refused event, or it was let go"}, nil
	case e.State == book.RefusedPast:
		return Result{Outcome: Invalid, Message: "it is from before what [tracking] remember keeps"}, nil
	case e.State != book.RefusedOpen:
		return Result{Outcome: Duplicate}, nil
	}
	b := booking{s: s, t: t, now: now, call: &Call{}}
	again, r, err := b.retell(&e, false)
	if err == nil && (r.Outcome == Booked || again.completed) {
		err = again.bookRemembered(&r)
	}
	return r, err
}

// Retold is what became of a refused event that was told again.
type Retold struct {
	ID      int64  `json:"id"`
	Outcome string `json:"outcome"` // booked; done, it was booked before; or refused
	Reason  string `json:"reason,omitempty"`
}

// RetellAll tells refused events again, one by one: those with the given ids, or all that are
// open, in the order in which events belong together.
func (s *Service) RetellAll(ctx context.Context, ids []int64) (list []Retold, err error) {
	if len(ids) == 0 {
		open, err := s.o.Book.RefusedEvents(ctx, false)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(open, func(x, y book.RefusedEvent) int {
			return cmp.Or(cmp.Compare(order[x.Kind], order[y.Kind]), cmp.Compare(x.At, y.At))
		})
		for _, e := range open {
			ids = append(ids, e.ID)
		}
	}
	for _, id := range ids {
		r, err := s.Retell(ctx, id)
		if err != nil {
			return list, fmt.Errorf("refused event %d: %w", id, err)
		}
		told := Retold{ID: id, Outcome: book.RefusedDone}
		switch r.Outcome {
		case Booked:
			told.Outcome = book.RefusedBooked
		case NotReferred, Invalid:
			told.Outcome, told.Reason = "refused", cmp.Or(r.Message, "the customer is no promoter's")
			if r.Field != "" {
				told.Reason = r.Field + " " + told.Reason
			}
		}
		list = append(list, told)
	}
	return list, nil
}
