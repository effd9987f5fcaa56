package gateway

import (
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"carryover/gateway/pages"
	"carryover/mapping"
)

// Results of a form, as they are sealed for the page after it.
const (
	outcomePending       = "waits"
	outcomeJoined        = "joined"
	outcomeRejoined      = "rejoined"
	outcomeAlreadyJoined = "takes part"
)

// thanks is what the page after the form shows. It travels there in the address, sealed: a reload
// sends nothing twice, and nobody can make the page show a link of their own.
type thanks struct {
	outcome string
	token   string
	live    bool // the gateway follows the link already
	at      time.Time
}

const thanksParam = "done="

// sealedThanks finds a sealed thanks in a query.
func sealedThanks(query string) (sealed string, ok bool) {
	return strings.CutPrefix(query, thanksParam)
}

// redirectToThanks sends the browser from the form to the page after it.
func (h *joinHandler) redirectToThanks(ctx *fasthttp.RequestCtx, rejoin bool, t thanks) {
	text := strings.Join([]string{t.outcome, t.token, strconv.FormatBool(t.live), strconv.FormatInt(t.at.Unix(), 10)}, "\n")
	path := "/join?"
	if rejoin {
		path = "/rejoin?"
	}
	header := &ctx.Response.Header
	ctx.Response.SetStatusCode(fasthttp.StatusSeeOther)
	header.SetCanonical(headerLocation, []byte(path+thanksParam+h.keys.Seal(sealThanks, text)))
	header.SetCanonical(headerCacheControl, privateNoStore)
	header.SetCanonical(headerRobots, noindex)
}

func (h *joinHandler) openThanks(sealed string) (t thanks, ok bool) {
	text, ok := h.keys.Open(sealThanks, sealed)
	fields := strings.Split(text, "\n")
	if !ok || len(fields) != 4 {
		return t, false
	}
	at, err := strconv.ParseInt(fields[3], 10, 64)
	t = thanks{fields[0], fields[1], fields[2] == "true", time.Unix(at, 0)}
	return t, err == nil && h.now().Sub(t.at) < thanksAge
}

func (t *thanks) page(policy *mapping.Policy) (pages.Page, error) {
	p := policy.Pages
	switch t.outcome {
	case outcomeJoined, outcomeRejoined:
		return pages.Welcome(p.Landing, p.Login, "https://"+policy.LegacyHosts[0]+"/r/"+t.token, t.outcome == outcomeRejoined, t.live)
	case outcomeAlreadyJoined:
		return pages.AlreadyJoined(p.Landing, p.Login)
	}
	return pages.Thanks(p.Landing)
}
