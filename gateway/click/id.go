package click

import (
	"fmt"
	"strconv"
	"strings"
)

// ID names a click for ever: the gateway that answered it and its number there. The zero
// ID is no click.
type ID struct {
	Node string
	Seq  int64
}

// String gives "<node>.<seq>", and nothing for the zero ID.
func (id ID) String() string {
	if id == (ID{}) {
		return ""
	}
	return id.Node + "." + strconv.FormatInt(id.Seq, 10)
}

// ParseID reads what [ID.String] gives; a node may contain dots.
func ParseID(s string) (ID, error) {
	dot := strings.LastIndexByte(s, '.')
	if dot <= 0 {
		return ID{}, fmt.Errorf("%q is no click id: it looks like web1-4f2a.1700000000000001", s)
	}
	seq, err := strconv.ParseInt(s[dot+1:], 10, 64)
	if err != nil || seq <= 0 {
		return ID{}, fmt.Errorf("%q is no click id: it looks like web1-4f2a.1700000000000001", s)
	}
	return ID{Node: s[:dot], Seq: seq}, nil
}
