package book_test

import (
	"fmt"
	"testing"

	"carryover/mapping/book"
)

func ExampleParseClickID() {
	id, _ := book.ParseClickID("web1-4f2a.1700000000000001")
	fmt.Println(id.Node, id.Seq)
	// Output: web1-4f2a 1700000000000001
}

func TestClickIDs(t *testing.T) {
	for _, s := range []string{"web1-4f2a.17", "a.b.c.9223372036854775807"} {
		id, err := book.ParseClickID(s)
		if err != nil || id.String() != s {
			t.Errorf("%q: %v %v", s, id, err)
		}
	}
	for _, s := range []string{"", "a", ".1", "a.", "a.0", "a.-1", "a.x", "a.9223372036854775808"} {
		if id, err := book.ParseClickID(s); err == nil {
			t.Errorf("%q is taken for %v", s, id)
		}
	}
}
