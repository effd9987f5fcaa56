package gateway

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"carryover/gateway/click"
	"carryover/gateway/pages"
	"carryover/mapping"
	"carryover/mapping/book"
)

// Join is how people take part over the gateway's own form. Whether there is one says
// the published map.
type Join struct {
	// Auto makes a promoter of an applicant at once. False: an operator decides.
	Auto bool

	// TermsURL is what applicants agree to. Empty: terms without an address.
	TermsURL string

	// Publish makes the book's promoters the live link map. Nil: somebody else does, and
	// the links of new promoters count from then on.
	Publish func(context.Context) error
}

// Bounds of an application.
const (
	maxForm = 64 << 10 // bytes

	// A form that comes back sooner was filled in by no person; after longer than a working
	// day its terms may have changed.
	youngestForm = 2 * time.Second
	oldestForm   = 12 * time.Hour

	thanksLast = time.Hour // the page after the form shows what became of it

	bookWithin    = 8 * time.Second
	publishWithin = 4 * time.Second // an answer does not wait longer
)

// What is sealed for the form, and for the page after it.
const (
	sealForm   = "join form"
	sealThanks = "join thanks"
)

// joinHandler answers for the program's own form: it shows it, takes what was entered, and
// has the links of new promoters published.
type joinHandler struct {
	book      *book.Book // nil: nobody can take part here
	auto      bool       // as in Join
	termsURL  string
	maps      *mapFollower
	keys      *click.Keyring
	visitors  *click.Visitors
	proxies   trustedProxies
	limits    *joinLimits
	publisher *publisher
	now       func() time.Time
	log       *slog.Logger
	failed    pages.Page // a page could not be made
}

// handleFormPost answers a form that was sent; what else is posted is for the routes after it.
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
	h.takeForm(ctx, l, d.Outcome == mapping.ToRejoin)
	return nil
}

// showForm answers GET and HEAD: with the form, or with what became of one.
func (h *joinHandler) showForm(ctx *fasthttp.RequestCtx, l *liveMap, rejoin bool, query string) {
	policy := l.table.Policy()
	if h.book == nil {
		h.render(ctx, fasthttp.StatusServiceUnavailable)(pages.JoinClosed(policy.Pages.Landing))
		return
	}
	if sealed, ok := thanksIn(query); ok {
		if t, ok := h.openThanks(sealed); ok {
			h.render(ctx, fasthttp.StatusOK)(t.page(&policy))
			return
		}
	}
	f := h.emptyForm(&policy, rejoin)
	h.render(ctx, fasthttp.StatusOK)(f.Render())
}

// takeForm answers POST. What was sent is on disk before the answer.
func (h *joinHandler) takeForm(ctx *fasthttp.RequestCtx, l *liveMap, rejoin bool) {
	policy := l.table.Policy()
	header := &ctx.Request.Header
	contentType, _, _ := bytes.Cut(header.ContentType(), []byte(";"))
	switch {
	case h.book == nil:
		h.render(ctx, fasthttp.StatusServiceUnavailable)(pages.JoinClosed(policy.Pages.Landing))
		return
	case len(ctx.Request.Body()) > maxForm:
		plain(ctx, fasthttp.StatusRequestEntityTooLarge, "The form is too long.")
		return
	case !strings.EqualFold(strings.TrimSpace(view(contentType)), "application/x-www-form-urlencoded"):
		plain(ctx, fasthttp.StatusUnsupportedMediaType, "Only the form itself can be sent here.")
		return
	case isCrossSite(view(header.Peek("Sec-Fetch-Site")), view(header.Peek("Origin")), view(header.Host())):
		plain(ctx, fasthttp.StatusForbidden, "The form can only be sent from its own page.")
		return
	}
	now := h.now()
	e := readEntry(ctx.PostArgs())
	f := h.emptyForm(&policy, rejoin)
	f.Name, f.Email, f.Website, f.Agreed = e.name, e.email, e.site, e.agreed
	again := func(status int, notice string) {
		f.Notice = notice
		h.render(ctx, status)(f.Render())
	}
	addr := h.proxies.visitorAddr(ctx)
	if !h.limits.visitor(addr, now) {
		ctx.Response.Header.SetCanonical(headerRetryAfter, oneMinute)
		again(fasthttp.StatusTooManyRequests, "Too many forms came from your network just now. Please wait a minute and press the button again.")
		return
	}
	if e.trapped { // a program fills in what no person sees: it learns nothing
		h.log.Info("a form with its hidden field filled in was dropped")
		h.toThanks(ctx, rejoin, thanks{what: waits, at: now})
		return
	}
	switch age, ok := h.formAge(e.form, now); {
	case !ok || age > oldestForm:
		again(fasthttp.StatusUnprocessableEntity, "This page had been open for a long time. Please look at what you entered, and press the button again.")
		return
	case age < youngestForm:
		f.Token = e.form
		again(fasthttp.StatusUnprocessableEntity, "That was quick. Please press the button once more.")
		return
	}
	f.Token = e.form
	application, wrong := e.check(rejoin)
	if f.Errors = wrong; len(wrong) > 0 {
		again(fasthttp.StatusUnprocessableEntity, "")
		return
	}
	if !h.limits.everybody(now) {
		ctx.Response.Header.SetCanonical(headerRetryAfter, oneMinute)
		again(fasthttp.StatusTooManyRequests, "Many people are signing up just now. Please wait a minute and press the button again.")
		return
	}
	application.AppliedAt, application.Visitor, application.Terms = now.Unix(), h.visitors.Hash(addr, now), h.terms()
	within, cancel := context.WithTimeout(context.Background(), bookWithin)
	defer cancel()
	done, err := h.book.SubmitApplication(within, application, h.auto)
	if err != nil {
		h.log.Error("an application could not be kept", "err", err)
		ctx.Response.Header.SetCanonical(headerRetryAfter, oneSecond)
		again(fasthttp.StatusServiceUnavailable, "Your form could not be saved just now. Please press the button again in a moment.")
		return
	}
	h.toThanks(ctx, rejoin, h.thanksFor(&policy, done, now))
}

