package gateway

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"

	"carryover/gateway/click"
	"carryover/gateway/pages"
	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Join says how people join the program over the gateway's own form. Whether there is such a
// form is in the published map.
type Join struct {
	// Auto makes an applicant who is new a promoter at once. False: an operator decides about
	// everybody.
	Auto bool

	// Reserved are names and addresses about which an operator decides in any case.
	Reserved *terms.ReservedNames

	// TermsURL is what applicants agree to. Empty: terms without an address.
	TermsURL string

	// Publish makes the book's promoters the live link map; changed is false when it was live
	// already. Nil: somebody else does, and the links of new promoters count from then on. It is
	// called at once and then after pauses, see [publisher].
	Publish func(context.Context) (changed bool, err error)
}

func (j *Join) rules() book.JoinRules {
	return book.JoinRules{Auto: j.Auto, Reserved: j.Reserved, MaxPerHour: maxJoinsPerHour, MaxWaiting: maxWaiting}
}

// Bounds of an application.
const (
	maxForm = 64 << 10 // bytes

	// A form that comes back sooner was filled in by no person; after longer than a working
	// day its terms may have changed.
	minFormAge = 2 * time.Second
	maxFormAge = 12 * time.Hour

	thanksAge = time.Hour // the page after the form shows its result for so long

	bookWithin = 8 * time.Second

	// An application is answered so long after it came, whatever was to do for it: how long it
	// takes tells nothing. Meanwhile the link of one who joined is mostly live.
	answerAfter = time.Second

	// Of those who join without a person in an hour, and of applications that wait, no more: as
	// many as a person can go through, and at most some 50 MB of the book.
	maxJoinsPerHour = 1000
	maxWaiting      = 20_000
)

// Purposes for which the form, and the page after it, carry something sealed.
const (
	sealForm   = "join form"
	sealThanks = "join thanks"
)

// joinHandler answers for the program's own form: it shows the form, takes what was entered
// and publishes the links of new promoters.
type joinHandler struct {
	book        *book.Book // nil: nobody can join here
	rules       book.JoinRules
	answerAfter time.Duration
	termsURL    string
	maps        *mapFollower
	keys        *click.Keyring
	visitors    *click.Visitors
	proxies     trustedProxies
	limits      *joinLimits
	load        formLoad
	used        *usedForms
	dropped     countedLog // forms with the hidden field filled in
	busy        countedLog // … that came without the work that is asked for
	full        countedLog // … that were not kept
	publisher   *publisher
	now         func() time.Time
	log         *slog.Logger
	failed      pages.Page // shown when another page could not be made
}

// handleFormPost answers a form that was sent; every other POST is for the routes after it.
func (h *joinHandler) handleFormPost(c *fiber.Ctx) error {
	ctx, l := c.Context(), h.maps.live.Load()
	if l == nil {
		return c.Next()
	}
	path, query := targetOf(ctx)
	d := l.resolve(view(ctx.Request.Header.Host()), path, query, h.now())
	if !d.Form {
		return c.Next()
	}
	h.submitForm(ctx, l, d.Outcome == mapping.ToRejoin)
	return nil
}

// showForm answers GET and HEAD: with the form, or with the result of one that was sent.
func (h *joinHandler) showForm(ctx *fasthttp.RequestCtx, l *liveMap, rejoin bool, query string) {
	policy := l.table.Policy()
	if h.book == nil {
		h.render(ctx, fasthttp.StatusServiceUnavailable)(pages.JoinClosed(policy.Pages.Landing))
		return
	}
	if sealed, ok := sealedThanks(query); ok {
		if t, ok := h.openThanks(sealed); ok {
			h.render(ctx, fasthttp.StatusOK)(t.page(&policy))
			return
		}
	}
	f := h.newForm(&policy, rejoin)
	h.render(ctx, fasthttp.StatusOK)(f.Render())
}

