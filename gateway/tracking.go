package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"carryover/gateway/click"
	"carryover/gateway/track"
	"carryover/mapping/book"
	"carryover/mapping/secret"
	"carryover/mapping/terms"
)

// Tracking says how the tracking API serves, and by which terms events are booked.
type Tracking struct {
	// Keys let callers in. None: nobody.
	Keys track.Keys

	// Accounts are the values of the header Account-ID that version 2 of the API accepts.
	Accounts []string

	// Campaign is the campaign of a commission in answers. 0: 1.
	Campaign int64

	// PerMinute is how many calls a minute each key may make. 0: any number.
	PerMinute int

	Terms        terms.Config
	Products     terms.Products
	Currency     string                        // the program's
	Rates        map[string]terms.ExchangeRate // of other currencies; one that is not there is refused
	CreditPolicy terms.CreditPolicy            // whom beside active promoters

	// Remember is how long refused events are kept, to be told again or booked once their
	// customer is known. 0: as long as there is room.
	Remember time.Duration

	// Forward sends every event to FirstPromoter too. Nil: events stay here.
	Forward *track.ForwardOptions

	submit track.Submitter // instead of a service over the book; for tests
}

// lookupTimeout bounds a question to the book beside the commits.
const lookupTimeout = 2 * time.Second

// trackingHandler is the tracking API and what works behind it.
type trackingHandler struct {
	book    *book.Book
	proxies trustedProxies
	metrics *metrics
	log     *slog.Logger

	api       *track.API
	submit    track.Submitter  // nil: events cannot be tracked here
	service   *track.Service   // the submitter where there is a book
	forwarder *track.Forwarder // nil: events go nowhere else
}

// open makes the API, and the service behind it where there is a book.
func (h *trackingHandler) open(o *Options, keys *click.Keyring, visitors *click.Visitors) (err error) {
	t := &o.Tracking
	if t.Forward != nil {
		if h.forwarder, err = track.NewForwarder(*t.Forward); err != nil {
			return err
		}
	}
	if len(t.Keys) == 0 {
		h.log.Info("the tracking API lets nobody in: there is no key in " + track.KeysVariable)
	}
	h.submit = t.submit
	if h.submit == nil && h.book != nil && len(t.Keys) > 0 {
		service := t.serviceOptions(o, keys)
		service.Visitors, service.Committed = visitors, h.metrics.observeBooking
		h.service = track.New(service)
		h.submit = h.service
	}
	h.api = track.NewAPI(track.APIOptions{
		Submit: h.submit, Keys: t.Keys, Accounts: t.Accounts, Campaign: t.Campaign, PerMinute: t.PerMinute, Zone: o.Zone,
		Now: o.Now, Logger: h.log,
	})
	return nil
}

// serviceOptions are by which rules events are booked.
func (t *Tracking) serviceOptions(o *Options, keys *click.Keyring) track.Options {
	return track.Options{
		Book: o.Book, Terms: t.Terms, Products: t.Products, Currency: t.Currency, Rates: t.Rates, CreditPolicy: t.CreditPolicy,
		Zone: o.Zone, Now: o.Now, Keys: keys, Forward: t.Forward != nil, Remember: t.Remember, Logger: o.Logger,
	}
}

// Retell tells refused events again, by the rules that a gateway with these options books by: those
// with the given ids, or all that are open. It may be called while a gateway serves.
func Retell(ctx context.Context, o Options, ids []int64) (list []track.Retold, err error) {
	s, err := secret.Open(o.DataDir)
	if err != nil {
		return nil, err
	}
	keys, err := click.NewKeyring(s.Keys(secret.Cookies)...)
	if err != nil {
		return nil, err
	}
	service := track.New(o.Tracking.serviceOptions(&o, keys))
	defer func() { err = errors.Join(err, service.Close(context.WithoutCancel(ctx))) }()
	return service.RetellAll(ctx, ids)
}

// droppedRefusals is how many refused events have gone for newer ones since the start.
func (h *trackingHandler) droppedRefusals() int64 {
	if h.service == nil {
		return 0
	}
	return h.service.DroppedRefusals()
}

// run starts what works behind the API, until ctx ends.
func (h *trackingHandler) run(ctx context.Context, working *sync.WaitGroup) {
	if h.service != nil {
		working.Go(func() { h.service.Watch(ctx) })
	}
	if h.book != nil {
		working.Go(func() {
			if err := h.book.RunWALCheckpointer(ctx); err != nil && ctx.Err() == nil {
				h.log.Warn("the write-ahead log of the book is not checkpointed in time: events may wait longer", "err", err)
			}
		})
	}
	if h.forwarder != nil {
		working.Go(func() {
			if err := h.forwarder.Run(ctx); err != nil && ctx.Err() == nil {
				h.log.Error("events no longer go to FirstPromoter: start the gateway again", "err", err)
			}
		})
	}
}

// handle answers a request for a path of the API.
func (h *trackingHandler) handle(c *fiber.Ctx) error {
	ctx := c.Context()
	path, query := targetOf(ctx)
	e := h.api.Serve(ctx, path, query, h.proxies.visitorAddr(ctx))
	h.metrics.countCall(e, ctx.Response.StatusCode())
	return nil
}

// fault is why events cannot be booked; nil when they can.
func (h *trackingHandler) fault() error {
	if f, ok := h.submit.(track.FaultReporter); ok {
		return f.Fault()
	}
	return nil
}

// forwarding says how many events wait for FirstPromoter, -1 when nobody knows, and since
// when the oldest does.
func (h *trackingHandler) forwarding() (int64, time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	n, age, err := h.forwarder.Waiting(ctx)
	if err != nil {
		return -1, 0
	}
	return n, age
}
