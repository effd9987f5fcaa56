package click

import (
	"time"

	"carryover/mapping/book"
)

// Rules is the version of the rules that judge. A stored verdict names the version that
// gave it; raise it whenever a rule, a list or an order changes.
const Rules = 2

// The verdicts. They change counts, never an answer, a cookie or a credit.
const (
	Human    = "human"
	Preview  = "preview"  // a messenger or network that shows a card of the link
	Bot      = "bot"      // says so itself, or cannot be a browser
	Scanner  = "scanner"  // opens many links at once, as mail filters do
	Prefetch = "prefetch" // a browser that loads ahead; the real click follows when there is one
	Frame    = "frame"    // not a page that somebody looks at: a frame, an image, a script
)

// A burst is at least burstLinks different links, opened from one address with one user
// agent within burstWindow. People do not; filters that test a mail's links do.
const (
	burstLinks  = 3
	burstWindow = 2 * time.Second
)

// Verdict judges one click by itself. A burst shows only among several: [Judge.Classify].
func Verdict(userAgent string, s Signal) (verdict, reason string) {
	return classify(agentOf(userAgent), s)
}

func classify(a agent, s Signal) (verdict, reason string) {
	switch {
	case s.Has(Speculative):
		return Prefetch, "the browser says it loads ahead"
	case a.verdict != "":
		return a.verdict, a.reason
	case s.Has(Framed):
		return Frame, "Sec-Fetch-Dest is a frame"
	case s.Has(NotDocument):
		return Frame, "Sec-Fetch-Dest is not document"
	case s.Has(NotNavigate):
		return Frame, "Sec-Fetch-Mode is not navigate"
	case s.Has(AcceptGiven) && !s.Has(AcceptHTML):
		return Bot, "Accept has no html"
	case s.Has(UserActed):
		return Human, "navigation after a user's action"
	case s.Has(SecFetch):
		return Human, "navigation"
	}
	return Human, "nothing speaks against it"
}

// Judge judges clicks in the order in which they came. It remembers user agents that it
// has seen (matching one against the lists takes up to 1 ms) and the last moments of each
// address. For one goroutine at a time.
type Judge struct {
	agents map[string]agent
	recent map[opener][]recentClick
}

// opener is who opens links, as far as that is known without cookies.
type opener struct{ visitor, userAgent string }

type recentClick struct {
	at    time.Time
	link  string
	click *book.Click // nil when it was judged with an earlier batch
}

// maxAgents bounds the remembered user agents: 4096 of at most 512 bytes.
const maxAgents = 4096

// NewJudge returns a judge that has seen nothing.
func NewJudge() *Judge {
	return &Judge{agents: map[string]agent{}, recent: map[opener][]recentClick{}}
}

// Classify sets Verdict, Reason and Rules of clicks, which follow those of the call before.
func (j *Judge) Classify(clicks []book.Click) {
	for i := range clicks {
		c := &clicks[i]
		c.Verdict, c.Reason = classify(j.agent(c.UserAgent), Signal(c.Signals))
		c.Rules = Rules
		if c.Verdict != Human || c.Visitor == "" || !Signal(c.Signals).Has(PublicAddr) {
			continue // behind a proxy that is not trusted, everybody has one private address
		}
		key := opener{c.Visitor, c.UserAgent}
		link := c.Link
		if link == "" {
			link = c.Path
		}
		j.recent[key] = markBurst(append(j.recent[key], recentClick{c.At, link, c}))
	}
	j.prune(clicks)
}

func (j *Judge) agent(userAgent string) agent {
	a, ok := j.agents[userAgent]
	if !ok {
		if len(j.agents) >= maxAgents {
			clear(j.agents)
		}
		a = agentOf(userAgent)
		j.agents[userAgent] = a
	}
	return a
}

// markBurst drops what left the window that ends with the last of clicks, and judges
// the rest scanners when they open enough different links.
func markBurst(clicks []recentClick) []recentClick {
	last := clicks[len(clicks)-1].at
	for last.Sub(clicks[0].at) > burstWindow {
		clicks = clicks[1:]
	}
	var links [burstLinks]string
	n := 0
count:
	for _, c := range clicks {
		for _, l := range links[:n] {
			if l == c.link {
				continue count
			}
		}
		links[n] = c.link
		if n++; n == burstLinks {
			for _, c := range clicks {
				if c.click != nil {
					c.click.Verdict, c.click.Reason = Scanner, "several links from one address within 2 s"
				}
			}
			break
		}
	}
	return clicks
}

// prune forgets clicks, which the caller is about to reuse, and openers that have been quiet for
// longer than a burst takes.
func (j *Judge) prune(clicks []book.Click) {
	if len(clicks) == 0 {
		return
	}
	now := clicks[len(clicks)-1].At
	for key, list := range j.recent {
		if now.Sub(list[len(list)-1].at) > burstWindow {
			delete(j.recent, key)
			continue
		}
		for i := range list {
			list[i].click = nil
		}
	}
}
