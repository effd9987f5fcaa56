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

	// Publish makes the book's promoters the live link map. Nil: somebody else does, and
	// the links of new promoters count from then on. It is called at once and then after pauses,
	// see [publisher].
	Publish func(context.Context) error
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
	maxJoinsPerHour = 200
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
	f := h.emptyForm(&policy, rejoin)
	h.render(ctx, fasthttp.StatusOK)(f.Render())
}

// submitForm answers POST. What was sent is in the book before the answer.
func (h *joinHandler) submitForm(ctx *fasthttp.RequestCtx, l *liveMap, rejoin bool) {
	policy := l.table.Policy()
	if !h.acceptForm(ctx, &policy) {
		return
	}
	now, arrived := h.now(), time.Now()
	entered := readFormEntry(ctx.PostArgs())
	form := h.emptyForm(&policy, rejoin)
	form.Name, form.Email, form.Website, form.Agreed = entered.name, entered.email, entered.site, entered.agreed
	showAgain := func(status int, notice string) {
		form.Notice = notice
		h.render(ctx, status)(form.Render())
	}
	addr := h.proxies.visitorAddr(ctx)
	if !h.limits.allowVisitor(addr, now) {
		ctx.Response.Header.SetCanonical(headerRetryAfter, oneMinute)
		showAgain(fasthttp.StatusTooManyRequests,
			"Too many forms came from your network just now. Please wait a minute and press the button again.")
		return
	}
	if entered.honeypot { // filled in by a program, which is told nothing
		h.log.Info("a form with its hidden field filled in was dropped")
		h.redirectToThanks(ctx, rejoin, thanks{at: now})
		wait(arrived, h.answerAfter)
		return
	}
	switch age, ok := h.formAge(entered.token, now); {
	case !ok || age > maxFormAge:
		showAgain(fasthttp.StatusUnprocessableEntity,
			"This page had been open for a long time. Please look at what you entered, and press the button again.")
		return
	case age < minFormAge:
		form.Token = entered.token
		showAgain(fasthttp.StatusUnprocessableEntity, "That was quick. Please press the button once more.")
		return
	}
	form.Token = entered.token
	application, errs := entered.check(rejoin)
	if form.Errors = errs; len(errs) > 0 {
		showAgain(fasthttp.StatusUnprocessableEntity, "")
		return
	}
	if !h.limits.allowAnybody(now) {
		ctx.Response.Header.SetCanonical(headerRetryAfter, oneMinute)
		showAgain(fasthttp.StatusTooManyRequests,
			"Many people are signing up just now. Please wait a minute and press the button again.")
		return
	}
	application.AppliedAt, application.Visitor, application.Terms = now.Unix(), h.visitors.Hash(addr, now), h.termsText()
	within, cancel := context.WithTimeout(context.Background(), bookWithin)
	defer cancel()
	admission, err := h.book.SubmitApplication(within, application, h.rules)
	if err != nil {
		h.log.Error("an application could not be saved", "err", err)
		ctx.Response.Header.SetCanonical(headerRetryAfter, oneSecond)
		showAgain(fasthttp.StatusServiceUnavailable,
			"Your form could not be saved just now. Please press the button again in a moment.")
		return
	}
	if admission.Outcome == book.AdmissionFull {
		h.log.Error("an application was not kept: too many wait; \"carryover applications\" lists them, approve or reject some",
			"waiting", maxWaiting)
		ctx.Response.Header.SetCanonical(headerRetryAfter, oneMinute)
		showAgain(fasthttp.StatusServiceUnavailable,
			"So many applications wait to be looked at that no more can be kept just now. Please try again tomorrow.")
		return
	}
	h.noteAdmission(&admission, now)
	h.redirectToThanks(ctx, rejoin, thanks{token: admission.Offered, at: now})
	wait(arrived, h.answerAfter)
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

func (h *joinHandler) emptyForm(policy *mapping.Policy, rejoin bool) pages.JoinForm {
	return pages.JoinForm{
		Rejoin: rejoin, Landing: policy.Pages.Landing, TermsURL: h.termsURL,
		Token: h.keys.Seal(sealForm, strconv.FormatInt(h.now().UnixMilli(), 10)),
	}
}

// formAge is how long ago a form was shown; ok is false for a form that the gateway did not make.
func (h *joinHandler) formAge(sealed string, now time.Time) (age time.Duration, ok bool) {
	text, ok := h.keys.Open(sealForm, sealed)
	if !ok {
		return 0, false
	}
	at, err := strconv.ParseInt(text, 10, 64)
	return now.Sub(time.UnixMilli(at)), err == nil
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
