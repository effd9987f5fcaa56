package terms

import "unicode"

// confusables are characters that are read as another one, in lower case, and how the characters
// of the Latin alphabet that are read alike are written as one of them. The pairs are those of
// Unicode's "confusables.txt" (UTS 39, https://www.unicode.org/Public/security/) that a name can
// be made of, and the digits that stand for letters. Accents and compatibility forms are not here:
// callers decompose them (NFKD) before.
var confusables = map[rune]string{
	'0': "o", '1': "l", '2': "z", '3': "e", '4': "a", '5': "s", '6': "g", '7': "t", '8': "b", '9': "g",
	'i': "l", 'q': "g", '|': "l", '!': "l", '$': "s", '@': "a", '€': "e", '£': "l", '¢': "c",
	// Latin letters beyond a to z, with small capitals
	'ø': "o", 'đ': "d", 'ð': "d", 'ħ': "h", 'ł': "l", 'ı': "l", 'ȷ': "j", 'ſ': "s", 'þ': "p", 'ŧ': "t", 'ŋ': "n",
	'æ': "ae", 'œ': "oe", 'ß': "s", 'ɑ': "a", 'ɐ': "a", 'ə': "e", 'ɛ': "e", 'ɔ': "c", 'ɡ': "g", 'ɢ': "g", 'ɩ': "l",
	'ɪ': "l", 'ɫ': "l",
	'ɯ': "w", 'ɴ': "n", 'ɵ': "o", 'ɾ': "r", 'ʀ': "r", 'ʋ': "v", 'ʏ': "y", 'ʙ': "b", 'ʜ': "h", 'ʟ': "l", 'ƈ': "c", 'ƙ': "k",
	'ƭ': "t",
	'ᴀ': "a", 'ᴄ': "c", 'ᴅ': "d", 'ᴇ': "e", 'ᴊ': "j", 'ᴋ': "k", 'ᴍ': "m", 'ᴏ': "o", 'ᴘ': "p", 'ᴛ': "t", 'ᴜ': "u",
	'ᴠ': "v", 'ᴡ': "w",
	'ᴢ': "z", 'ꜰ': "f", 'ꜱ': "s", 'ꞓ': "c",
	// Cyrillic
	'а': "a", 'в': "b", 'г': "r", 'ґ': "r", 'е': "e", 'є': "e", 'з': "e", 'ѕ': "s", 'і': "l", 'ї': "l", 'ј': "j", 'к': "k",
	'қ': "k", 'м': "m",
	'н': "h", 'ң': "h", 'о': "o", 'ө': "o", 'п': "n", 'р': "p", 'с': "c", 'ҫ': "c", 'т': "t", 'ҭ': "t", 'у': "y", 'ү': "y",
	'ұ': "y", 'х': "x",
	'ҳ': "x", 'һ': "h", 'ь': "b", 'ъ': "b", 'б': "g", 'э': "e", 'ә': "e", 'ѵ': "v", 'ԁ': "d", 'ԍ': "g", 'ԛ': "g", 'ԝ': "w",
	'ӏ': "l", 'и': "u",
	// Greek
	'α': "a", 'β': "b", 'γ': "y", 'ε': "e", 'ϵ': "e", 'η': "n", 'θ': "o", 'ι': "l", 'κ': "k", 'μ': "u", 'ν': "v", 'ο': "o",
	'π': "n", 'ρ': "p",
	'ϱ': "p", 'σ': "o", 'ς': "c", 'ϲ': "c", 'τ': "t", 'υ': "u", 'χ': "x", 'ω': "w", 'ϳ': "j", 'ζ': "z",
	// Armenian
	'ա': "w", 'գ': "g", 'զ': "g", 'լ': "l", 'հ': "h", 'ո': "n", 'ս': "u", 'ց': "g", 'օ': "o", 'ք': "p", 'յ': "j",
	// Cherokee, as unicode.ToLower writes it
	'ꭺ': "a", 'ꮯ': "c", 'ꭰ': "d", 'ꭼ': "e", 'ꮆ': "g", 'ꮋ': "h", 'ꭵ': "l", 'ꭻ': "j", 'ꮶ': "k", 'ꮮ': "l", 'ꮇ': "m",
	'ꮲ': "p", 'ꮢ': "r",
	'ꮪ': "s", 'ꭲ': "t", 'ꮩ': "v", 'ꮃ': "w", 'ꮓ': "z", 'ꭹ': "y", 'ᏼ': "b",
	// Hebrew, Arabic and others that are read as an o or an l
	'ס': "o", 'ו': "l", 'ן': "l", 'ا': "l", 'ه': "o", '٥': "o", '०': "o", '੦': "o", '০': "o", 'ഠ': "o", 'ဝ': "o",
	'ჿ': "o", '〇': "o", 'ⲟ': "o", 'ⲥ': "c", 'ⲣ': "p",
}

// capitals are read as other Latin letters than what they are in lower case.
var capitals = map[rune]string{
	'Η': "h", 'Ν': "n", 'Μ': "m", 'Ρ': "p", 'Σ': "e", 'Υ': "y", 'Λ': "a", // Greek
	'И': "n", 'Я': "r", 'Д': "a", // Cyrillic
}

// plain writes a character as the Latin letters that it is read as; empty for what is no part of
// a word, or not seen at all.
func plain(r rune) string {
	if 0xff01 <= r && r <= 0xff5e { // full-width ASCII
		r -= 0xfee0
	}
	if text, ok := capitals[r]; ok {
		return text
	}
	r = unicode.ToLower(r)
	if text, ok := confusables[r]; ok {
		return text
	}
	if unicode.IsLetter(r) || unicode.IsDigit(r) {
		return string(r)
	}
	return ""
}

// isMark reports whether r belongs to the character before it, or shows as nothing.
func isMark(r rune) bool {
	return unicode.Is(unicode.M, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// alphabets are the scripts whose letters are taken for one another.
var alphabets = []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee, unicode.Coptic}

// MixesAlphabets reports whether a word of text has letters of two alphabets that look alike, as
// no language writes it.
func MixesAlphabets(text string) bool {
	var seen *unicode.RangeTable
	for _, r := range text {
		if !unicode.IsLetter(r) && !isMark(r) {
			seen = nil
			continue
		}
		for _, a := range alphabets {
			if !unicode.Is(a, r) {
				continue
			}
			if seen != nil && seen != a {
				return true
			}
			seen = a
		}
	}
	return false
}
