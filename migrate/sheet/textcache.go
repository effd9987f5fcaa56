package sheet

import "hash/maphash"

// textCache remembers texts of one column that were read not long ago, each under its hash: most
// columns repeat a few values, which need be in memory once.
type textCache struct{ recent *[recentTexts]string }

const (
	recentTexts = 512
	longestText = 64 // bytes of a text that is remembered
)

var textSeed = maphash.MakeSeed()

// slot is where cell is, or belongs; nil for one that is too long.
func (t *textCache) slot(cell []byte) *string {
	if len(cell) > longestText {
		return nil
	}
	if t.recent == nil {
		t.recent = new([recentTexts]string)
	}
	return &t.recent[maphash.Bytes(textSeed, cell)%recentTexts]
}

// text returns cell as a string, and remembers it.
func (t *textCache) text(cell []byte) string {
	slot := t.slot(cell)
	switch {
	case slot == nil:
		return string(cell)
	case *slot != string(cell):
		*slot = string(cell)
	}
	return *slot
}
