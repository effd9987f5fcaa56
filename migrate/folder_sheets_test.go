package migrate_test

import (
	"strings"
	"testing"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/migrate"
)

// The sheet lists the paths of the program's own that credit somebody, beside his links.
func TestSheetListsOwnPaths(t *testing.T) {
	c := &book.Content{
		Promoters: []book.Promoter{{ID: 1, Token: "john", Email: "john@post.test"}, {ID: 2, Token: "jane"}},
		Aliases: []book.Alias{
			{Kind: book.AliasCode, Value: "Jane", PromoterID: 2}, {Kind: book.AliasCode, Value: "John", PromoterID: 1}, {Kind: book.AliasCode, Value: "House", State: book.StateHouse},
		},
		Links: []book.Link{{Code: "course", Destination: "https://carrot.test/course"}},
	}
	paths := []mapping.Path{{Path: "/faq", Target: "guide"}, {Path: "/john é", Link: "course", Code: "John"}, {Path: "/house", Code: "House"}, {Path: "/jane", Code: "Jane"}}
	list := func(token string) string {
		t.Helper()
		var out []string
		policy := &mapping.Policy{LegacyHosts: []string{"go.carrot.test"}}
		err := migrate.SheetLinks(policy, c, c.Links, paths, token, func(l migrate.SheetLink) error {
			out = append(out, strings.TrimPrefix(l.OldLink, "https://go.carrot.test")+" "+strings.TrimPrefix(l.NewLink, "https://go.carrot.test"))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(out, "\n")
	}
	if got := list(""); got != "/go/course/Jane /r/jane/course\n/jane /r/jane\n/go/course/John /r/john/course\n/john%20%C3%A9 /r/john/course" {
		t.Error(got)
	}
	if got := list("john"); got != "/go/course/John /r/john/course\n/john%20%C3%A9 /r/john/course" {
		t.Error(got)
	}
}
