package book

import (
	"encoding/hex"
	"errors"
)

// EventID is the id of a ledger entry that was carried over: a hash of the exported row, so
// that the same row of another export is the same entry.
type EventID [16]byte

// String writes the id as people and the book's file do: "k-" and 32 hex digits.
func (id EventID) String() string { return "k-" + hex.EncodeToString(id[:]) }

// ParseEventID reads an id as [EventID.String] writes it.
func ParseEventID(s string) (id EventID, err error) {
	raw, err := hex.DecodeString(s[min(len(s), 2):])
	if err != nil || len(raw) != len(id) || s[:2] != "k-" {
		return id, errors.New("not an event id: " + s)
	}
	return EventID(raw), nil
}
