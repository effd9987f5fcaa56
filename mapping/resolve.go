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
	if e, ok := t.paths[req.Path]; ok && !e.yields {
		return t.atPath(e, req.Path, req.Query, now, why)
	}
	var n named
	if t.read(&n, req.Path, req.Query, false, why); n.missing {
		t.readRepaired(&n, &req, why)
	}
	switch n.shape {
	case tracking, atRoot:
		return t.answer(n.link, n.who, n.ad, n.query, now, why)
	case newLinks:
		return t.answerNew(&n, why)
	case exactPath:
		return t.atPath(n.path, req.Path, n.query, now, why)
	}
	return Decision{Outcome: NotFound, Miss: true}
}

// readRepaired reads an address anew of which the exact reading has not found everything: with the
// table of repairs, and with slashes where they came encoded or as backslashes. Where the two
// name two promoters, nobody is meant.
func (t *Table) readRepaired(n *named, req *Request, why *trace) {
	var first, second *trace
	if why != nil {
		why.steps, first, second = nil, &trace{}, &trace{}
	}
	*n = named{}
	t.read(n, req.Path, req.Query, true, first)
	if path := withSlashes(req.Path); path != req.Path {
		var m named
		t.read(&m, path, req.Query, true, second)
		switch {
		case n.who.kind == known && m.who.kind == known && n.who.partner.Token != m.who.partner.Token:
			n.who = who{kind: ambiguous}
			if why != nil {
				first.say("with other slashes the path %q means another promoter: nobody is guessed", path)
			}
		case n.who.kind != nobody && n.who.kind != unknown:
		case m.who.kind == known, m.shape == exactPath, n.shape == noShape && m.shape != noShape, n.link == nil && m.link != nil:
			*n, first = m, second
		}
	}
	if why != nil {
		why.steps = first.steps
	}
}

// answerNew answers a new link, which never expires.
func (t *Table) answerNew(n *named, why *trace) Decision {
	if n.who.kind != known {
		return Decision{Outcome: ForwardUncredited, Location: t.location(&t.landing, n.query, nil, "", ""), Miss: true}
	}
	d := t.forward(n.link, n.who, n.ad, n.query, why)
	d.Miss = n.hasLink && n.link == nil
	return d
}

// atPath answers an exact legacy path.
func (t *Table) atPath(e *pathEntry, path, query string, now time.Time, why *trace) Decision {
	if e.page != NotFound {
		if why != nil {
			why.say("the path %q is the %s page's", path, e.page)
		}
		if e.form {
			if why != nil {
				why.say("the gateway answers with its own form")
			}
			return Decision{Outcome: e.page, Form: true}
		}
		return Decision{Outcome: e.page, Location: e.url}
	}
	if why != nil && e.credits {
		why.say("the path %q stands for %s and %s", path, e.linkName(), whoNames[e.who.kind])
	} else if why != nil {
		why.say("the path %q has a destination of its own", path)
	}
	if e.credits {
		return t.answer(e.link, e.who, "", query, now, why)
	}
	if t.expired(nil, who{}, now, why) {
		return Decision{Outcome: ToLanding, Location: t.policy.Pages.Landing, Expired: true}
	}
	return Decision{Outcome: ForwardUncredited, Location: t.location(&e.to, query, nil, "", "")}
}

func (e *pathEntry) linkName() string {
	if e.link == nil {
		return "no known link"
	}
	return "the link " + quoted(e.link.Code)
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
