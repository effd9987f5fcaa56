package mapping

import (
	"strings"
	"unsafe"
)

// location puts an address together from the destination's own bytes: its query, the
// visitor's, then ours, then its fragment. Reserved names are gone from the first when
// the table was made and are taken from the second here. partner nil: nobody is
// credited, nothing of ours is added. One allocation.
func (t *Table) location(to *destination, query string, partner *Partner, subID, ad string) string {
	visitor := query != "" && t.reserved.keepsAny(query, true)
	size := len(to.head) + len(to.query) + len(to.fragment) + 2
	if visitor {
		size += len(query) + 1
	}
	if partner != nil {
		size += len(t.policy.TokenParam) + len(partner.Token) + len(t.policy.SubIDParam) + len(subID) + len(ad) + 5
	}
	b := make([]byte, 0, size)
	b = append(b, to.head...)
	sep := byte('?')
	if to.query != "" {
		b = append(append(b, sep), to.query...)
		sep = '&'
	}
	if visitor {
		b = t.reserved.appendKept(append(b, sep), query, true)
		sep = '&'
	}
	if partner != nil {
		b = append(append(b, sep), t.policy.TokenParam...)
		b = append(append(b, '='), partner.Token...)
		if subID != "" {
			b = append(append(b, '&'), t.policy.SubIDParam...)
			b = append(append(b, '='), subID...)
			if ad != "" {
				b = append(append(b, '.'), ad...)
			}
		}
	}
	b = append(b, to.fragment...)
	return unsafe.String(unsafe.SliceData(b), len(b)) // b is not written again
}

// sendable checks once more, at the last moment, that a location is absolute and on an
// allowed host, and that it can stand in a header.
func (t *Table) sendable(location string) bool {
	i := strings.Index(location, "://")
	if i < 0 {
		return false
	}
	host := location[i+3:]
	if j := strings.IndexAny(host, "/?#"); j >= 0 {
		host = host[:j]
	}
	if !t.allowed[host] && !t.allowed[asciiHost(host)] && !t.forms[location] {
		return false
	}
	for i := 0; i < len(location); i++ {
		if location[i] <= ' ' || location[i] == 0x7f {
			return false
		}
	}
	return true
}
