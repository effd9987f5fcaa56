package mapping

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Table is a map indexed for lookups. It is immutable: safe for any number of
// goroutines, replaced whole when a new map is published.
type Table struct {
	policy Policy

	links     []linkEntry
	linkCode  map[string]int32
	linkFold  map[string]int32 // folded code -> link, where that differs from the code; none when ambiguous
	partners  []Partner
	code      map[string]int32
	codeFold  map[string]int32
	keapID    map[int64]int32
	token     map[string]int32 // tokens that are no code of their own promoter
	paths     map[string]*pathEntry
	pathsFold map[string]*pathEntry

	pathList   []Path           // Keap's and the program's own, in their order
	pathNumber map[string]int32 // folded path -> its number

	landing  destination
	reserved *names
	byCode   *names // parameters that name a partner by code
	byID     *names // parameters that name a partner by Keap id
	byAny    *names
	hosts    map[string]bool // hosts that requests come to
	allowed  map[string]bool // hosts that a location may have, with a port where listed
	forms    map[string]bool // locations beside those: the gateway's own forms
}

type linkEntry struct {
	Link
	to    destination
	subID string // the code, escaped
}

type pathEntry struct {
	page Outcome // NotFound: to is set, or the path credits
	form bool    // answered with the gateway's own form
	url  string
	to   destination

	credits bool // stands for link and who
	link    *linkEntry
	who     who
	yields  bool // to a partner whom the query names: parameters count on this path
}

// none stands for "several": a folded code that is never guessed.
const none = int32(-1)

// keapPaths are the portal addresses of Keap and the program's own short ones.
var keapPaths = []Path{
	{Path: "/login", Target: "login"},
	{Path: "/app/authentication/login", Target: "login"},
	{Path: "/affiliate/ledger", Target: "login"},
	{Path: "/Affiliate/login/processLogin.jsp", Target: "login"},
	{Path: "/join", Target: "join"},
	{Path: "/rejoin", Target: "rejoin"},
	{Path: "/password-reset", Target: "password_reset"},
	{Path: "/guide", Target: "guide"},
}

// New indexes m. It fails when a page, destination, token or reference may not be
// answered: a map with one wrong entry is never served.
func New(m *Map) (*Table, error) {
	p := m.Policy
	if len(p.LegacyHosts) == 0 {
		return nil, errors.New("policy: no legacy host")
	}
	if p.TokenParam == "" || p.SubIDParam == "" {
		return nil, errors.New("policy: the parameters of the new platform have no names")
	}
	if err := p.CheckPages(); err != nil {
		return nil, err
	}
	t := &Table{
		policy:   p,
		reserved: p.reserved(),
		byCode:   newNames(p.CodeParams),
		byID:     newNames(p.IDParams),
		byAny:    newNames(p.CodeParams, p.IDParams),
		hosts:    map[string]bool{"": true},
		allowed:  map[string]bool{},
		forms:    map[string]bool{},
	}
	for _, h := range p.LegacyHosts {
		t.hosts[hostname(h)] = true
	}
	if app := strings.ToLower(p.KeapApp); app != "" {
		t.hosts[app+".infusionsoft.com"] = true
		t.hosts[app+".isrefer.com"] = true
	}
	for _, h := range p.AllowedHosts {
		t.allowed[asciiHost(h)] = true
	}
	for _, page := range p.Pages.all() {
		if p.IsOwnForm(page.Name, page.URL) {
			t.forms[page.URL] = true
			continue
		}
		host, err := destinationHost(page.URL)
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", page.Name, err)
		}
		t.allowed[host] = true
	}
	t.landing = cutDestination(p.Pages.Landing, t.reserved)
	if err := t.addLinks(m.Links); err != nil {
		return nil, err
	}
	if err := t.addPartners(m.Partners, m.IDs); err != nil {
		return nil, err
	}
	if err := t.addPaths(m.Paths); err != nil {
		return nil, err
	}
	return t, nil
}

// Policy returns the policy of the map that t was made from.
func (t *Table) Policy() Policy { return t.policy }

