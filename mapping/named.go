package mapping

import (
	"strings"
	"unicode"
)

// shape is which kind of address a path is.
type shape uint8

const (
	noShape   shape = iota
	tracking        // /go/<link>[/<code>[/<ad>]], and /k/<link>?affiliate=<Keap id>
	atRoot          // site parameters, and /<code>
	newLinks        // /r/<token>[/<link>[/<ad>]]
	exactPath       // an exact legacy path
)

// named is what an address names.
type named struct {
	shape   shape
	link    *linkEntry // nil: an unknown one, or none
	hasLink bool       // it names one, known or not
	who     who
	ad      string
	query   string     // the visitor's, raw
	path    *pathEntry // of exactPath
	missing bool       // something that it names was found by no exact reading
}

// read finds out what path and query name, for a zero n. With repairs, what the exact reading does
// not find is looked for in the readings of the table of repairs.
func (t *Table) read(n *named, path, query string, repairs bool, why *trace) {
	var s segments
	s.cut(path)
	n.query = query
	if why != nil && s.repaired {
		why.say("the path %q came damaged and was repaired", path)
	}
	if s.n >= 2 {
		switch channel := s.parts[0].clean; {
		case strings.EqualFold(channel, "go"):
			t.readTracking(n, &s, repairs, why)
			return
		case strings.EqualFold(channel, "k"):
			t.readKeap(n, &s, repairs, why)
			return
		case strings.EqualFold(channel, "r"):
			t.readNew(n, &s, repairs, why)
			return
		}
	}
	if s.n == 0 {
		t.readParameters(n, repairs, why)
		t.readYielding(n, "/")
		return
	}
	if e, ok := t.pathsFold[s.joined()]; ok {
		n.shape, n.path = exactPath, e
		return
	}
	if repairs && t.readDamaged(n, &s, why) {
		return
	}
	if s.n == 1 && t.policy.RootCodes {
		var r reading
		n.shape = atRoot
		n.who, n.missing = t.partnerByCode(s.raw(0), s.parts[0].exact, inPath, repairs, &r, why)
		n.query = joinQueries(r.query, query)
		return
	}
	if why != nil {
		why.say("the path %q has no shape of an old link", path)
	}
	n.missing = true
}

// readTracking reads /go/<link>[/<code>[/<ad>]].
func (t *Table) readTracking(n *named, s *segments, repairs bool, why *trace) {
	var r reading
	n.shape, n.hasLink = tracking, true
	n.link, n.missing = t.linkByCode(s.raw(1), s.parts[1].exact, repairs, &r, why)
	if r.ends() {
		n.query = joinQueries(r.query+behindQuery(s, 1, &r), n.query)
		return
	}
	if s.n == 2 {
		if why != nil {
			why.say("the link names no partner")
		}
		return
	}
	var missing bool
	n.who, missing = t.partnerByCode(s.raw(2), s.parts[2].exact, inPath, repairs, &r, why)
	n.missing = n.missing || missing
	n.readAd(s, 3, &r)
}

// readAd reads the ad at the part i of a path, unless the address ended before it or it is the
// beginning of a query.
func (n *named) readAd(s *segments, i int, r *reading) {
	switch {
	case r.ends():
		n.query = joinQueries(r.query+behindQuery(s, i-1, r), n.query)
	case s.n > i:
		raw := s.raw(i)
		if c, width, encoded := runeAt(raw, 0); c == '?' || c == '&' || c == ';' {
			if query, ok := queryOf(raw[width:], encoded, true); ok {
				n.query = joinQueries(query+s.behind(i), n.query)
				return
			}
		}
		n.ad = cleanAd(s.parts[i].clean)
	}
}

// behindQuery is what follows the part i of a path, when that ends with the beginning of a query.
func behindQuery(s *segments, i int, r *reading) string {
	if r.query == "" {
		return ""
	}
	return s.behind(i)
}

func joinQueries(first, second string) string {
	if first == "" || second == "" {
		return first + second
	}
	return first + "&" + second
}

