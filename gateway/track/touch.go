package track

import (
	"errors"
	"strings"

	"carryover/gateway/click"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// touch holds the clicks that the tid of a call names.
type touch struct {
	given bool
	last  terms.Candidate // ByClick; its promoter is found when the call is booked
	first terms.Candidate // the first click; zero: not known
	wrong string          // why the tid names nobody, in words; empty: it names somebody
}

// readTouch reads the tid of a call: the whole value of the cookie, whose signature says that the
// click was credited and is this browser's. The id of a click proves neither: ids count up, and
// every cookie shows one.
func (s *Service) readTouch(c *Call) touch {
	if c.TID == "" {
		return touch{}
	}
	t := touch{given: true, last: terms.Candidate{By: terms.ByClick}, wrong: "no click that is known"}
	value := cookieValue(c.TID)
	if s.o.Keys != nil {
		m, err := s.o.Keys.Read(value)
		switch {
		case err == nil:
			t.last, t.wrong = candidateOfVisit(m.Visit), ""
			if m.First.Token != "" {
				t.first = candidateOfVisit(m.First)
			}
			return t
		case errors.Is(err, click.ErrUnknownKey):
			t.wrong = "signed with a secret that is not this gateway's: once CARRYOVER_SECRET is the same, tell it again"
		}
	}
	if id, err := book.ParseClickID(value); err == nil {
		t.last.Click, t.wrong = id.String(), "a click's id alone proves nothing: send the whole value of the cookie"
	}
	return t
}

// cookieValue is the value in a tid that holds more: the cookie's name, quotes, or the whole header.
func cookieValue(tid string) string {
	if _, behind, ok := strings.Cut(tid, click.CookieName+"="); ok {
		tid, _, _ = strings.Cut(behind, ";")
	}
	return strings.Trim(tid, " \t\r\n\"';")
}

func candidateOfVisit(v click.Visit) terms.Candidate {
	return terms.Candidate{By: terms.ByClick, Named: v.Token, Click: v.Click.String(), At: v.At.Unix()}
}
