package book

import (
	"encoding/hex"
	"errors"
)

// EventID names an entry of money for ever. One that was made from an export is a hash
// of what the row says, so that the same row of another export is the same entry.
type EventID [16]byte

// String is how people and the book's file write it: "k-" and 32 hex digits.
func (id EventID) String() string { return "k-" + hex.EncodeToString(id[:]) }

// ParseEventID reads what [EventID.String] writes.
func ParseEventID(s string) (id EventID, err error) {
	raw, err := hex.DecodeString(s[min(len(s), 2):])
	if err != nil || len(raw) != len(id) || s[:2] != "k-" {
		return id, errors.New("not an event id: " + s)
	}
	return EventID(raw), nil
}
