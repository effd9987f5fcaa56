package mapping

import "strings"

// foldKey is the form in which codes are equal that differ by letter case, or by the way in which
// Unicode writes a character (qtwebkit/qtwebkit#648: macOS takes characters apart, and browsers put
// them together).
func foldKey(code string) string { return strings.ToLower(decompose(code)) }

// find looks for a code as it is, then by its fold. index is none when several are meant.
func find(exact, folded map[string]int32, code string) (index int32, found bool) {
	if i, ok := exact[code]; ok {
		return i, true
	}
	return findFolded(exact, folded, code)
}

func findFolded(exact, folded map[string]int32, code string) (index int32, found bool) {
	key := foldKey(code)
	if i, ok := folded[key]; ok {
		return i, true
	}
	i, ok := exact[key]
	return i, ok
}

// lookUp finds a code that is none as it stands: by its fold, then in the readings of the table of
// repairs. found is false when there is none; index is none when several are meant. certain says
// that a repair could say nothing else; how is for people.
func lookUp(exact, folded map[string]int32, raw string, at place, repairs bool, same func(a, b int32) int32, r *reading) (
	index int32, found, certain bool, how string) {
	index, found = findFolded(exact, folded, unescape(raw))
	if !repairs || found && isUndamaged(raw, at) {
		return index, found, found && isUndamaged(raw, at), "by letter case"
	}
	index, found = repaired(raw, at, func(text string) (int32, bool) { return find(exact, folded, text) }, same, r)
	return index, found, false, afterRepair("", r)
}

// afterRepair tells what was undone.
func afterRepair(lead string, r *reading) string {
	damage := r.damage()
	switch {
	case r.text == "":
		return ""
	case damage == "":
		return lead + "by letter case"
	}
	return lead + "after repair, as " + quoted(r.text) + " (" + damage + ")"
}

func quoted(s string) string { return `"` + s + `"` }

func (t *Table) linkByCode(raw, exact string, repairs bool, r *reading, why *trace) (l *linkEntry, missing bool) {
	i, found := t.linkCode[exact]
	certain, how := true, "exactly"
	if !found {
		i, found, certain, how = lookUp(t.linkCode, t.linkFold, raw, inPath, repairs, func(a, b int32) int32 { return none }, r)
	}
	switch {
	case !found:
		if why != nil {
			why.say("no link has the code %q", exact)
		}
		return nil, true
	case i == none:
		if why != nil {
			why.say("several links differ from %q only by case, or by what could be repaired: none is guessed", exact)
		}
		*r = reading{}
		return nil, !certain
	}
	if why != nil {
		why.say("%q is the link %q, %s", exact, t.links[i].Code, how)
	}
	return &t.links[i], !certain
}

func (t *Table) partnerByCode(raw, exact string, at place, repairs bool, r *reading, why *trace) (w who, missing bool) {
	i, found := t.code[exact]
	certain, how := true, "exactly"
	if !found {
		if withoutTail(exact) == "" {
			if why != nil {
				why.say("the partner's code is empty")
			}
			return who{}, false
		}
		i, found, certain, how = lookUp(t.code, t.codeFold, raw, at, repairs, t.samePromoter, r)
	}
	if !found {
		if why != nil {
			why.say("no partner has the code %q", exact)
		}
		return who{kind: unknown}, true
	}
	w = t.whoIs(i)
	if why != nil {
		if w.kind == ambiguous {
			why.say("%q means several promoters: nobody is guessed", exact)
		} else {
			why.say("%q is the code of %s, %s", exact, whoNames[w.kind], how)
		}
	}
	return w, !certain
}

func (t *Table) partnerByID(raw string, repairs bool, r *reading, why *trace) (w who, missing bool) {
	id, ok := keapID(unescape(raw))
	i, found := t.keapID[id]
	if !ok && repairs {
		id, i, ok, found = t.repairedID(raw, r)
	}
	switch {
	case !ok:
		if why != nil {
			why.say("%q is no Keap partner id: no partner is named", unescape(raw))
		}
		return who{}, true
	case !found:
		if why != nil {
			why.say("no partner has the Keap id %d", id)
		}
		return who{kind: unknown}, r.lines != 0
	}
	w = t.whoIs(i)
	if why != nil {
		if w.kind == ambiguous {
			why.say("%q means several promoters: nobody is guessed", unescape(raw))
		} else {
			why.say("Keap id %d is the partner with the code %q%s", id, t.partners[i].Code, afterRepair(", ", r))
		}
	}
	return w, r.lines != 0
}

// repairedID reads a number in damaged text; ok says that there is one, found that it is a
// partner's.
func (t *Table) repairedID(raw string, r *reading) (id int64, i int32, ok, found bool) {
	i, found = repaired(raw, inID, func(text string) (int32, bool) {
		n, isID := keapID(text)
		if !isID {
			return 0, false
		}
		i, known := t.keapID[n]
		if !ok || known {
			id, ok = n, true
		}
		return i, known
	}, t.samePromoter, r)
	return id, i, ok, found
}
