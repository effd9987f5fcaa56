package sheet

import "slices"

// Status is a cell that says whether something takes part.
type Status uint8

const (
	Inactive    Status = iota // 0, 0.0, inactive, no, n, false, disabled, blank
	Active                    // 1, 1.0, active, yes, y, true, enabled, approved
	OtherStatus               // any other word: for the caller to decide
)

// UnmarshalCSV reads a cell in any case. It never fails.
func (s *Status) UnmarshalCSV(text string) error {
	*s = readStatus(text)
	return nil
}

func readStatus[S string | []byte](text S) Status {
	var word [len("inactive")]byte
	if len(text) > len(word) {
		return OtherStatus
	}
	for i := range len(text) {
		if word[i] = text[i]; 'A' <= word[i] && word[i] <= 'Z' {
			word[i] += 'a' - 'A'
		}
	}
	switch string(word[:len(text)]) {
	case "1", "1.0", "active", "yes", "y", "true", "enabled", "approved":
		return Active
	case "", "0", "0.0", "inactive", "no", "n", "false", "disabled":
		return Inactive
	}
	return OtherStatus
}

// StatusColumn is what the cells of one column of [Status] say.
type StatusColumn struct {
	Field  string
	Header string // as written in the file

	Active, Inactive, Other int // cells; blank ones are inactive

	OtherLine int      // the first cell of Other: its line, 0 for none
	Words     []string // those of Other, each once, the first few

	Means Status // what the cells of Other are read as: OtherStatus, unless somebody has said
}

// decide takes over what the operator said of the other words.
func (c *StatusColumn) decide(said string) {
	if c.Means = OtherStatus; said == "active" {
		c.Means = Active
	}
}

// mostWords is how many words of a column are kept.
const mostWords = 5

// observe counts one cell. Its bytes may be of any encoding.
func (c *StatusColumn) observe(line int, cell []byte) {
	switch readStatus(cell) {
	case Active:
		c.Active++
		return
	case Inactive:
		c.Inactive++
		return
	}
	if c.Other++; c.Other == 1 {
		c.OtherLine = line
	}
	if len(c.Words) < mostWords {
		if word := decodeCell(cell); !slices.Contains(c.Words, word) {
			c.Words = append(c.Words, word)
		}
	}
}
