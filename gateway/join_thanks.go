package gateway

import (
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"carryover/gateway/pages"
	"carryover/mapping"
)

// thanks is what the page after the form shows. It travels there in the address, sealed: a reload
// sends nothing twice, and nobody can make the page show a link of their own. It is readable, and
// tells nothing of the address that applied.
type thanks struct {
	token string // what the applicant's name may have; empty: a person decides about it
	at    time.Time
}

const thanksParam = "done="

// sealedThanks finds a sealed thanks in a query.
func sealedThanks(query string) (sealed string, ok bool) {
	return strings.CutPrefix(query, thanksParam)
}

// thanksLocation is the address of the page after the form.
func (h *joinHandler) thanksLocation(rejoin bool, t thanks) string {
	path := "/join?"
	if rejoin {
		path = "/rejoin?"
	}
	return path + thanksParam + h.keys.Seal(sealThanks, t.token+"\n"+strconv.FormatInt(t.at.Unix(), 10))
}

// redirect sends the browser from the form to another page, with GET.
func redirect(ctx *fasthttp.RequestCtx, location string) {
	header := &ctx.Response.Header
	ctx.Response.SetStatusCode(fasthttp.StatusSeeOther)
	header.SetCanonical(headerLocation, []byte(location))
	header.SetCanonical(headerCacheControl, privateNoStore)
	header.SetCanonical(headerRobots, noindex)
}

func (h *joinHandler) openThanks(sealed string) (t thanks, ok bool) {
	text, ok := h.keys.Open(sealThanks, sealed)
	token, at, found := strings.Cut(text, "\n")
	seconds, err := strconv.ParseInt(at, 10, 64)
	t = thanks{token, time.Unix(seconds, 0)}
	return t, ok && found && err == nil && h.now().Sub(t.at) < thanksAge
}

func (t *thanks) page(policy *mapping.Policy) (pages.Page, error) {
	link := ""
	if t.token != "" {
		link = "https://" + policy.LegacyHosts[0] + "/r/" + t.token
	}
	return pages.Thanks(policy.Pages.Landing, link)
}
