package click

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Seal signs a text that a page carries and brings back: "<text>.<signature>", for URLs
// and forms. It is readable by everybody. What was sealed for one purpose opens for no
// other, and no cookie is one.
func (k *Keyring) Seal(purpose, text string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + base64.RawURLEncoding.EncodeToString(k.keys[0].seal(purpose, text))
}

// Open reads what [Keyring.Seal] gave for purpose, under any key. ok is false for
// anything else.
func (k *Keyring) Open(purpose, sealed string) (text string, ok bool) {
	body, signature, found := strings.Cut(sealed, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if !found || err != nil {
		return "", false
	}
	sum, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil {
		return "", false
	}
	for _, key := range k.keys {
		if hmac.Equal(sum, key.seal(purpose, string(raw))) {
			return string(raw), true
		}
	}
	return "", false
}

func (k signingKey) seal(purpose, text string) []byte {
	mac := hmac.New(sha256.New, k.secret)
	mac.Write([]byte("carryover seal\x00" + purpose + "\x00" + text))
	return mac.Sum(nil)[:16]
}
