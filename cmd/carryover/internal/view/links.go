package view

import (
	"fmt"
	"strings"
	"time"

	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/store"
)

// Epochs is the versions of the link map that a store keeps.
func Epochs(s store.Store) *console.Table[store.Epoch] {
	return &console.Table[store.Epoch]{
		Titles: []string{"epoch", "", "published", "links", "codes", "Keap ids", "paths", "plan"},
		Cells: func(e *store.Epoch) []string {
			live := map[bool]string{true: "live"}[e.Live]
			if e.Refused != "" { // --json says why
				live = strings.TrimPrefix(live+", not believed", ", ")
			}
			return []string{
				fmt.Sprint(e.ID), live, e.PublishedAt.Format(time.RFC3339), fmt.Sprint(e.Links), fmt.Sprint(e.Partners),
				fmt.Sprint(e.IDs), fmt.Sprint(e.Paths), e.PlanID,
			}
		},
		Empty: fmt.Sprintf("No link map was published in %s yet: \"carryover apply\" does.", s),
	}
}
