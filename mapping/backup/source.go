package backup

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Source is what is saved.
type Source struct {
	Data       string // folder of the program's data
	Book       string // path of the book, in Data or elsewhere
	Config     string // path of the configuration
	Program    string
	ConfigHash string
	Version    string   // of this carryover
	Variables  []string // see [Head]
}

// sourceFile is a file to save.
type sourceFile struct {
	name string // in the archive
	path string
}

// isDatabase reports whether a file is copied as a database: byte for byte it would lack what is
// in its log, and to open and close it drops the locks that this process may have on it.
func isDatabase(path string) bool { return strings.HasSuffix(path, ".db") }

// files lists what is saved of the data folder and what is left out, and whether there is a
// book. The databases come last, and the book, which is not among the files, after all.
func (s *Source) files() (files []sourceFile, leftOut []string, hasBook bool, err error) {
	info, err := os.Stat(s.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, false, fmt.Errorf("there is no data folder %s: name it with --data", s.Data)
	case err == nil && !info.IsDir():
		return nil, nil, false, fmt.Errorf("%s is no folder: name the data folder with --data", s.Data)
	case err != nil:
		return nil, nil, false, err
	}
	bookInfo, err := os.Stat(s.Book)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, false, fmt.Errorf("looking for the book: %w", err)
	}
	hasBook = err == nil
	omit := func(rel, why string) { leftOut = append(leftOut, rel+": "+why) }
	var databases []sourceFile
	err = filepath.WalkDir(s.Data, func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != s.Data: // it was under way
			return nil
		case err != nil || path == s.Data:
			return err
		}
		rel, err := filepath.Rel(s.Data, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if isTransient(rel) {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() {
			return nil
		}
		info, err := os.Stat(path) // of what a link leads to: a secret may be one
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if e.Type()&fs.ModeSymlink != 0 {
				omit(rel, "a link that leads nowhere")
			}
			return nil
		case err != nil:
			return err
		case info.IsDir():
			omit(rel, "a link to a folder")
			return nil
		case !info.Mode().IsRegular():
			omit(rel, "no regular file")
			return nil
		case hasBook && os.SameFile(info, bookInfo):
			return nil
		case checkName(dataPrefix+rel) != nil:
			omit(rel, "a name that cannot be saved")
			return nil
		case isDatabase(path):
			databases = append(databases, sourceFile{dataPrefix + rel, path})
			return nil
		case isArchive(path):
			omit(rel, "a backup itself")
			return nil
		}
		files = append(files, sourceFile{dataPrefix + rel, path})
		return nil
	})
	if err == nil && !hasBook && len(databases) == 0 {
		err = fmt.Errorf("there is nothing to save in %s: neither a book nor clicks; name the data folder with --data", s.Data)
	}
	return append(files, databases...), leftOut, hasBook, err
}

// isArchive reports whether the file at path begins like a backup.
func isArchive(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	z, err := gzip.NewReader(io.LimitReader(f, 1<<20))
	if err != nil {
		return false
	}
	h, err := tar.NewReader(z).Next()
	return err == nil && h.Name == headName
}
