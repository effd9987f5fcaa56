package secret

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxFile bounds what is read of a file, in bytes.
const maxFile = 8 << 10

// ErrNone says that there is neither the variable nor the file.
var ErrNone = errors.New("the program has no secret here")

// Open gives the secret of the environment or, where it holds none, that of the folder dir, and
// makes one there when it is missing: for programs that sign. Programs that begin at one time
// agree on one.
func Open(dir string) (*Secret, error) {
	s, err := Read(dir)
	if !errors.Is(err, ErrNone) {
		return s, err
	}
	if err := create(dir); err != nil {
		return nil, fmt.Errorf("the program's secret cannot be made: %w; set %s where the folder cannot be written", err, Variable)
	}
	return Read(dir)
}

// Read is [Open] for what changes nothing: it fails with [ErrNone] where Open would make one.
func Read(dir string) (*Secret, error) {
	if text, set := os.LookupEnv(Variable); set && text != "" {
		return Parse(text, Variable)
	}
	path := filepath.Join(dir, FileName)
	text, err := readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: set %s to that of the machine that publishes, or copy its %s", ErrNone, Variable, path)
	case err != nil:
		return nil, fmt.Errorf("the program's secret cannot be read: %w", err)
	}
	s, err := Parse(text, path)
	if errors.Is(err, errEmpty) {
		return nil, fmt.Errorf("%w: put it back from a backup; without one remove the file, then a new one is made, "+
			"cookies that browsers hold count for nothing, and \"carryover map publish\" signs the map anew", err)
	}
	return s, err
}

// readFile reads a regular file of at most maxFile bytes, and closes it to everybody else. A group
// alone may go on reading it: a gateway and the person who publishes can be two users.
func readFile(path string) (string, error) {
	info, err := os.Stat(path) // before opening: that would wait for the writer of a pipe
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no file", path)
	}
	if open := info.Mode().Perm() & 0o027; open != 0 {
		mode := info.Mode().Perm() &^ open
		if open&0o007 != 0 { // a copy, most likely: nobody meant it
			mode &^= 0o070
		}
		_ = os.Chmod(path, mode) // where that is not ours to do, whoever mounted it has decided
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is longer than any secret (%d bytes)", path, maxFile)
	}
	return strings.TrimPrefix(string(text), "\ufeff"), err // some editors begin a file with a byte order mark
}

// create makes a random secret in dir, readable by its owner only. It is written beside and then
// given its name, which fails when another program was first: that one's is whole, too.
func create(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+FileName+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	raw := make([]byte, 32)
	rand.Read(raw) // never fails: crypto/rand ends the program instead
	_, err = f.WriteString(hex.EncodeToString(raw) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	path := filepath.Join(dir, FileName)
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is a symbolic link to a file that is not there", path)
	}
	if d, err := os.Open(dir); err == nil { // the name is on disk only with its folder
		_ = d.Sync()
		d.Close()
	}
	return nil
}
