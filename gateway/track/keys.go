package track

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
)

// KeysVariable is the environment variable that holds the API keys.
const KeysVariable = "CARRYOVER_API_KEYS"

// Bounds of the API keys.
const (
	maxKeys      = 2  // the one in use and the one that replaces it
	minKeyLength = 16 // bytes
)

// Keys are the SHA-256 sums of the valid keys. The keys themselves are not kept.
type Keys [][sha256.Size]byte

// ParseKeys reads one or two keys with commas or blanks between them, each as it is or as
// "sha256:" and 64 hex digits. Its errors name the variable and never what is in it.
func ParseKeys(text string) (Keys, error) {
	var keys Keys
	for n, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' || r == '\n' }) {
		if n == maxKeys {
			return nil, fmt.Errorf("%s holds more than %d keys: the one in use and the one that replaces it are enough", KeysVariable, maxKeys)
		}
		hash, hashed := cutFold(part, "sha256:")
		switch {
		case hashed:
			sum, err := hex.DecodeString(hash)
			if err != nil || len(sum) != sha256.Size {
				return nil, fmt.Errorf("%s: key %d is no hash: write sha256: and the 64 hex digits that sha256sum gives of the key",
					KeysVariable, n+1)
			}
			keys = append(keys, [sha256.Size]byte(sum))
		case len(part) < minKeyLength:
			return nil, fmt.Errorf("%s: key %d has fewer than %d characters: make one with \"openssl rand -hex 32\"",
				KeysVariable, n+1, minKeyLength)
		case strings.ContainsFunc(part, func(r rune) bool { return r < '!' || r > '~' }):
			return nil, fmt.Errorf("%s: key %d has characters that no header carries: make one with \"openssl rand -hex 32\"", KeysVariable, n+1)
		default:
			keys = append(keys, sha256.Sum256([]byte(part)))
		}
	}
	return keys, nil
}

// Fingerprint names a key by its index: the first eight digits of its SHA-256 sum.
func (k Keys) Fingerprint(i int) string { return "sha256:" + hex.EncodeToString(k[i][:4]) }

// find returns the index of a key, -1 for one that is not valid. It takes the same time for
// all keys of a length.
func (k Keys) find(key string) int {
	sum := sha256.Sum256([]byte(key))
	found := -1
	for i := range k {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], k[i][:]), i, found)
	}
	return found
}

// cutFold is [strings.CutPrefix] for a prefix in any case.
func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