// readKeap reads a Keap link that was re-pointed here: /k/<link>?affiliate=<Keap id>.
func (t *Table) readKeap(n *named, s *segments, repairs bool, why *trace) {
	var r reading
	n.shape, n.hasLink = tracking, true
	n.link, n.missing = t.linkByCode(s.raw(1), s.parts[1].exact, repairs, &r, why)
	if r.ends() {
		n.query = joinQueries(r.query+behindQuery(s, 1, &r), n.query)
	} else if repairs && s.n > 2 {
		n.readAd(s, 2, &r)
		n.ad = ""
	}
	n.missing = n.missing || s.n > 2
	t.readPartner(n, t.byID, repairs, why)
	t.readYielding(n, s.path)
}

// readYielding takes an exact path of the program's own where the parameters name nobody whom the
// map knows: where they do, that path does not take their place.
func (t *Table) readYielding(n *named, path string) {
	if e := t.paths[path]; e != nil && e.yields && n.who.kind != known {
		n.shape, n.path = exactPath, e
	}
}

// readParameters reads the root with ?aff=, ?affcode= or ?affiliate=: an unknown link with that
// partner.
func (t *Table) readParameters(n *named, repairs bool, why *trace) {
	n.shape = atRoot
	t.readPartner(n, t.byAny, repairs, why)
}

// readNew reads /r/<token>[/<link>[/<ad>]].
func (t *Table) readNew(n *named, s *segments, repairs bool, why *trace) {
	n.shape = newLinks
	raw := s.raw(1)
	var r reading
	i, found := t.byToken(s.parts[1].exact)
	if !found {
		i, found = t.byToken(strings.ToLower(s.parts[1].exact))
		n.missing = !found || !isUndamaged(raw, inPath)
		if n.missing && repairs {
			i, found = repaired(raw, inPath, t.tokenOf, t.samePromoter, &r)
		}
	}
	if !found {
		if why != nil {
			why.say("no promoter has the ref token %q", s.parts[1].clean)
		}
		n.who = who{kind: unknown}
		return
	}
	n.who = t.whoIs(i)
	if why != nil {
		if n.who.kind == ambiguous {
			why.say("%q means several promoters: nobody is guessed", raw)
		} else {
			why.say("%q is the ref token of the promoter %s%s", s.parts[1].clean, n.who.partner.Token, afterRepair(", ", &r))
		}
	}
	if r.ends() {
		n.query = joinQueries(r.query+behindQuery(s, 1, &r), n.query)
	} else if s.n > 2 {
		var missing bool
		n.hasLink = true
		n.link, missing = t.linkByCode(s.raw(2), s.parts[2].exact, repairs, &r, why)
		n.missing = n.missing || missing
		n.readAd(s, 3, &r)
		if n.link == nil {
			n.ad = ""
		}
	}
	if why != nil {
		why.say("new links do not expire")
	}
}

func (t *Table) tokenOf(text string) (int32, bool) {
	if i, ok := t.byToken(text); ok {
		return i, true
	}
	return t.byToken(strings.ToLower(text))
}

// readDamaged reads a path that has no shape as it stands: a query that begins at once, or an exact
// legacy path with damage.
func (t *Table) readDamaged(n *named, s *segments, why *trace) bool {
	if c, width, encoded := runeAt(s.raw(0), 0); c == '?' || c == '&' || c == ';' {
		if own, ok := queryOf(s.raw(0)[width:], encoded, true); ok {
			query := n.query
			n.query = joinQueries(own+s.behind(0), query)
			if t.readParameters(n, true, why); n.who.kind != nobody {
				return true
			}
			*n = named{query: query}
		}
	}
	var r reading
	i, found := repaired(strings.Trim(s.path, "/"), inPath, func(text string) (int32, bool) {
		i, ok := t.pathNumber[foldedPath(text)]
		return i, ok
	}, func(a, b int32) int32 { return none }, &r)
	if !found || i == none {
		return false
	}
	if why != nil {
		why.say("the path %q is %q%s", s.path, t.pathList[i].Path, afterRepair(", ", &r))
	}
	n.shape, n.path, n.missing = exactPath, t.pathsFold[foldedPath(t.pathList[i].Path)], true
	n.query = joinQueries(r.query, n.query)
	return true
}

