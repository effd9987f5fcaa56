package track

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// desk books one call.
type desk struct {
	s     *Service
	t     *book.Tracking
	call  *Call
	touch touch
	now   int64 // Unix seconds

	visitor string  // hash of the customer's address
	sold    string  // of a refund that names no currency: that of the sale
	doubted []int64 // ids of lines that a person should look at
}

// safely is book for the one goroutine that books for everybody: a panic must not end it.
func (d *desk) safely() (r Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.s.o.Logger.Error("booking an event went wrong in a way that it must not", "panic", p, "stack", string(debug.Stack()))
			r, err = Result{}, fmt.Errorf("BUG: %v", p)
		}
	}()
	return d.book()
}

func (d *desk) book() (Result, error) {
	if d.s.o.Visitors != nil {
		d.visitor = d.s.o.Visitors.Hash(d.call.Address, time.Unix(d.now, 0))
	}
	switch d.call.Kind {
	case book.EventSignup:
		return d.signup()
	case book.EventSale:
		return d.sale()
	case book.EventRefund:
		return d.refund()
	case book.EventCancellation:
		return d.cancellation()
	}
	return Result{}, fmt.Errorf("BUG: a call of kind %q", d.call.Kind)
}

// at is when it happened.
func (d *desk) at() int64 {
	if d.call.CreatedAt != 0 {
		return d.call.CreatedAt
	}
	return d.now
}

func (d *desk) month(at int64) int32 {
	return int32(terms.MonthOf(time.Unix(at, 0), d.s.o.Zone))
}

// told finds an event of the call's kind and id that was booked before.
func (d *desk) told() (Result, bool, error) {
	if d.call.EventID == "" {
		return Result{}, false, nil
	}
	e, ok, err := d.t.EventByExternalID(d.call.Kind, d.call.EventID)
	return Result{Outcome: Repeated, Event: e}, ok, err
}

// customer finds whom the call means. What it tells of a known customer and nobody knew
// is filled in when something is booked. The billing system's own id goes before an
// address, which people share and change.
func (d *desk) customer() (c book.Customer, known bool, err error) {
	if d.call.UID != "" {
		if c, known, err = d.t.CustomerByUID(d.call.UID); err != nil || known {
			return c, known, err
		}
	}
	if d.call.Email != "" {
		if c, known, err = d.t.CustomerByEmail(d.call.Email); err != nil || known {
			return c, known, err
		}
	}
	return book.Customer{Email: d.call.Email, UID: d.call.UID, CreatedAt: d.now}, false, nil
}

// nobody says that a call credits nobody, and why. When it named somebody that is kept, so
// that a person can be told.
func (d *desk) nobody(a *terms.Attribution) (Result, error) {
	r := Result{Outcome: NotReferred, Message: "the customer is no promoter's"}
	var why []string
	for _, k := range a.Candidates {
		field := map[string]string{terms.ByClick: "tid", terms.ByToken: "ref_id", terms.ByCoupon: "promo_code", terms.ByHistory: "Keap's referral"}[k.By]
		switch {
		case k.By == terms.ByOwner || k.By == terms.ByCarried:
			r.Message = "the customer's promoter earns nothing"
		case k.Outcome == terms.OutcomeNobody && k.By == terms.ByClick && k.Named == "":
			why = append(why, "tid: no click that is known")
		case k.Outcome != terms.OutcomeWon && k.Outcome != terms.OutcomeNotAsked:
			why = append(why, strings.TrimSpace(field+" "+k.Named)+": "+k.Outcome)
		}
	}
	if len(why) > 0 {
		r.Message += " (" + strings.Join(why, ", ") + ")"
	}
	named := slices.ContainsFunc(a.Candidates, func(k terms.Candidate) bool { return k.Promoter != 0 })
	if d.call.TID == "" && d.call.RefID == "" && d.call.PromoCode == "" && !named {
		return r, nil
	}
	e, err := d.event(&book.Customer{}, *a, "", 0)
	if err != nil {
		return r, err
	}
	return r, d.t.AddUnattributed(&book.UnattributedEvent{Kind: e.Kind, ExternalID: e.ExternalID, Email: d.call.Email, UID: d.call.UID, At: e.At, ReceivedAt: e.ReceivedAt, Evidence: e.Evidence})
}

