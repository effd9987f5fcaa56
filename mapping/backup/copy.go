package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"carryover/mapping/book"
)

// CopyData copies the data folder of s, with its book, into the folder dir, as of one moment
// and while others write: to rehearse on. dir is made, or empty. After an error it is as it was.
func CopyData(ctx context.Context, s Source, dir string) (err error) {
	switch inside, err := isInside(dir, s.Data); {
	case err != nil:
		return err
	case inside:
		return fmt.Errorf("%s lies in the data folder %s: choose another folder for the copy", dir, s.Data)
	}
	files, _, hasBook, err := s.files()
	if err != nil {
		return err
	}
	list, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return err
		}
	case err != nil:
		return err
	case len(list) > 0:
		return fmt.Errorf("%s is not empty: choose another folder for the copy, or rehearse on it again with --data %s", dir, dir)
	}
	staging, err := stage(filepath.Dir(filepath.Clean(dir)))
	if err != nil {
		return fmt.Errorf("the copy cannot be made: %w", err)
	}
	defer os.RemoveAll(staging)
	if hasBook {
		files = append(files, sourceFile{dataPrefix + bookName, s.Book})
	}
	for _, file := range files {
		to := filepath.Join(staging, filepath.FromSlash(strings.TrimPrefix(file.name, dataPrefix)))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if isDatabase(file.path) {
			err = book.CopyDatabase(ctx, file.path, to)
		} else {
			err = copyFile(ctx, file.path, to)
		}
		if err != nil {
			return fmt.Errorf("copying %s: %w", s.Data, err)
		}
	}
	os.Remove(dir) // when it is there, it is empty
	return os.Rename(staging, dir)
}

// isInside reports whether path, which need not be there, lies below folder.
func isInside(path, folder string) (bool, error) {
	parent, err := filepath.Abs(path)
	if err != nil {
		return false, err
	}
	of, err := os.Stat(folder)
	if err != nil {
		return false, nil // what copies it says so
	}
	for parent != filepath.Dir(parent) {
		parent = filepath.Dir(parent)
		if info, err := os.Stat(parent); err == nil && os.SameFile(info, of) {
			return true, nil
		}
	}
	return false, nil
}

func copyFile(ctx context.Context, from, to string) error {
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was under way
	}
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, contextReader{ctx, in})
	return errors.Join(err, out.Close())
}
