package track

import (
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// touch holds the clicks that the tid of a call names.
type touch struct {
	given bool
	last  terms.Candidate // ByClick; its promoter is found when the call is booked
	first terms.Candidate // the first click; zero: not known
}

// readTouch reads the tid of a call: the whole value of the cookie, or a click's id. A tid that
// is neither names nobody. With an error the click could not be looked up.
func (s *Service) readTouch(c *Call) (touch, error) {
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