// readPartner finds the partner that a parameter of the set names. The query stays as it is but
// for the damage that was repaired; parameters of the set are still in it.
func (t *Table) readPartner(n *named, set *names, repairs bool, why *trace) {
	p, ok := set.find(n.query)
	if !ok && repairs {
		if uncovered, again := set.uncover(n.query); again {
			if why != nil {
				why.say("the query %q came damaged and was repaired", n.query)
			}
			n.query = uncovered
			t.readUncovered(n, set, why)
			return
		}
	}
	if !ok {
		if why != nil {
			if set == t.byID {
				why.say("the link names no partner")
			} else {
				why.say("the address names neither a link nor a partner")
			}
		}
		n.missing = n.missing || n.query != ""
		return
	}
	var r reading
	var missing bool
	n.who, missing = t.partnerByParameter(&p, repairs, &r, why)
	n.missing = n.missing || missing
	n.query = p.without(n.query, &r)
}

// readUncovered finds the partner in a query that was repaired: when its parameters name two
// promoters, nobody.
func (t *Table) readUncovered(n *named, set *names, why *trace) {
	n.missing = true
	query := n.query
	for from := 0; from < len(query); {
		p, ok := set.find(query[from:])
		if !ok {
			return
		}
		var r reading
		next, _ := t.partnerByParameter(&p, true, &r, why)
		switch {
		case from == 0:
			n.who, n.query = next, p.without(query, &r)
		case next.kind == known && (n.who.kind != known || n.who.partner.Token != next.partner.Token):
			if why != nil {
				why.say("the query means several promoters: nobody is guessed")
			}
			n.who = who{kind: ambiguous}
			return
		}
		from += p.end + 1
	}
}

// without is query, in which p stands, with what followed the value of p as parameters of its own.
func (p *parameter) without(query string, r *reading) string {
	if r.query == "" {
		return query
	}
	return query[:p.begin] + p.name + "=&" + r.query + query[p.end:]
}

func (t *Table) partnerByParameter(p *parameter, repairs bool, r *reading, why *trace) (who, bool) {
	if t.byCode.has(p.name) {
		return t.partnerByCode(p.value, unescape(p.value), inValue, repairs, r, why)
	}
	return t.partnerByID(p.value, repairs, r, why)
}

// uncover takes apart the pieces of a query whose separators came encoded or wrong, where one of the
// set comes to light. ok is false when none does.
func (n *names) uncover(query string) (uncovered string, ok bool) {
	if len(query) > maxDamaged {
		return "", false
	}
	var out []string
	for piece, rest, more := nextPiece(query, true, true); more; piece, rest, more = nextPiece(rest, true, false) {
		parts := []string{piece}
		for _, form := range rewritten(reading{text: piece}, inPath, func(r *repair) func(string) string { return r.raw }) {
			if list, found := n.takeApart(form.text); found {
				parts, ok = list, true
				break
			}
		}
		out = append(out, parts...)
	}
	return strings.Join(out, "&"), ok
}

// takeApart cuts a piece at every separator, and gives the parts that carry a name of the set that
// name as it is.
func (n *names) takeApart(piece string) (parts []string, found bool) {
	begin := 0
	add := func(part string) {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			for _, equals := range [...]string{"%3D", "%3d", "＝", "%EF%BC%9D"} {
				if name, value, ok = strings.Cut(part, equals); ok {
					break
				}
			}
		}
		plain := strings.TrimLeftFunc(dropInvisible(unescape(name)), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_'
		})
		if _, named := n.set[strings.TrimSpace(plain)]; named && ok {
			part, found = strings.TrimSpace(plain)+"="+value, true
		}
		if part != "" && part != "amp" {
			parts = append(parts, part)
		}
	}
	for i := 0; i < len(piece); {
		r, width, _ := runeAt(piece, i)
		if r == '?' || r == '&' || r == ';' || r == '？' || r == '＆' {
			add(piece[begin:i])
			begin = i + width
		}
		i += width
	}
	add(piece[begin:])
	return parts, found
}
