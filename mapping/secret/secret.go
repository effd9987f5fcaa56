// Package secret holds the one secret of a program, and derives the keys of everything that is
// signed from it. It does with the standard library.
package secret

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// Variable is the environment variable that holds the secret; it goes before the file.
const Variable = "CARRYOVER_SECRET"

// FileName is the file of the secret in the folder of the data.
const FileName = "secret"

// A Purpose is what a key is for. A key of one purpose is of no use for another.
type Purpose string

// The purposes. Their texts are what HKDF is given: a change makes all that was signed void.
const (
	Cookies Purpose = "cookies" // the gateway's cookie in browsers
	Maps    Purpose = "maps"    // published link maps, and the last good one on disk
	Pages   Purpose = "pages"   // tokens in forms and in addresses of the gateway's own pages
	Hooks   Purpose = "hooks"   // what is delivered to other programs
	Clicks  Purpose = "clicks"  // clicks on their way between gateways
)

// Bounds of a secret. Who chooses one by himself is asked for something that cannot be tried out
// from a cookie; "openssl rand -hex 32" gives more than enough.
const (
	minLength    = 16
	minDifferent = 8 // characters, so that no single one is repeated to the length
	maxLength    = 1024
	maxSecrets   = 4
)

// Secret is the secret of a program, and the former ones that are still believed. Printed, it
// says where it comes from and nothing else. It is immutable.
type Secret struct {
	values []string // the one that signs first
	from   string   // "CARRYOVER_SECRET", or the path of the file
}

// Parse reads one secret, or up to four with blanks, commas or line ends between them: the first
// signs, all are believed, so that a secret can be changed without making void what the former
// one signed. from names the place in errors, which never repeat the text.
func Parse(text, from string) (*Secret, error) {
	s := &Secret{from: from}
	for i, value := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n,", r) }) {
		if err := check(value); err != nil {
			which := ""
			if i > 0 || len(strings.Fields(text)) > 1 {
				which = fmt.Sprintf(", secret %d of those there (blanks and commas stand between the present one and former ones)", i+1)
			}
			return nil, fmt.Errorf("%s%s: %w; \"openssl rand -hex 32\" makes a good one", from, which, err)
		}
		s.values = append(s.values, value)
	}
	switch {
	case len(s.values) == 0:
		return nil, fmt.Errorf("%s is empty: %w", from, errEmpty)
	case len(s.values) > maxSecrets:
		return nil, fmt.Errorf("%s holds %d secrets: at most %d are believed, the present one first", from, len(s.values), maxSecrets)
	}
	return s, nil
}

var errEmpty = errors.New("it must hold the program's secret")

func check(value string) error {
	different := map[byte]bool{}
	for i := range len(value) {
		if value[i] < '!' || value[i] > '~' {
			return errors.New("a secret is of plain ASCII characters")
		}
		different[value[i]] = true
	}
	switch {
	case len(value) < minLength:
		return fmt.Errorf("a secret has at least %d characters, this one has %d", minLength, len(value))
	case len(value) > maxLength:
		return fmt.Errorf("a secret has at most %d characters, this one has %d", maxLength, len(value))
	case len(different) < minDifferent:
		return fmt.Errorf("a secret has at least %d different characters, this one has %d", minDifferent, len(different))
	}
	return nil
}

// Key is the key for a purpose: 32 bytes.
func (s *Secret) Key(p Purpose) []byte { return derive(s.values[0], p) }

// Keys are the keys for a purpose: that of the present secret, then those of the former ones.
func (s *Secret) Keys(p Purpose) [][]byte {
	keys := make([][]byte, 0, len(s.values))
	for _, value := range s.values {
		keys = append(keys, derive(value, p))
	}
	return keys
}

// derive is HKDF with SHA-256 (RFC 5869), without a salt, over the characters of the secret as
// they are written; the info is "carryover 1 " and the purpose.
func derive(value string, p Purpose) []byte {
	key, err := hkdf.Key(sha256.New, []byte(value), nil, "carryover 1 "+string(p), sha256.Size)
	if err != nil {
		panic("BUG: a key of 32 bytes cannot be derived: " + err.Error())
	}
	return key
}

// From says where the secret comes from.
func (s *Secret) From() string { return s.from }

// String says where the secret comes from, so that printing one tells nothing else.
func (s *Secret) String() string { return "the secret of " + s.from }

// GoString is String, for %#v.
func (s *Secret) GoString() string { return s.String() }
