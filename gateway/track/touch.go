package track

import (
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// touch is what the tid of a call says about clicks.
type touch struct {
	given bool
	last  terms.Candidate // ByClick; its promoter is looked up when it is booked
	first terms.Candidate // the same of the first click; zero: not known
}

// touchOf reads the tid: the whole value of the cookie, or a click's id. A tid that is
// neither names nobody. With an error the click could not be looked up.
func (s *Service) touchOf(c *Call) (touch, error) {
	if c.TID == "" {
		return touch{}, nil
	}
	if s.o.Keys != nil {
		if m, ok := s.o.Keys.Verify(c.TID); ok {
			t := touch{given: true, last: terms.Candidate{By: terms.ByClick, Named: m.Token, Click: m.Click.String(), At: m.At.Unix()}}
			if m.First.Token != "" {
				t.first = terms.Candidate{By: terms.ByClick, Named: m.First.Token, Click: m.First.Click.String(), At: m.First.At.Unix()}
			}
			return t, nil
		}
	}
	t := touch{given: true, last: terms.Candidate{By: terms.ByClick}}
	id, err := book.ParseClickID(c.TID)
	if err != nil || s.o.FindClick == nil {
		return t, nil
	}
	t.last.Click = id.String()
	k, ok, err := s.o.FindClick(id)
	if ok {
		t.last.Named, t.last.At = k.Token, k.At.Unix()
	}
	return t, err
}