// thanksFor says what the page after the form tells, and waits a little for a new link to
// be followed.
func (h *joinHandler) thanksFor(policy *mapping.Policy, done book.Admission, now time.Time) thanks {
	t := thanks{what: waits, at: now}
	if kept := done.Application.AppliedAt == now.Unix(); kept {
		h.log.Info("an application came", "application", done.Application.ID, "kind", done.Application.Kind, "state", done.Application.State)
	}
	if !h.auto { // the same for everybody: nobody learns who takes part
		return t
	}
	switch done.Outcome {
	case book.AdmissionActive:
		t.what = takesPart
	case book.AdmissionJoined, book.AdmissionRejoined:
		t.what, t.token = joined, done.Promoter.Token
		if done.Outcome == book.AdmissionRejoined {
			t.what = rejoined
		}
		t.counts = h.publishAndWait(policy, t.token)
	}
	return t
}

// publishAndWait publishes the link of a promoter and waits until it is followed here; false
// when that takes too long.
func (h *joinHandler) publishAndWait(policy *mapping.Policy, token string) bool {
	followed := func() bool {
		d := h.maps.live.Load().table.Resolve(mapping.Request{Host: policy.LegacyHosts[0], Path: "/r/" + token}, h.now())
		return d.Token == token && d.Credited()
	}
	if followed() {
		return true
	}
	late := time.NewTimer(publishWithin)
	defer late.Stop()
	published := h.publisher.ask()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-published.done:
			if published.err != nil {
				return false
			}
		case <-late.C:
			return false
		}
		if followed() {
			return true
		}
		select {
		case <-look.C:
		case <-late.C:
			return false
		}
	}
}

func (h *joinHandler) emptyForm(policy *mapping.Policy, rejoin bool) pages.JoinForm {
	return pages.JoinForm{
		Rejoin: rejoin, Landing: policy.Pages.Landing, TermsURL: h.termsURL,
		Token: h.keys.Seal(sealForm, strconv.FormatInt(h.now().UnixMilli(), 10)),
	}
}

// formAge is how long ago a form was shown; ok is false when it was none of ours.
func (h *joinHandler) formAge(sealed string, now time.Time) (age time.Duration, ok bool) {
	text, ok := h.keys.Open(sealForm, sealed)
	if !ok {
		return 0, false
	}
	at, err := strconv.ParseInt(text, 10, 64)
	return now.Sub(time.UnixMilli(at)), err == nil
}

// terms is what is kept of an agreement.
func (h *joinHandler) terms() string {
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

// isCrossSite reports whether a form was sent from another site's page. Browsers say so
// in one of two headers; what sends neither is no browser that somebody could misuse.
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