// acceptForm refuses what cannot be a form from its own page, and answers then.
func (h *joinHandler) acceptForm(ctx *fasthttp.RequestCtx, policy *mapping.Policy) bool {
	header := &ctx.Request.Header
	contentType, _, _ := bytes.Cut(header.ContentType(), []byte(";"))
	switch {
	case h.book == nil:
		h.render(ctx, fasthttp.StatusServiceUnavailable)(pages.JoinClosed(policy.Pages.Landing))
	case len(ctx.Request.Body()) > maxForm:
		plain(ctx, fasthttp.StatusRequestEntityTooLarge, "The form is too long.")
	case !strings.EqualFold(strings.TrimSpace(view(contentType)), "application/x-www-form-urlencoded"):
		plain(ctx, fasthttp.StatusUnsupportedMediaType, "Only the form itself can be sent here.")
	case isCrossSite(view(header.Peek("Sec-Fetch-Site")), view(header.Peek("Origin")), view(header.Host())):
		plain(ctx, fasthttp.StatusForbidden, "The form can only be sent from its own page.")
	default:
		return true
	}
	return false
}

// noteAdmission logs an application that is new, and has the link of one who joined published.
func (h *joinHandler) noteAdmission(admission *book.Admission, now time.Time) {
	a := &admission.Application
	if a.AppliedAt == now.Unix() { // else it is an earlier one
		h.log.Info("an application came", "application", a.ID, "kind", a.Kind, "state", a.State)
	}
	if a.State == book.ApplicationApproved {
		h.publisher.request()
	}
}

// countedLog writes a line a minute at most about what anybody can make happen, with how often it
// happened since the last one.
type countedLog struct {
	happened atomic.Int64
	write    rate.Sometimes
}

func (l *countedLog) note(write func(times int64)) {
	l.happened.Add(1)
	l.write.Do(func() { write(l.happened.Swap(0)) })
}

// wait returns when d has gone by since a moment.
func wait(since time.Time, d time.Duration) {
	if d -= time.Since(since); d > 0 {
		<-time.After(d)
	}
}

// publishBehind has the map published for those who joined before the gateway was killed.
func (h *joinHandler) publishBehind(ctx context.Context) {
	if h.book == nil || !h.rules.Auto {
		return
	}
	switch p, err := h.book.Publication(ctx); {
	case err != nil:
		h.log.Warn("how far the link map is behind the book could not be read", "err", err)
	case p.IsBehind() && p.Store != "":
		h.publisher.request()
	}
}

// newForm is an empty form with a token of its own.
func (h *joinHandler) newForm(policy *mapping.Policy, rejoin bool) pages.JoinForm {
	now := h.now()
	t := newFormToken(now, h.load.workBits(now))
	f := pages.JoinForm{Rejoin: rejoin, Landing: policy.Pages.Landing, TermsURL: h.termsURL, Token: h.sealToken(&t)}
	f.Bits, f.Parts, f.Nonce = t.bits, workParts, t.nonce
	return f
}

// termsText names what an applicant agreed to, for the book.
func (h *joinHandler) termsText() string {
	text := "the terms of the affiliate program"
	if h.termsURL != "" {
		text += " at " + h.termsURL
	}
	return text
}

// render answers with a page that was made for this request.
func (h *joinHandler) render(ctx *fasthttp.RequestCtx, status int) func(pages.Page, error) {
	return func(p pages.Page, err error) {
		if err != nil {
			h.log.Error("a page could not be made", "err", err)
			status, p = fasthttp.StatusInternalServerError, h.failed
		}
		page(ctx, status, &p)
	}
}

// isCrossSite reports whether a form was sent from another site's page. Every browser that could
// be misused for that sends one of the two headers.
func isCrossSite(fetchSite, origin, host string) bool {
	if fetchSite != "" {
		return fetchSite != "same-origin" && fetchSite != "none"
	}
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, host)
}
