package gateway

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"time"

	"github.com/valyala/fasthttp"

	"carryover/gateway/pages"
	"carryover/mapping"
	"carryover/mapping/book"
)

// What a form says that is shown once more, with what was entered.
const (
	noticeNetwork = "Too many forms came from your network just now. Please wait a minute and press the button again."
	noticeDaily   = "Too many applications came from your network today. Please press the button again tomorrow."
	noticeOld     = "This page had been open for a long time. Please look at what you entered, and press the button again."
	noticeQuick   = "That was quick. Please press the button once more."
	noticeUsed    = "This form was sent before, with something else in it. Please look at it, and press the button to send it, too."
	noticeWork    = "Many forms are coming in just now. What you entered is kept: please press the button once more. " +
		"Your browser does a small piece of work first, which takes a few seconds."
	noticeFault = "Your form could not be saved just now. Please press the button again in a moment."
	noticeFull  = "So many applications wait to be looked at that no more can be kept just now. Please try again tomorrow."
)

// submission is a form that was sent.
type submission struct {
	ctx     *fasthttp.RequestCtx
	rejoin  bool
	addr    netip.Addr
	now     time.Time // by the gateway's clock
	arrived time.Time
	entered formEntry
	form    pages.JoinForm // as it is shown once more
}

// submitForm answers POST. What was sent is in the book before the answer.
func (h *joinHandler) submitForm(ctx *fasthttp.RequestCtx, l *liveMap, rejoin bool) {
	policy := l.table.Policy()
	if !h.acceptForm(ctx, &policy) {
		return
	}
	s := h.newSubmission(ctx, &policy, rejoin)
	if !h.limits.allowVisitor(s.addr, s.now) {
		h.showAgain(s, fasthttp.StatusTooManyRequests, noticeNetwork)
		return
	}
	if s.entered.honeypot { // filled in by a program, which is told nothing
		h.dropped.note(func(times int64) { h.log.Info("forms with their hidden field filled in were dropped", "forms", times) })
		redirect(ctx, h.thanksLocation(rejoin, thanks{at: s.now}))
		wait(s.arrived, h.answerAfter)
		return
	}
	token, ok := h.openToken(s.entered.token)
	age := s.now.Sub(token.at)
	switch {
	case !ok || age > maxFormAge || h.used.isForgotten(&token):
		h.showAgain(s, fasthttp.StatusUnprocessableEntity, noticeOld)
		return
	case age < minFormAge:
		s.keepToken(&token)
		h.showAgain(s, fasthttp.StatusUnprocessableEntity, noticeQuick)
		return
	}
	if needed := h.load.add(s.now); token.needsWork(s.entered.work, needed, s.now) {
		h.busy.note(func(times int64) {
			h.log.Warn("many forms come in: browsers have to do some work for each", "bits", needed, "forms_without", times)
		})
		h.renewToken(s)
		h.showAgain(s, fasthttp.StatusTooManyRequests, noticeWork)
		return
	}
	if used := h.used.find(&token); used != nil {
		h.answerUsed(s, used)
		return
	}
	s.keepToken(&token)
	application, errs := s.entered.check(rejoin)
	if s.form.Errors = errs; len(errs) > 0 {
		h.showAgain(s, fasthttp.StatusUnprocessableEntity, "")
		return
	}
	used, mine := h.used.claim(&token, s.digest(), s.now)
	if !mine {
		h.answerUsed(s, used)
		return
	}
	var location string
	defer func() { h.used.finish(used, location) }()
	if location = h.apply(s, application); location != "" {
		redirect(ctx, location)
		wait(s.arrived, h.answerAfter)
	}
}

func (h *joinHandler) newSubmission(ctx *fasthttp.RequestCtx, policy *mapping.Policy, rejoin bool) *submission {
	s := &submission{ctx: ctx, rejoin: rejoin, addr: h.proxies.visitorAddr(ctx), now: h.now(), arrived: time.Now(),
		entered: readFormEntry(ctx.PostArgs()), form: h.newForm(policy, rejoin)}
	s.form.Name, s.form.Email, s.form.Website, s.form.Agreed = s.entered.name, s.entered.email, s.entered.site, s.entered.agreed
	return s
}

// keepToken lets the form go out once more with the token that it came with, and the work that was
// done for it.
func (s *submission) keepToken(t *formToken) {
	s.form.Token, s.form.Bits, s.form.Nonce = s.entered.token, t.bits, t.nonce
	if t.isProven(s.entered.work) {
		s.form.Work = s.entered.work
	}
}

// renewToken gives the form a token that asks for as much work as forms need by now.
func (h *joinHandler) renewToken(s *submission) {
	t := newFormToken(s.now, h.load.workBits(s.now))
	s.form.Token, s.form.Bits, s.form.Nonce = h.sealToken(&t), t.bits, t.nonce
}

func (s *submission) digest() [sha256.Size]byte { return s.entered.digest(s.rejoin) }

// showAgain answers with the form once more and what was entered.
func (h *joinHandler) showAgain(s *submission, status int, notice string) {
	switch status {
	case fasthttp.StatusTooManyRequests:
		s.ctx.Response.Header.SetCanonical(headerRetryAfter, oneMinute)
	case fasthttp.StatusServiceUnavailable:
		s.ctx.Response.Header.SetCanonical(headerRetryAfter, oneSecond)
	}
	s.form.Notice = notice
	h.render(s.ctx, status)(s.form.Render())
}

// answerUsed answers a form whose token was used: the same entry with the same page, another one
// with the form once more.
func (h *joinHandler) answerUsed(s *submission, used *usedForm) {
	if used.entry != s.digest() {
		h.showAgain(s, fasthttp.StatusUnprocessableEntity, noticeUsed)
		return
	}
	patience := time.NewTimer(bookWithin)
	defer patience.Stop()
	select {
	case <-used.done:
	case <-patience.C:
	}
	if location := h.used.locationOf(used); location != "" {
		redirect(s.ctx, location)
		wait(s.arrived, h.answerAfter)
		return
	}
	h.showAgain(s, fasthttp.StatusServiceUnavailable, noticeFault)
}

// apply keeps an application, and returns the address of the page after it. Empty: it could not
// be kept, and that is answered.
func (h *joinHandler) apply(s *submission, a book.Application) (location string) {
	if !h.limits.allowApplication(s.addr, s.now) {
		h.showAgain(s, fasthttp.StatusTooManyRequests, noticeDaily)
		return ""
	}
	a.AppliedAt, a.Visitor, a.Terms = s.now.Unix(), h.visitors.Hash(s.addr, s.now), h.termsText()
	within, cancel := context.WithTimeout(context.Background(), bookWithin)
	defer cancel()
	rules := h.rules
	rules.Crowded = !h.limits.allowAtOnce(s.addr, s.now)
	admission, err := h.book.SubmitApplication(within, a, rules)
	switch {
	case err != nil:
		h.full.note(func(times int64) { h.log.Error("applications could not be saved", "err", err, "applications", times) })
		h.showAgain(s, fasthttp.StatusServiceUnavailable, noticeFault)
		return ""
	case admission.Outcome == book.AdmissionFull:
		h.full.note(func(times int64) {
			h.log.Error("applications are not kept: too many wait; \"carryover applications\" lists them, approve or reject some",
				"waiting", maxWaiting, "applications", times)
		})
		h.showAgain(s, fasthttp.StatusServiceUnavailable, noticeFull)
		return ""
	}
	h.load.keep(s.now)
	h.noteAdmission(&admission, s.now)
	return h.thanksLocation(s.rejoin, thanks{token: admission.Offered, at: s.now})
}