// keep books the customer, or what the call tells of it beyond what is known.
func (d *desk) keep(c *book.Customer) error {
	if c.ID == 0 {
		return d.t.AddCustomer(c)
	}
	named := *c
	if named.UID == "" {
		named.UID = d.call.UID // nobody has it: the customer would have been found by it
	}
	if named.Email == "" && d.call.Email != "" {
		if _, taken, err := d.t.CustomerByEmail(d.call.Email); err != nil {
			return err
		} else if !taken {
			named.Email = d.call.Email
		}
	}
	if named == *c {
		return nil
	}
	*c = named
	return d.t.NameCustomer(c)
}

// attribute says whose the customer is.
func (d *desk) attribute(c *book.Customer) (terms.Attribution, error) {
	dir := d.t.Directory()
	promoter := func(k terms.Candidate, o book.Owner) terms.Candidate {
		if p := o.Creditable(); p != nil {
			k.Promoter, k.Status = p.ID, p.Status
			if k.Named == "" {
				k.Named = p.Token
			}
		}
		return k
	}
	// What the call names, in the order in which it is asked.
	var named []terms.Candidate
	var first *terms.Candidate
	if d.touch.given {
		last := promoter(d.touch.last, dir.ByToken(d.touch.last.Named))
		named = append(named, last)
		if d.touch.first.Named != "" {
			k := promoter(d.touch.first, dir.ByToken(d.touch.first.Named))
			first = &k
			if last.At > d.at()+terms.ClockSkew { // then the last click before the sign-up is the first one, as far as is known
				named = append(named, k)
			}
		} else if last.Promoter != 0 && last.At <= d.at()+terms.ClockSkew {
			first = &last
		}
	}
	if d.call.RefID != "" {
		named = append(named, promoter(terms.Candidate{By: terms.ByToken, Named: d.call.RefID}, dir.ByToken(d.call.RefID)))
	}
	if d.call.PromoCode != "" {
		named = append(named, promoter(terms.Candidate{By: terms.ByCoupon, Named: d.call.PromoCode}, dir.ByCoupon(d.call.PromoCode)))
	}
	owned := func(owner terms.Candidate) (terms.Attribution, error) {
		return terms.Attribute(d.at(), append([]terms.Candidate{owner}, named...), nil, d.s.o.CreditPolicy), nil
	}
	if c.PromoterID != 0 {
		return owned(promoter(terms.Candidate{By: terms.ByOwner, At: c.BoundAt}, dir.ByID(c.PromoterID)))
	}
	var carried book.Referral
	if c.Email != "" {
		var err error
		if carried, _, err = d.t.Carried(c.Email); err != nil {
			return terms.Attribution{}, err
		}
	}
	if carried.PartnerID != 0 || carried.Rule == terms.RuleHouse {
		owner := promoter(terms.Candidate{By: terms.ByCarried, At: carried.ReferredAt}, dir.ByPartner(carried.PartnerID))
		if carried.Rule == terms.RuleHouse {
			owner.Named = "the program's own partner"
		}
		return owned(owner)
	}
	if carried.Rule == terms.RuleLater {
		rows, err := d.t.History(c.Email)
		if err != nil {
			return terms.Attribution{}, err
		}
		today := time.Unix(d.at(), 0).In(d.s.o.Zone).Format(time.DateOnly)
		for _, r := range rows {
			if r.SetAt <= d.at() && (r.ExpiresOn == "" || r.ExpiresOn >= today) {
				named = append(named, promoter(terms.Candidate{By: terms.ByHistory, At: r.SetAt}, dir.ByPartner(r.PartnerID)))
				break
			}
		}
	}
	return terms.Attribute(d.at(), named, first, d.s.o.CreditPolicy), nil
}

