// Package view describes the tables of the commands once each: titles, the cells of a row, and
// what needs a person. What is in them comes from mapping and migrate; how they are written is
// the console's business.
package view

import (
	"fmt"
	"strconv"
	"strings"
)

// Number writes an id; empty for 0.
func Number(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

// JoinIDs writes ids, blanks between.
func JoinIDs(ids []int64) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(words, " ")
}

// Count writes how many there are of something: 1 row, 2 rows.
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