// Counts returns how many links, partner codes and Keap ids the table holds.
func (t *Table) Counts() (links, partners, ids int) {
	return len(t.links), len(t.partners), len(t.keapID)
}

func (t *Table) addLinks(links []Link) error {
	t.links = make([]linkEntry, 0, len(links))
	t.linkCode = make(map[string]int32, len(links))
	t.linkFold = map[string]int32{}
	for _, l := range links {
		if err := t.policy.CheckDestination(l.Destination); err != nil {
			return fmt.Errorf("link %q: %w", l.Code, err)
		}
		if _, ok := t.linkCode[l.Code]; ok || l.Code == "" {
			return fmt.Errorf("link %q: the code is empty or stands twice in the map", l.Code)
		}
		i := int32(len(t.links))
		t.linkCode[l.Code] = i
		t.links = append(t.links, linkEntry{Link: l, to: cutDestination(l.Destination, t.reserved), subID: string(appendEscaped(nil, l.Code))})
	}
	for i := range t.links {
		fold(t.linkFold, t.linkCode, t.links[i].Code, int32(i), func(a, b int32) int32 { return none })
	}
	return nil
}

func (t *Table) addPartners(partners []Partner, ids []ID) error {
	t.partners = partners
	t.code = make(map[string]int32, len(partners))
	t.codeFold = map[string]int32{}
	t.token = map[string]int32{}
	t.keapID = make(map[int64]int32, len(ids))
	for i := range partners {
		p := &partners[i]
		if _, ok := t.code[p.Code]; ok || p.Code == "" {
			return fmt.Errorf("partner %q: the code is empty or stands twice in the map", p.Code)
		}
		if credited := p.Status == Active || p.Status == Inactive; credited != (p.Token != "") || !isToken(p.Token) {
			return fmt.Errorf("partner %q: %q is no ref token for the status %s", p.Code, p.Token, p.Status)
		}
		t.code[p.Code] = int32(i)
	}
	for i := range partners {
		p := &partners[i]
		fold(t.codeFold, t.code, p.Code, int32(i), t.samePromoter)
		if p.Token == "" {
			continue
		}
		if j, ok := t.code[p.Token]; !ok || partners[j].Token != p.Token {
			t.token[p.Token] = int32(i)
		}
	}
	for i := range partners {
		for _, alias := range partners[i].AliasTokens {
			if _, ok := t.byToken(alias); !ok { // a live token is stronger than a former one
				t.token[alias] = int32(i)
			}
		}
	}
	for _, id := range ids {
		i, ok := t.code[id.Code]
		if !ok {
			return fmt.Errorf("the Keap id %d: its code %q is not in the map", id.KeapID, id.Code)
		}
		t.keapID[id.KeapID] = i
	}
	return nil
}

func (t *Table) addPaths(paths []Path) error {
	t.paths = make(map[string]*pathEntry, len(keapPaths)+len(paths))
	t.pathsFold = make(map[string]*pathEntry, len(keapPaths)+len(paths))
	t.pathNumber = make(map[string]int32, len(keapPaths)+len(paths))
	for _, list := range [][]Path{keapPaths, paths} { // a program's own come last: they win
		for _, p := range list {
			if !strings.HasPrefix(p.Path, "/") {
				return fmt.Errorf("path %q: it must begin with /", p.Path)
			}
			var e pathEntry
			if p.credits() {
				if e = t.creditedPath(p); p.Code == "" {
					return fmt.Errorf("path %q: it names neither a target nor a partner's code", p.Path)
				}
			} else if url, ok := t.policy.Pages.ByName(p.Target); ok {
				e = pathEntry{page: pageOutcome(p.Target), url: url}
				e.form = t.policy.BuiltinJoin && (p.Path == "/join" || p.Path == "/rejoin") && (e.page == ToJoin || e.page == ToRejoin)
			} else if err := t.policy.CheckDestination(p.Target); err != nil {
				return fmt.Errorf("path %q: %w", p.Path, err)
			} else {
				e = pathEntry{to: cutDestination(p.Target, t.reserved)}
			}
			e.yields = p.Path == "/" || hasPrefixFold(p.Path, "/k/")
			t.paths[p.Path] = &e
			key := foldedPath(p.Path)
			t.pathsFold[key], t.pathNumber[key] = &e, int32(len(t.pathList))
			t.pathList = append(t.pathList, p)
		}
	}
	return nil
}