// bind gives the customer to the promoter of a, for life, unless it was his before.
func (d *desk) bind(c *book.Customer, a *terms.Attribution) error {
	if a.AlreadyBound() {
		return nil
	}
	p := d.t.Directory().ByID(a.Promoter).Promoter
	c.PromoterID, c.BoundAt, c.Visitor = a.Promoter, d.at(), d.visitor
	for _, k := range a.Candidates {
		if k.Outcome == terms.OutcomeWon && k.By == terms.ByClick {
			c.ClickedAt = k.At
		}
	}
	var suspicion []string
	self := p != nil && c.Email != "" && c.Email == p.Email
	if !self && d.visitor != "" {
		var err error
		if self, err = d.t.AppliedFrom(a.Promoter, d.visitor); err != nil {
			return err
		}
	}
	if self {
		suspicion = append(suspicion, book.ReasonSelf)
	}
	if d.visitor != "" {
		n, err := d.t.Sharing(a.Promoter, d.visitor)
		if err != nil {
			return err
		}
		if n+1 >= sharedCustomers {
			suspicion = append(suspicion, book.ReasonShared)
		}
	}
	c.Suspicion = strings.Join(suspicion, " ")
	return d.t.BindCustomer(c)
}

// event is the call as the book keeps it.
func (d *desk) event(c *book.Customer, a terms.Attribution, note string, sale int64) (book.Event, error) {
	v := book.Evidence{Attribution: a, RefID: d.call.RefID, Coupon: d.call.PromoCode, Click: d.touch.last.Click, Visitor: d.visitor, Note: note}
	if cur := d.currency(); cur != d.s.o.Currency {
		v.Rate = cur + " " + d.s.o.Rates[cur].String()
	}
	// From the owner at Keap it has been taken already.
	if a.Promoter != 0 && a.By != terms.ByCarried && d.call.Kind == book.EventRefund && sale == 0 {
		v.Sale = d.call.SaleEventID
	}
	text, err := json.Marshal(v)
	return book.Event{
		Kind: d.call.Kind, ExternalID: d.call.EventID, CustomerID: c.ID, At: d.at(), ReceivedAt: d.now,
		Amount: d.call.Amount, Currency: d.currency(), Quantity: d.call.Quantity, Plan: d.call.Plan, PromoterID: a.Promoter, Evidence: string(text), SaleEventID: sale,
	}, err
}

func (d *desk) currency() string { return cmp.Or(d.call.Currency, d.sold, d.s.o.Currency) }

// converts says whether amounts of the call can be told in the program's currency.
func (d *desk) converts() (Result, bool) {
	cur := d.currency()
	if cur == d.s.o.Currency {
		return Result{}, true
	}
	if rate, ok := d.s.o.Rates[cur]; ok {
		if n, fits := rate.Convert(d.call.Amount, cur, d.s.o.Currency); fits && n <= MaxAmount {
			return Result{}, true
		}
		return Result{Outcome: Invalid, Field: "amount", Message: fmt.Sprintf("comes to too much in %s", d.s.o.Currency)}, false
	}
	return Result{Outcome: Invalid, Field: "currency", Message: fmt.Sprintf("is %s, and the program counts in %s: send that, or set a rate under [tracking.currencies]", cur, d.s.o.Currency)}, false
}

// own is an amount of the call in the program's currency.
func (d *desk) own(amount int64) int64 {
	if cur := d.currency(); cur != d.s.o.Currency {
		amount, _ = d.s.o.Rates[cur].Convert(amount, cur, d.s.o.Currency) // as converts has found
	}
	return amount
}

// write books the call as an event with its lines. sale is the event that it takes back
// from, 0 for none.
func (d *desk) write(c *book.Customer, a terms.Attribution, lines []book.EventLine, note string, sale int64) (Result, error) {
	e, err := d.event(c, a, note, sale)
	if err != nil {
		return Result{}, err
	}
	if err := d.t.AddEvent(&e, lines); err != nil {
		return Result{}, err
	}
	p := d.t.Directory().ByID(e.PromoterID).Promoter
	if d.s.o.Forward {
		token := "" // said of a customer that the event makes the promoter's
		if p != nil && (e.Kind == book.EventSignup || e.Kind == book.EventSale && !a.AlreadyBound()) {
			token = p.Token
		}
		if err := d.t.AddOutbox(e.ID, c.ID, d.now, forwardBody(d.call, &e, token)); err != nil {
			return Result{}, err
		}
	}
	return Result{Outcome: Booked, Event: e, Customer: *c, Lines: lines, Promoter: p}, nil
}
