package store

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"carryover/mapping"
)

// A snapshot is the gateway's last good map on disk. The file is a line that names the
// format, a line of JSON (program, epoch, policy and signature), then the entries in the order
// of the checksum: kind (a byte), key and value, each behind its length as a uvarint.
const snapshotMagic = "carryover map 2\n"

type snapshotHead struct {
	Program   string          `json:"program"`
	Epoch     Epoch           `json:"epoch"`
	Policy    json.RawMessage `json:"policy"`
	Signature string          `json:"signature"`
}

// snapshotOf is what a snapshot of e is signed as: with when e was made live, which the signature
// of an epoch says nothing of.
func snapshotOf(e *Epoch) string {
	return fmt.Sprintf("%s %d", signedSnapshot, e.Activated.UnixMilli())
}

// SaveSnapshot writes m and e to path, readable by the owner only, signed as t says. Whatever
// stops it, the file at path is the former snapshot or the new one. Its folder must exist.
func SaveSnapshot(path string, m *mapping.Map, e Epoch, t *Trust) error {
	if err := saveSnapshot(path, m, e, t); err != nil {
		return fmt.Errorf("saving the last good map to %s: %w", path, err)
	}
	return nil
}

func saveSnapshot(path string, m *mapping.Map, e Epoch, t *Trust) (err error) {
	c, err := newContent(m)
	if err != nil {
		return err
	}
	if c.checksum() != e.Checksum {
		return fmt.Errorf("the map is not the one of epoch %d: %w", e.ID, ErrChecksum)
	}
	head, err := json.Marshal(snapshotHead{c.program, e, json.RawMessage(c.policy), t.sign(snapshotOf(&e), c.program, &e)})
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriterSize(f, 1<<16)
	w.WriteString(snapshotMagic)
	w.Write(head)
	w.WriteByte('\n')
	var n []byte
	for i := range c.entries {
		en := &c.entries[i]
		n = binary.AppendUvarint(append(n[:0], byte(en.Kind)), uint64(len(en.Key)))
		w.Write(n)
		w.WriteString(en.Key)
		n = binary.AppendUvarint(n[:0], uint64(len(en.Value)))
		w.Write(n)
		w.WriteString(en.Value)
	}
	if err := w.Flush(); err != nil { // the first error of all writes
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	// The rename itself is on disk only with its folder.
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil
	}
	defer dir.Close()
	_ = dir.Sync()
	return nil
}

var errSnapshot = errors.New("the file is not a map that this carryover saved")

// LoadSnapshot reads what [SaveSnapshot] wrote and verifies its checksum. It fails with an error
// that is [io/fs.ErrNotExist] when there is none, with [ErrChecksum] when it is damaged, and with
// [ErrSignature] or [mapping.ErrNotAllowed] when it is not one that t believes: another program's
// above all. The strings of the map share one buffer of the file's size.
func LoadSnapshot(path string, t *Trust) (*mapping.Map, Epoch, error) {
	m, e, err := loadSnapshot(path, t)
	if err != nil {
		return nil, Epoch{}, fmt.Errorf("loading the last good map from %s: %w", path, err)
	}
	return m, e, nil
}

func loadSnapshot(path string, t *Trust) (*mapping.Map, Epoch, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // of a pipe the end never comes
		return nil, Epoch{}, errSnapshot
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, Epoch{}, err
	}
	text, ok := strings.CutPrefix(unsafe.String(unsafe.SliceData(raw), len(raw)), snapshotMagic)
	if !ok {
		return nil, Epoch{}, errSnapshot
	}
	line, rest, ok := strings.Cut(text, "\n")
	if !ok {
		return nil, Epoch{}, fmt.Errorf("%w: it ends early", ErrChecksum)
	}
	var head snapshotHead
	if err := json.Unmarshal([]byte(line), &head); err != nil {
		return nil, Epoch{}, fmt.Errorf("%w: %w", ErrChecksum, err)
	}
	if t.Program != "" && head.Program != t.Program {
		return nil, Epoch{}, fmt.Errorf("%w: it is of the program %.100q, not of %q", mapping.ErrNotAllowed, head.Program, t.Program)
	}
	if err := t.verify(snapshotOf(&head.Epoch), head.Program, &head.Epoch, head.Signature); err != nil {
		return nil, Epoch{}, err
	}
	var entries []mapping.Entry
	for len(rest) > 0 {
		var en mapping.Entry
		en.Kind, rest = mapping.Kind(rest[0]), rest[1:]
		var keyOK, valueOK bool
		en.Key, rest, keyOK = cutSized(rest)
		en.Value, rest, valueOK = cutSized(rest)
		if !keyOK || !valueOK {
			return nil, Epoch{}, fmt.Errorf("%w: it ends early", ErrChecksum)
		}
		entries = append(entries, en)
	}
	m, err := rebuild(string(head.Policy), entries, head.Epoch, t)
	if err == nil && m.Policy.Program != head.Program {
		return nil, Epoch{}, fmt.Errorf("%w: it names two programs", ErrChecksum)
	}
	return m, head.Epoch, err
}

// maxSnapshotHead bounds the line of JSON, in bytes.
const maxSnapshotHead = 4 << 20

// SnapshotActivated says since when the map at path was live when it was saved, if t believes
// that, without reading the map. It is zero where there is none, or nothing is said of it.
func SnapshotActivated(path string, t *Trust) time.Time {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return time.Time{}
	}
	f, err := os.Open(path)
	if err != nil {
		return time.Time{}
	}
	defer f.Close()
	in := bufio.NewReader(io.LimitReader(f, maxSnapshotHead))
	magic, _ := in.ReadString('\n')
	line, err := in.ReadBytes('\n')
	var head snapshotHead
	if err != nil || magic != snapshotMagic || json.Unmarshal(line, &head) != nil || head.Program != t.Program ||
		t.verify(snapshotOf(&head.Epoch), head.Program, &head.Epoch, head.Signature) != nil {
		return time.Time{}
	}
	return head.Epoch.Activated
}

// cutSized cuts a string off s that stands behind its length.
func cutSized(s string) (field, rest string, ok bool) {
	var n uint64
	for shift := 0; shift < 63; shift += 7 {
		if s == "" {
			return "", "", false
		}
		b := s[0]
		s = s[1:]
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if n > uint64(len(s)) {
				return "", "", false
			}
			return s[:n], s[n:], true
		}
	}
	return "", "", false
}
