package mapping

import (
	"fmt"
	"strings"
	"time"
)

// trace collects the steps of a decision. Resolve runs without one: a nil trace says
// nothing and costs nothing.
type trace struct{ steps []string }

// say is only called behind "if why != nil", so that its arguments are not made for
// nothing.
func (w *trace) say(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf(format, args...))
}

// Resolve says what the gateway answers to req at the instant now. It never blocks,
// never allocates on the forwarding path beyond the location itself, and never returns
// a location whose host is not in the table.
func (t *Table) Resolve(req Request, now time.Time) Decision { return t.resolve(req, now, nil) }

// Explain is [Table.Resolve] with the steps that led to the decision, as sentences.
func (t *Table) Explain(req Request, now time.Time) (Decision, []string) {
	var why trace
	d := t.resolve(req, now, &why)
	return d, why.steps
}

func (t *Table) resolve(req Request, now time.Time, why *trace) Decision {
	d := t.decide(req, now, why)
	if d.Location != "" && !t.sendable(d.Location) {
		if why != nil {
			why.say("the location %q is not on an allowed host and is not sent", d.Location)
		}
		return Decision{Outcome: NotFound, Miss: true}
	}
	if d.Expired && d.Location != "" && t.policy.AfterCutoff == AfterPage {
		if why != nil {
			why.say("after the cutoff this program shows its own page instead of a redirect to %s", d.Location)
		}
		d.Page, d.Location = true, ""
	}
	return d
}

func (t *Table) decide(req Request, now time.Time, why *trace) Decision {
	if !t.hosts[req.Host] && !t.hosts[hostname(req.Host)] {
		if why != nil {
			why.say("host %q is none that old links come to (%s)", req.Host, strings.Join(t.policy.LegacyHosts, ", "))
		}
		return Decision{Outcome: NotFound, Miss: true}
	}
	if e, ok := t.paths[req.Path]; ok {
		return t.atPath(e, req, now, why)
	}
	s := cutSegments(req.Path)
	if why != nil && s.repaired {
		why.say("the path %q came damaged and was repaired", req.Path)
	}
	if s.n >= 2 {
		switch channel := s.parts[0].clean; {
		case strings.EqualFold(channel, "go"):
			return t.goLink(&s, req.Query, now, why)
		case strings.EqualFold(channel, "k"):
			return t.keapLink(&s, req.Query, now, why)
		case strings.EqualFold(channel, "r"):
			return t.newLink(&s, req.Query, now, why)
		}
	}
	if s.n == 0 {
		return t.siteParameters(req.Query, now, why)
	}
	if e, ok := t.pathsFold[s.joined()]; ok {
		return t.atPath(e, req, now, why)
	}
	if s.n == 1 && t.policy.RootCodes {
		w := t.partnerByCode(s.parts[0], why)
		return t.answer(nil, w, "", req.Query, now, why)
	}
	if why != nil {
		why.say("the path %q has no shape of an old link", req.Path)
	}
	return Decision{Outcome: NotFound, Miss: true}
}

// goLink is a tracking link: /go/<link>[/<code>[/<ad>]].
func (t *Table) goLink(s *segments, query string, now time.Time, why *trace) Decision {
	l := t.linkByCode(s.parts[1], why)
	var w who
	var ad string
	if s.n > 2 {
		w = t.partnerByCode(s.parts[2], why)
	} else if why != nil {
		why.say("the link names no partner")
	}
	if s.n > 3 {
		ad = cleanAd(s.parts[3].clean)
	}
	return t.answer(l, w, ad, query, now, why)
}

// keapLink is a Keap link that was re-pointed here: /k/<link>?affiliate=<Keap id>.
func (t *Table) keapLink(s *segments, query string, now time.Time, why *trace) Decision {
	l := t.linkByCode(s.parts[1], why)
	var w who
	if _, value, ok := t.byID.firstValue(query); ok {
		w = t.partnerByID(value, why)
	} else if why != nil {
		why.say("the link names no partner")
	}
	return t.answer(l, w, "", query, now, why)
}

