// Package suggest finds what somebody meant who mistyped a name.
package suggest

import "strings"

// Nearest is the known name that differs from name in the fewest letters; empty when all
// differ in more than one letter of three. Known names are in lower case.
func Nearest(name string, known []string) string {
	name = strings.ToLower(name)
	best, bestDistance := "", 1+max(1, len(name)/3)
	for _, k := range known {
		if d := distance(name, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the number of letters to add, drop or change to make a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
