package sheet

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
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

func findInZip(path string, found *[]Input) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return fmt.Errorf("open %s: %w; make the zip again or unpack it and name the folder", path, err)
	}
	defer archive.Close()
	var in []Input
	for i, entry := range archive.File {
		name := filepath.ToSlash(entry.Name)
		if strings.HasSuffix(name, "/") || slices.ContainsFunc(strings.Split(name, "/"),
			func(part string) bool { return part != ".." && isHidden(part) }) {
			continue
		}
		in = append(in, Input{Source: Source{
			Path: filepath.ToSlash(filepath.Clean(path)) + "/" + strings.ToValidUTF8(name, "\ufffd"),
			Open: func() (io.ReadCloser, error) { return openEntry(path, i) },
			Size: int64(min(entry.UncompressedSize64, 1<<62)),
		}})
	}
	sort.SliceStable(in, func(i, j int) bool { return in[i].Path < in[j].Path })
	*found = append(*found, in...)
	return nil
}

// zipEntry closes the archive with the entry.
type zipEntry struct {
	io.ReadCloser
	archive io.Closer
}

func (e zipEntry) Close() error { return errors.Join(e.ReadCloser.Close(), e.archive.Close()) }

func openEntry(path string, i int) (io.ReadCloser, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	if i >= len(archive.File) {
		archive.Close()
		return nil, errors.New("the zip changed while it was read")
	}
	entry := archive.File[i]
	if entry.Flags&1 != 0 {
		archive.Close()
		return nil, errors.New("the zip is locked with a password: unpack it and name the folder")
	}
	r, err := entry.Open()
	if err != nil {
		archive.Close()
		return nil, err
	}
	return zipEntry{r, archive}, nil
}