// siteParameters is the root with ?aff=, ?affcode= or ?affiliate=: an unknown link with
// that partner.
func (t *Table) siteParameters(query string, now time.Time, why *trace) Decision {
	var w who
	if name, value, ok := t.byAny.firstValue(query); !ok {
		if why != nil {
			why.say("the address names neither a link nor a partner")
		}
	} else if t.byCode.has(name) {
		w = t.partnerByCode(segment{value, repairSegment(value)}, why)
		if rest, quoted := withoutQuoted(value); quoted && w.kind == unknown {
			w = t.partnerByCode(segment{rest, repairSegment(rest)}, why)
		}
	} else {
		w = t.partnerByID(value, why)
	}
	return t.answer(nil, w, "", query, now, why)
}

// newLink is /r/<token>[/<link>[/<ad>]]: it takes the place of an old link, and never
// expires.
func (t *Table) newLink(s *segments, query string, now time.Time, why *trace) Decision {
	i, ok := t.byToken(s.parts[1].exact)
	if !ok {
		i, ok = t.byToken(s.parts[1].clean)
	}
	if !ok {
		i, ok = t.byToken(strings.ToLower(s.parts[1].clean))
	}
	if !ok {
		if why != nil {
			why.say("no promoter has the ref token %q", s.parts[1].clean)
		}
		return Decision{Outcome: ForwardUncredited, Location: t.location(&t.landing, query, nil, "", ""), Miss: true}
	}
	w := t.whoIs(i)
	if why != nil {
		why.say("%q is the ref token of the promoter %s", s.parts[1].clean, w.partner.Token)
	}
	var l *linkEntry
	var ad string
	if s.n > 2 {
		if l = t.linkByCode(s.parts[2], why); l != nil && s.n > 3 {
			ad = cleanAd(s.parts[3].clean)
		}
	}
	if why != nil {
		why.say("new links do not expire")
	}
	d := t.forward(l, w, ad, query, why)
	d.Miss = s.n > 2 && l == nil
	return d
}

// atPath answers an exact legacy path.
func (t *Table) atPath(e pathEntry, req Request, now time.Time, why *trace) Decision {
	if e.page != NotFound {
		if why != nil {
			why.say("the path %q is the %s page's", req.Path, e.page)
		}
		if e.form {
			if why != nil {
				why.say("the gateway answers with its own form")
			}
			return Decision{Outcome: e.page, Form: true}
		}
		return Decision{Outcome: e.page, Location: e.url}
	}
	if why != nil {
		why.say("the path %q has a destination of its own", req.Path)
	}
	if t.expired(nil, who{}, now, why) {
		return Decision{Outcome: ToLanding, Location: t.policy.Pages.Landing, Expired: true}
	}
	return Decision{Outcome: ForwardUncredited, Location: t.location(&e.to, req.Query, nil, "", "")}
}

// answer is the table of answers for a link (nil: unknown) and a partner.
func (t *Table) answer(l *linkEntry, w who, ad, query string, now time.Time, why *trace) Decision {
	if l == nil && w.kind != known {
		if why != nil {
			why.say("an unknown link with %s leads nowhere", whoNames[w.kind])
		}
		return Decision{Outcome: NotFound, Miss: true}
	}
	if !t.expired(l, w, now, why) {
		d := t.forward(l, w, ad, query, why)
		d.Miss = l == nil || w.kind != known
		return d
	}
	d := Decision{Expired: true, Miss: l == nil || w.kind != known, Ad: ad}
	if l != nil {
		d.Link = l.Code
	}
	switch {
	case w.kind == known && w.partner.Status == Active:
		d.Outcome, d.Location, d.Token = ToLogin, t.policy.Pages.Login, w.partner.Token
	case w.kind == known:
		d.Outcome, d.Location, d.Token = ToRejoin, t.policy.Pages.Rejoin, w.partner.Token
	case w.kind == unknown, w.kind == ambiguous:
		d.Outcome, d.Location = ToRejoin, t.policy.Pages.Rejoin
	default:
		d.Outcome, d.Location = ToLanding, t.policy.Pages.Landing
	}
	if why != nil {
		why.say("an expired link with %s leads to the %s page", whoNames[w.kind], d.Outcome)
	}
	return d
}

