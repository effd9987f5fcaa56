package book

import (
	"fmt"
	"strconv"
	"strings"
)

// ClickID names a click for ever: the gateway that answered it and its number there. The zero
// ClickID is no click.
type ClickID struct {
	Node string
	Seq  int64
}

// String gives "<node>.<seq>", and nothing for the zero ClickID.
func (id ClickID) String() string {
	if id == (ClickID{}) {
		return ""
	}
	return id.Node + "." + strconv.FormatInt(id.Seq, 10)
}

// ParseClickID reads what [ClickID.String] gives; a node may contain dots.
func ParseClickID(s string) (ClickID, error) {
	dot := strings.LastIndexByte(s, '.')
	if dot <= 0 {
		return ClickID{}, fmt.Errorf("%q is no click id: it looks like web1-4f2a.1700000000000001", s)
	}
	seq, err := strconv.ParseInt(s[dot+1:], 10, 64)
	if err != nil || seq <= 0 {
		return ClickID{}, fmt.Errorf("%q is no click id: it looks like web1-4f2a.1700000000000001", s)
	}
	return ClickID{Node: s[:dot], Seq: seq}, nil
}
