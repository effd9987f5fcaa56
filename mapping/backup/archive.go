package backup

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Limits on what is read into memory of an archive that somebody made.
const (
	maxHead = 1 << 20
	maxSums = 64 << 20
)

// Archive is a backup that was read to its end and is whole.
type Archive struct {
	Head    Head
	Entries []Entry // all but the head and the sums
	path    string
}

// Open reads the archive at path to its end and compares every file with its checksum, before
// anything of it is used. It fails with [ErrNoBackup], [ErrDamaged] or [ErrNewer].
func Open(ctx context.Context, path string) (*Archive, error) {
	a := &Archive{path: path}
	if err := a.verify(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

func (a *Archive) verify(ctx context.Context) error {
	var sums string
	var all []Entry
	err := a.each(ctx, func(h *tar.Header, r io.Reader) error {
		sum := sha256.New()
		body := io.TeeReader(r, sum)
		switch h.Name {
		case headName:
			text, err := io.ReadAll(io.LimitReader(body, maxHead))
			if err != nil {
				return err
			}
			if err := json.Unmarshal(text, &a.Head); err != nil {
				return ErrNoBackup
			}
			if err := a.Head.check(); err != nil { // before the rest is read
				return err
			}
		case sumsName:
			text, err := io.ReadAll(io.LimitReader(body, maxSums))
			sums = string(text)
			return err
		}
		if sums != "" {
			return fmt.Errorf("%w: %q comes after the checksums", ErrDamaged, h.Name)
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return err
		}
		all = append(all, Entry{h.Name, h.Size, hex.EncodeToString(sum.Sum(nil))})
		return nil
	})
	if err != nil {
		return err
	}
	if sums == "" {
		return fmt.Errorf("%w: it ends early; it was cut off when it was copied", ErrDamaged)
	}
	if err := compareSums(sums, all); err != nil {
		return err
	}
	a.Entries = all[1:] // without the head
	if a.Head.HasBook != slices.ContainsFunc(all, func(e Entry) bool { return e.Name == bookName }) {
		return fmt.Errorf("%w: what it says of the book is not so", ErrDamaged)
	}
	return nil
}

func compareSums(sums string, all []Entry) error {
	want := map[string]string{}
	for line := range strings.Lines(sums) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		want[name] = sum
	}
	for _, e := range all {
		if want[e.Name] != e.SHA256 {
			return fmt.Errorf("%w: %s does not agree with its checksum", ErrDamaged, e.Name)
		}
		delete(want, e.Name)
	}
	for name := range want {
		return fmt.Errorf("%w: %s is missing", ErrDamaged, name)
	}
	return nil
}

// each calls fn for each file, in order. What no backup holds (links, folders, names that lead
// elsewhere, a name twice) fails it.
func (a *Archive) each(ctx context.Context, fn func(h *tar.Header, r io.Reader) error) error {
	f, err := os.Open(a.path)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(ErrNoBackup, err)
	}
	zipped, err := gzip.NewReader(bufio.NewReaderSize(contextReader{ctx, f}, 1<<20))
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return ErrNoBackup
	}
	r := tar.NewReader(zipped)
	seen := map[string]bool{}
	for first := true; ; first = false {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF) && !first:
			return damaged(ctx, drain(zipped))
		case first && (err != nil || h.Name != headName):
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return damaged(ctx, err)
			}
			return ErrNoBackup
		case err != nil:
			return damaged(ctx, err)
		case h.Typeflag != tar.TypeReg:
			return fmt.Errorf("%w: %q is a link or another thing that no backup holds", ErrDamaged, h.Name)
		case seen[h.Name]:
			return fmt.Errorf("%w: %q is in it twice", ErrDamaged, h.Name)
		}
		if err := checkName(h.Name); err != nil {
			return err
		}
		seen[h.Name] = true
		if err := fn(h, r); err != nil {
			return damaged(ctx, err)
		}
	}
}

// drain reads to the end, where gzip has a checksum of its own.
func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// damaged makes of an error in reading what it means for the archive.
func damaged(ctx context.Context, err error) error {
	switch {
	case err == nil || ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it ends early; it was cut off when it was copied", ErrDamaged)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	return err
}