// creditedPath is the entry of a path that stands for a link and a partner, by codes that the map
// has, or has in other letter case.
func (t *Table) creditedPath(p Path) pathEntry {
	e := pathEntry{credits: true, who: who{kind: unknown}}
	if i, ok := find(t.linkCode, t.linkFold, p.Link); ok && i != none {
		e.link = &t.links[i]
	}
	if i, ok := find(t.code, t.codeFold, p.Code); ok {
		e.who = t.whoIs(i)
	}
	return e
}

// UnknownCredits lists the paths that stand for a link or a partner that the map does not have, and
// says what it lacks.
func (t *Table) UnknownCredits() (list []Path, lacks []string) {
	for _, p := range t.pathList {
		e := t.paths[p.Path]
		switch {
		case !e.credits:
			continue
		case e.who.kind == unknown:
			lacks = append(lacks, fmt.Sprintf("no partner has the code %q", p.Code))
		case e.who.kind == ambiguous:
			lacks = append(lacks, fmt.Sprintf("the code %q means several promoters", p.Code))
		case e.link == nil && p.Link != "":
			lacks = append(lacks, fmt.Sprintf("no link has the code %q", p.Link))
		default:
			continue
		}
		list = append(list, p)
	}
	return list, lacks
}

func foldedPath(path string) string {
	var s segments
	s.cut(path)
	return s.joined()
}

func pageOutcome(name string) Outcome {
	for o, n := range outcomeNames {
		if n == name {
			return Outcome(o)
		}
	}
	return ToLanding
}

// fold enters a code under its fold where the two differ. merge says what two codes with one fold mean
// together.
func fold(folded, exact map[string]int32, code string, i int32, merge func(a, b int32) int32) {
	key := foldKey(code)
	if key == code {
		return
	}
	v := i
	if j, ok := exact[key]; ok {
		v = merge(v, j)
	}
	if j, ok := folded[key]; ok {
		v = merge(v, j)
	}
	folded[key] = v
}

// samePromoter returns a when both codes are one promoter's (or both the program's
// own), else none.
func (t *Table) samePromoter(a, b int32) int32 {
	if a == none || b == none {
		return none
	}
	p, q := &t.partners[a], &t.partners[b]
	if p.Status == Ambiguous || q.Status == Ambiguous || p.Token != q.Token {
		return none
	}
	return a
}

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}

// byToken finds a promoter by a ref token, live or former.
func (t *Table) byToken(token string) (int32, bool) {
	if i, ok := t.token[token]; ok {
		return i, true
	}
	if i, ok := t.code[token]; ok && t.partners[i].Token == token {
		return i, true
	}
	return 0, false
}

// who is what a URL says about its partner.
type who struct {
	kind    whoKind
	partner *Partner // set for known
}

type whoKind uint8

const (
	nobody    whoKind = iota // no partner is named
	house                    // the program's own
	unknown                  // a code or id that Keap never issued, as far as we know
	ambiguous                // several are meant
	known
)

var whoNames = [...]string{"no partner", "the program's own partner", "an unknown partner", "an ambiguous partner", "a known partner"}

func (t *Table) whoIs(i int32) who {
	if i == none {
		return who{kind: ambiguous}
	}
	switch p := &t.partners[i]; p.Status {
	case House:
		return who{kind: house}
	case Ambiguous:
		return who{kind: ambiguous}
	default:
		return who{known, p}
	}
}

// until is the first instant at which a link (nil: unknown) with a partner is no longer
// honoured: the latest of the program's, the link's and the partner's.
func (t *Table) until(l *linkEntry, w who) time.Time {
	u := t.policy.Cutoff
	if l != nil && l.Until.After(u) {
		u = l.Until
	}
	if w.partner != nil && w.partner.Until.After(u) {
		u = w.partner.Until
	}
	return u
}
