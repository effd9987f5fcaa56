package gateway

import (
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"carryover/gateway/pages"
	"carryover/mapping"
)

// What became of a form, as the page after it tells.
const (
	waits     = "waits"
	joined    = "joined"
	rejoined  = "rejoined"
	takesPart = "takes part"
)

// thanks is what the page after the form shows. It goes there sealed: a reload sends
// nothing twice, and nobody else can make our page show a link.
type thanks struct {
	what   string
	token  string
	counts bool // the link is followed already
	at     time.Time
}

const thanksParam = "done="

func thanksIn(query string) (sealed string, ok bool) { return strings.CutPrefix(query, thanksParam) }

// toThanks sends the browser from its form to the page after it.
func (h *joinHandler) toThanks(ctx *fasthttp.RequestCtx, rejoin bool, t thanks) {
	text := strings.Join([]string{t.what, t.token, strconv.FormatBool(t.counts), strconv.FormatInt(t.at.Unix(), 10)}, "\n")
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
	return t, err == nil && h.now().Sub(t.at) < thanksLast
}

func (t *thanks) page(policy *mapping.Policy) (pages.Page, error) {
	p := policy.Pages
	switch t.what {
	case joined, rejoined:
		return pages.Welcome(p.Landing, p.Login, "https://"+policy.LegacyHosts[0]+"/r/"+t.token, t.what == rejoined, t.counts)
	case takesPart:
		return pages.AlreadyJoined(p.Landing, p.Login)
	}
	return pages.Thanks(p.Landing)
}
