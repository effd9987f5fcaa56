package gateway

import (
	"context"
	"time"

	"github.com/valyala/fasthttp"

	"carryover/gateway/track"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Tracking is what the tracking API, and what it books, need to know of the program.
type Tracking struct {
	// Keys are the API's. None: it lets nobody in.
	Keys track.Keys

	// Accounts are what the header Account-ID may be in version 2 of the API.
	Accounts []string

	// Campaign is what answers name as the campaign of a commission. 0: 1.
	Campaign int64

	// PerMinute is how many calls a minute each key may make. 0: any number.
	PerMinute int

	Terms        terms.Config
	Products     terms.Products
	Currency     string                        // the program's
	Rates        map[string]terms.ExchangeRate // of other currencies; one that is not there is refused
	CreditPolicy terms.CreditPolicy            // whom beside active promoters

	// Forward sends every event to FirstPromoter too. Nil: events stay here.
	Forward *track.ForwardOptions

	submit track.Submitter // instead of a service over the book, for tests
}

// findWithin bounds the search for a click that has not reached the book yet.
const findWithin = 2 * time.Second

// startTracking makes the tracking API, and the service behind it where there is a book.
func (a *App) startTracking() (err error) {
	t := &a.o.Tracking
	if t.Forward != nil {
		if a.forwarder, err = track.NewForwarder(*t.Forward); err != nil {
			return err
		}
	}
	submit := t.submit
	if submit == nil && a.o.Book != nil && len(t.Keys) > 0 {
		a.tracker = track.New(track.Options{
			Book: a.o.Book, Terms: t.Terms, Products: t.Products, Currency: t.Currency, Rates: t.Rates, CreditPolicy: t.CreditPolicy,
			Zone: a.o.Zone, Now: a.o.Now, Keys: a.keys, Visitors: a.visitors, FindClick: a.findClick, Forward: t.Forward != nil,
			Committed: a.metrics.bookedEvents, Logger: a.o.Logger,
		})
		submit = a.tracker
	}
	a.api = track.NewAPI(track.APIOptions{
		Submit: submit, Keys: t.Keys, Accounts: t.Accounts, Campaign: t.Campaign, PerMinute: t.PerMinute, Now: a.o.Now, Logger: a.o.Logger,
	})
	return nil
}

// track begins what works behind the API.
func (a *App) track(ctx context.Context) {
	if a.tracker != nil {
		a.working.Go(func() { a.tracker.Watch(ctx) })
		a.working.Go(func() {
			if err := a.o.Book.RunWALCheckpointer(ctx); err != nil && ctx.Err() == nil {
				a.o.Logger.Warn("the log of the book is not tended: events may wait longer", "err", err)
			}
		})
	}
	if a.forwarder != nil {
		a.working.Go(func() {
			if err := a.forwarder.Run(ctx); err != nil && ctx.Err() == nil {
				a.o.Logger.Error("events no longer go to FirstPromoter: start the gateway again", "err", err)
			}
		})
	}
}

// serveAPI answers a request for a path of the API.
func (a *App) serveAPI(ctx *fasthttp.RequestCtx, path, query string) {
	e := a.api.Serve(ctx, path, query, a.visitorAddr(ctx))
	a.metrics.called(e, ctx.Response.StatusCode())
}

// findClick finds a click by its id: in the book, or on its way there from this gateway.
func (a *App) findClick(id book.ClickID) (track.Click, bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), findWithin)
	defer cancel()
	c, ok, err := a.o.Book.ClickByID(ctx, id.Node, id.Seq)
	if err == nil && !ok && id.Node == a.recorder.Node() {
		if c, ok, err = a.drainer.Find(ctx, id); err == nil && !ok { // it may have moved on meanwhile
			c, ok, err = a.o.Book.ClickByID(ctx, id.Node, id.Seq)
		}
	}
	if err != nil {
		a.o.Logger.Warn("a click that an event names could not be looked up: whoever sent the event is told to send it again", "click", id.String(), "err", err)
	}
	return track.Click{Token: c.Token, At: c.At}, ok && c.Token != "", err
}

// trackFault is why events cannot be booked; nil when they can.
func (a *App) trackFault() error {
	submit := a.o.Tracking.submit
	if submit == nil && a.tracker != nil {
		submit = a.tracker
	}
	if f, ok := submit.(track.FaultReporter); ok {
		return f.Fault()
	}
	return nil
}

// forwarding says how many events wait for FirstPromoter, -1 when nobody knows, and since
// when the oldest does.
func (a *App) forwarding() (int64, time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), findWithin)
	defer cancel()
	n, age, err := a.forwarder.Waiting(ctx)
	if err != nil {
		return -1, 0
	}
	return n, age
}
