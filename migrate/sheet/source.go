package sheet

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Source is one export: a file on disk, or an entry of a zip whose path reads
// exports.zip/partners.csv. Open may be called more than once. Size is in bytes.
type Source struct {
	Path string
	Open func() (io.ReadCloser, error)
	Size int64
}

// Input is a source and what the command line said about it.
type Input struct {
	Source
	Kind     string // the kind it is said to be; empty when its header must tell
	Explicit bool   // named as a file itself, not found in a folder or a zip
}

// Find expands command-line arguments to sources, in order and each once: a folder
// (recursively, sorted, without dot files and __MACOSX), a zip, a file, or kind=FILE
// with one of the kinds. A zip inside a folder is opened as well.
func Find(args []string, kinds []string) ([]Input, error) {
	var found []Input
	for _, arg := range args {
		kind, path := "", arg
		if k, p, ok := strings.Cut(arg, "="); ok && slices.Contains(kinds, k) {
			kind, path = k, p
		}
		at, err := os.Stat(path)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("there is no file or folder %q", path)
			}
			return nil, fmt.Errorf("find exports: %w", err)
		}
		if !at.IsDir() && !at.Mode().IsRegular() {
			return nil, fmt.Errorf("%q is %s and no file: an export is read more than once, so save it as a file and name that",
				path, modeName(at.Mode()))
		}
		if kind != "" && (at.IsDir() || isZip(path)) {
			return nil, fmt.Errorf("%q: a kind is given to one file, not to a folder or a zip", arg)
		}
		switch {
		case at.IsDir():
			err = findInFolder(path, &found)
		case isZip(path):
			err = findInZip(path, &found)
		default:
			found = append(found, Input{Source: fileSource(path, at.Size()), Kind: kind, Explicit: true})
		}
		if err != nil {
			return nil, err
		}
	}
	return uniqueInputs(found), nil
}

// uniqueInputs drops repeated paths; what the command line said of a file is kept.
func uniqueInputs(found []Input) []Input {
	at := make(map[string]int, len(found))
	out := found[:0]
	for _, in := range found {
		i, seen := at[in.Path]
		if !seen {
			at[in.Path] = len(out)
			out = append(out, in)
			continue
		}
		if in.Kind != "" {
			out[i].Kind = in.Kind
		}
		out[i].Explicit = out[i].Explicit || in.Explicit
	}
	return out
}

// modeName names what is no regular file.
func modeName(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

func isZip(path string) bool { return strings.EqualFold(filepath.Ext(path), ".zip") }

func isHidden(name string) bool { return strings.HasPrefix(name, ".") || name == "__MACOSX" }

func fileSource(path string, size int64) Source {
	return Source{
		Path: filepath.ToSlash(filepath.Clean(path)),
		Open: func() (io.ReadCloser, error) { return os.Open(path) },
		Size: size,
	}
}

func findInFolder(root string, found *[]Input) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("find exports: %w", err)
		}
		if path != root && isHidden(entry.Name()) {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		at, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("find exports: %w", err)
		}
		if !at.Mode().IsRegular() {
			return nil
		}
		if isZip(path) {
			return findInZip(path, found)
		}
		*found = append(*found, Input{Source: fileSource(path, at.Size())})
		return nil
	})
}
