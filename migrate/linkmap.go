package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"carryover/mapping"
	"carryover/mapping/book"
)

// linkMapInput is what the link map is made of.
type linkMapInput struct {
	settings *Settings
	content  *book.Content        // of the book after the plan
	links    map[string]book.Link // of these exports, by code
}

// makeLinkMap makes the map that would be published, and reports what it will answer
// otherwise than somebody might expect.
func makeLinkMap(in linkMapInput, conflicts *conflictList) (*mapping.Map, error) {
	for _, code := range slices.Sorted(maps.Keys(in.links)) {
		if names := in.settings.Policy.ReservedIn(in.links[code].Destination); len(names) > 0 {
			conflicts.inform(KindReservedName, code,
				"its destination holds %s, which the new platform would read as a promoter: removed when visitors are forwarded",
				strings.Join(names, ", "))
		}
	}
	reportFolded(in.content, conflicts)
	partners, links := in.content.UnknownGrace(in.settings.Grace)
	for _, code := range partners {
		conflicts.inform(KindNoGrace, code,
			"[partners.grace] names it, and no promoter has that code, or several have it in other letter cases: spell it exactly")
	}
	for _, code := range links {
		conflicts.inform(KindNoGrace, code,
			"[links.grace] names it, and no link has that code, or several have it in other letter cases: spell it exactly")
	}
	m, err := in.settings.Project(in.content)
	if err != nil {
		return nil, err
	}
	table, err := mapping.New(m)
	if err != nil {
		return nil, fmt.Errorf("the link map of this plan cannot be served: %w", err)
	}
	paths, lacks := table.UnknownCredits()
	for i, p := range paths {
		conflicts.inform(KindUnknownCredit, p.Path, "[paths] lets it credit a partner, and %s: spell the codes as Keap does", lacks[i])
	}
	return m, nil
}

// linksAfter are the links of the book with those of the exports on top. A link that
// was renamed since answers to its former code too, and leads where it leads now.
func linksAfter(before []book.Link, exported map[string]book.Link) []book.Link {
	after := make([]book.Link, 0, len(before)+len(exported))
	byID := make(map[int64]string, len(exported))
	for _, code := range slices.Sorted(maps.Keys(exported)) {
		l := exported[code]
		after = append(after, l)
		if l.KeapID != 0 {
			byID[l.KeapID] = l.Destination
		}
	}
	for _, l := range before {
		if _, again := exported[l.Code]; !again {
			if to, renamed := byID[l.KeapID]; renamed {
				l.Destination = to
			}
			after = append(after, l)
		}
	}
	slices.SortFunc(after, compareLinks)
	return after
}

// reportFolded reports codes that differ only by case and mean different promoters or
// links: only their exact spelling is honoured.
func reportFolded(c *book.Content, conflicts *conflictList) {
	codes := c.Aliases
	if i := slices.IndexFunc(codes, func(a book.Alias) bool { return a.Kind != book.AliasCode }); i >= 0 {
		codes = codes[:i]
	}
	for _, same := range sameFold(len(codes), func(i int) string { return codes[i].Value }) {
		var spelled []string
		differ := false
		for _, i := range same {
			spelled = append(spelled, codes[i].Value)
			differ = differ || codes[i].PromoterID != codes[same[0]].PromoterID || codes[i].State != codes[same[0]].State
		}
		if differ {
			conflicts.inform(KindAmbiguousCode, spelled[0],
				"%s differ only by case and are different promoters: each is honoured as it is spelled, any other spelling credits nobody",
				strings.Join(spelled, ", "))
		}
	}
	for _, same := range sameFold(len(c.Links), func(i int) string { return c.Links[i].Code }) {
		var spelled []string
		for _, i := range same {
			spelled = append(spelled, c.Links[i].Code)
		}
		conflicts.inform(KindAmbiguousLink, spelled[0],
			"%s differ only by case: each is honoured as it is spelled, any other spelling is an unknown link", strings.Join(spelled, ", "))
	}
}

// sameFold returns the indexes of codes that have their lower case in common with
// another one, in order.
func sameFold(n int, code func(i int) string) [][]int {
	first := make(map[string]int, n)
	groups := map[int][]int{} // by the first index
	for i := range n {
		lower := strings.ToLower(code(i))
		j, again := first[lower]
		if !again {
			first[lower] = i
			continue
		}
		if groups[j] == nil {
			groups[j] = []int{j}
		}
		groups[j] = append(groups[j], i)
	}
	var out [][]int
	for _, j := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, groups[j])
	}
	return out
}