// forward sends the visitor on: to the link's destination, or to the landing page when
// the link is unknown, credited as the partner's status says.
func (t *Table) forward(l *linkEntry, w who, ad, query string, why *trace) Decision {
	d := Decision{Outcome: ForwardUncredited}
	to, subID := &t.landing, ""
	if l != nil {
		d.Link, d.Ad = l.Code, ad
		to, subID = &l.to, l.subID
	}
	if w.kind == known {
		d.Token = w.partner.Token
		switch {
		case w.partner.Status == Active:
			d.Outcome = Forward
		case t.policy.Inactive == InactiveForward:
			d.Outcome = Forward
		case t.policy.Inactive == InactiveRejoin:
			d.Outcome, d.Location = ToRejoin, t.policy.Pages.Rejoin
		}
		if why != nil {
			why.say("the promoter %s is %s", w.partner.Token, w.partner.Status)
		}
	}
	if d.Outcome == ToRejoin {
		return d
	}
	if d.Outcome == Forward {
		d.Location = t.location(to, query, w.partner, subID, d.Ad)
	} else {
		d.Location = t.location(to, query, nil, "", "")
	}
	if why != nil {
		if l == nil {
			why.say("without a known link the visitor goes to the landing page")
		}
		if d.Outcome == Forward {
			why.say("the visit is credited to %s", d.Token)
		} else {
			why.say("nobody is credited (%s)", whoNames[w.kind])
		}
	}
	return d
}

func (t *Table) expired(l *linkEntry, w who, now time.Time, why *trace) bool {
	until := t.until(l, w)
	expired := !now.Before(until)
	if why != nil {
		word := "before"
		if expired {
			word = "after"
		}
		grace := ""
		if until.After(t.policy.Cutoff) {
			grace = ", a grace date"
		}
		why.say("%s is %s the cutoff (old links were honoured until just before %s%s)", now.Format(time.RFC3339Nano), word, until.Format(time.RFC3339), grace)
	}
	return expired
}

func (t *Table) linkByCode(s segment, why *trace) *linkEntry {
	i, found, how := lookUp(t.linkCode, t.linkFold, s)
	switch {
	case !found:
		if why != nil {
			why.say("no link has the code %q", s.clean)
		}
		return nil
	case i == none:
		if why != nil {
			why.say("several links differ from %q only by case: none is guessed", s.clean)
		}
		return nil
	}
	if why != nil {
		why.say("%q is the link %q, %s", s.exact, t.links[i].Code, how)
	}
	return &t.links[i]
}

func (t *Table) partnerByCode(s segment, why *trace) who {
	if s.clean == "" && s.exact == "" {
		if why != nil {
			why.say("the partner's code is empty")
		}
		return who{}
	}
	i, found, how := lookUp(t.code, t.codeFold, s)
	if !found {
		if why != nil {
			why.say("no partner has the code %q", s.clean)
		}
		return who{kind: unknown}
	}
	w := t.whoIs(i)
	if why != nil {
		if w.kind == ambiguous {
			why.say("%q means several promoters: nobody is guessed", s.clean)
		} else {
			why.say("%q is the code of %s, %s", s.exact, whoNames[w.kind], how)
		}
	}
	return w
}

func (t *Table) partnerByID(value string, why *trace) who {
	id, ok := keapID(value)
	if !ok {
		rest, _ := withoutQuoted(repairSegment(value))
		id, ok = keapID(rest)
	}
	if !ok {
		if why != nil {
			why.say("%q is no Keap partner id: no partner is named", value)
		}
		return who{}
	}
	i, found := t.keapID[id]
	if !found {
		if why != nil {
			why.say("no partner has the Keap id %d", id)
		}
		return who{kind: unknown}
	}
	if why != nil {
		why.say("Keap id %d is the partner with the code %q", id, t.partners[i].Code)
	}
	return t.whoIs(i)
}

// withoutQuoted takes away the "3D" that quoted-printable mail leaves after "=".
func withoutQuoted(value string) (string, bool) {
	if len(value) >= 2 && value[0] == '3' && value[1]|0x20 == 'd' {
		return value[2:], true
	}
	return value, false
}
