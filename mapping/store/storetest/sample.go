package storetest

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"carryover/mapping"
)

// sample is a map of n links, partners, ids and paths each, all of which carry version.
func sample(version, n int) *mapping.Map {
	m := &mapping.Map{Policy: policy()}
	m.Policy.KeapApp = fmt.Sprintf("v%d", version)
	for i := range n {
		code := fmt.Sprintf("p%05d", i)
		m.Links = append(m.Links, mapping.Link{Code: fmt.Sprintf("l%05d", i), Destination: fmt.Sprintf("https://carrot.com/%d?v=%d", i, version)})
		m.Partners = append(m.Partners, mapping.Partner{Code: code, Token: fmt.Sprintf("t%d-v%d", i, version), Status: mapping.Active})
		m.IDs = append(m.IDs, mapping.ID{KeapID: int64(i + 1), Code: fmt.Sprintf("%s-v%d", code, version)})
		m.Paths = append(m.Paths, mapping.Path{Path: fmt.Sprintf("/app/orderForms/%d", i), Target: fmt.Sprintf("https://carrot.com/order/%d", version)})
	}
	return m
}

// versionOf returns the version that every entry of m carries; ok is false for a mixture.
func versionOf(m *mapping.Map) (version int, ok bool) {
	if _, err := fmt.Sscanf(m.Policy.KeapApp, "v%d", &version); err != nil {
		return 0, false
	}
	want := sample(version, len(m.Links))
	return version, reflect.DeepEqual(m.Entries(), want.Entries())
}

func policy() mapping.Policy {
	return mapping.Policy{
		Program:      "carrot",
		LegacyHosts:  []string{"go.carrot.com"},
		AllowedHosts: []string{"carrot.com", "www.carrot.com"},
		Cutoff:       time.Date(2023, 4, 1, 0, 0, 0, 0, time.FixedZone("", -7*3600)),
		AfterCutoff:  mapping.AfterRedirect,
		Inactive:     mapping.InactiveUncredited,
		Pages:        mapping.Pages{Landing: "https://carrot.com/?a=1&b=<2>", Login: "https://carrot.com/login"},
		TokenParam:   "fpr",
		CodeParams:   []string{"aff", "affcode"},
	}
}

// oddMap holds what could be damaged on the way: quotes, bytes that are no text, escapes,
// everything optional.
func oddMap() *mapping.Map {
	grace := time.Date(2023, 7, 1, 7, 0, 0, 0, time.UTC)
	m := &mapping.Map{Policy: policy(), Links: []mapping.Link{
		{Code: `quo"te'd`, Destination: `https://carrot.com/?q="a"&b='c'&amp;<d>\e`},
		{Code: "naïve-ÄÖ-日本-🥕", Destination: "https://carrot.com/日本?ü=é#🥕"},
		{Code: "con\ttrol\x01\x7f\r\n", Destination: "https://carrot.com/\x01\x1f\t\u2028\x7f"},
		{Code: "", Destination: ""},
		{Code: "grace", Destination: "https://carrot.com/", Until: grace},
		{Code: "nul\x00byte", Destination: "https://carrot.com/\x00"},
		{Code: "not\xffutf8", Destination: "https://carrot.com/%FF"},
	}, Partners: []mapping.Partner{
		{Code: "JSmith", Token: "jsmith", Status: mapping.Active},
		{Code: "jsmith", Token: "jsmith", Status: mapping.Active, AliasTokens: []string{"j-smith", `old"er`, "ünï"}, Until: grace},
		{Code: "gone", Token: "gone", Status: mapping.Inactive},
		{Code: "HOUSE", Status: mapping.House},
		{Code: "dup", Status: mapping.Ambiguous},
		{Code: `{"t":"x","s":"active"}`, Token: `a","s":"house`, Status: mapping.Active},
		{Code: "200%", Token: "\u2029", Status: mapping.Inactive, AliasTokens: []string{""}},
	}, IDs: []mapping.ID{
		{KeapID: 1, Code: "JSmith"}, {KeapID: -7, Code: ""}, {KeapID: 1<<62 + 1, Code: `"`}, {KeapID: 0, Code: "\n"}, {KeapID: 10, Code: "naïve"},
	}, Paths: []mapping.Path{
		{Path: "/app/orderForms/3 Leads Per Day?x=1", Target: "join"},
		{Path: "/", Target: "https://carrot.com/?a=b&c=d"},
	}}
	return m
}

// equal fails the test unless both maps are the same but for the order of their tables.
func equal(t *testing.T, got, want *mapping.Map) {
	t.Helper()
	g, w := sorted(got), sorted(want)
	if !reflect.DeepEqual(g.Links, w.Links) || !reflect.DeepEqual(g.Partners, w.Partners) ||
		!reflect.DeepEqual(g.IDs, w.IDs) || !reflect.DeepEqual(g.Paths, w.Paths) {
		t.Errorf("the map came back changed:\n got %+v\nwant %+v", g, w)
	}
	if !got.Policy.Cutoff.Equal(want.Policy.Cutoff) {
		t.Errorf("cutoff %v, want %v", got.Policy.Cutoff, want.Policy.Cutoff)
	}
	g.Policy.Cutoff = w.Policy.Cutoff
	if !reflect.DeepEqual(g.Policy, w.Policy) {
		t.Errorf("policy %+v, want %+v", g.Policy, w.Policy)
	}
}

// sorted is m with its tables in order, and without the difference of nil and empty.
func sorted(m *mapping.Map) *mapping.Map {
	c := &mapping.Map{Policy: m.Policy}
	c.Links = append(make([]mapping.Link, 0), m.Links...)
	c.Partners = append(make([]mapping.Partner, 0), m.Partners...)
	c.IDs = append(make([]mapping.ID, 0), m.IDs...)
	c.Paths = append(make([]mapping.Path, 0), m.Paths...)
	slices.SortFunc(c.Links, func(a, b mapping.Link) int { return cmp.Compare(a.Code, b.Code) })
	slices.SortFunc(c.Partners, func(a, b mapping.Partner) int { return cmp.Compare(a.Code, b.Code) })
	slices.SortFunc(c.IDs, func(a, b mapping.ID) int { return cmp.Compare(a.KeapID, b.KeapID) })
	slices.SortFunc(c.Paths, func(a, b mapping.Path) int { return cmp.Compare(a.Path, b.Path) })
	return c
}
