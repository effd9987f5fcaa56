package terms

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// From how many characters of a skeleton on a reserved name is found inside of others, and with
// one slip of the keyboard.
const (
	minContained = 4
	minMisspelt  = 6
)

// Skeleton is what a reader takes a name for: two names with one skeleton are hard to tell apart.
// Case, accents, separators and repeated letters do not count, and neither does which of several
// characters that look alike is used. text is decomposed (NFKD) where it may have accents. A
// skeleton is for comparing alone.
func Skeleton(text string) string { return skeleton(foldWords(text)) }

// skeleton is the skeleton of words that follow each other.
func skeleton(words []string) string { return collapse(readTogether.Replace(strings.Join(words, ""))) }

// foldWords are the words of text, character by character as they are read.
func foldWords(text string) (words []string) {
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range text {
		if isMark(r) {
			continue
		}
		if p := plain(r); p != "" {
			word.WriteString(p)
		} else {
			end()
		}
	}
	end()
	return words
}

// readTogether writes two letters as the one that they are read as.
var readTogether = strings.NewReplacer("rn", "m", "vv", "w")

// collapse writes repeated characters once.
func collapse(text string) string {
	var last rune
	return strings.Map(func(r rune) rune {
		if r == last {
			return -1
		}
		last = r
		return r
	}, text)
}

// ReservedNames are names that nobody is given without a person's word, and domains whose
// addresses nobody has without it. It is immutable; nil reserves nothing.
type ReservedNames struct {
	brands  []brand
	exact   map[string]string // names by their skeleton
	domains []string
}

// brand is a reserved name as it is compared.
type brand struct {
	name     string
	skeleton string
	folded   string // its words as they are read, joined, with repeated letters
}

// NewReservedNames reserves brands, whatever else stands before or after them, words as they are,
// and the addresses of domains.
func NewReservedNames(brands, words, domains []string) *ReservedNames {
	r := &ReservedNames{exact: map[string]string{}, domains: domains}
	for _, name := range brands {
		b := brand{name: name, skeleton: Skeleton(name), folded: readTogether.Replace(strings.Join(foldWords(name), ""))}
		if b.skeleton != "" {
			r.brands = append(r.brands, b)
		}
	}
	for _, word := range words {
		if s := Skeleton(word); s != "" {
			r.exact[s] = word
		}
	}
	return r
}

// Match finds the reserved name that a name is taken for: one that has its skeleton, holds it (of
// four characters or more), has it among its words (of fewer), or is one slip from it (of six or
// more). text is decomposed (NFKD) where it may have accents.
func (r *ReservedNames) Match(text string) (name string, ok bool) {
	if r == nil {
		return "", false
	}
	words := foldWords(text)
	if name, ok := r.exact[skeleton(words)]; ok {
		return name, true
	}
	for i := range r.brands {
		if r.brands[i].isIn(words) {
			return r.brands[i].name, true
		}
	}
	return "", false
}

// MatchAddress finds the reserved domain that an e-mail address is of, or below.
func (r *ReservedNames) MatchAddress(email string) (domain string, ok bool) {
	_, host, found := strings.Cut(email, "@")
	if r == nil || !found {
		return "", false
	}
	for _, d := range r.domains {
		if host == d || strings.HasSuffix(host, "."+d) {
			return d, true
		}
	}
	return "", false
}

func (b *brand) isIn(words []string) bool {
	if skeleton(words) == b.skeleton {
		return true
	}
	if utf8.RuneCountInString(b.skeleton) >= minContained {
		if b.isContained(words) {
			return true
		}
	} else if slices.ContainsFunc(words, func(word string) bool { return skeleton([]string{word}) == b.skeleton }) {
		return true
	}
	return utf8.RuneCountInString(b.folded) >= minMisspelt && b.isMisspelt(words)
}

// isContained reports whether the brand is inside of a word, or is several words in a row:
// "my-car-rot" is read as carrot, "oscar-otto" is not.
func (b *brand) isContained(words []string) bool {
	for from := range words {
		if strings.Contains(skeleton(words[from:from+1]), b.skeleton) {
			return true
		}
		for to := from + 2; to <= len(words); to++ {
			run := skeleton(words[from:to])
			if run == b.skeleton {
				return true
			}
			if len(run) > len(b.skeleton)+1 {
				break
			}
		}
	}
	return false
}

// isMisspelt reports whether a word, or several in a row, are one slip from the brand.
func (b *brand) isMisspelt(words []string) bool {
	longest := utf8.RuneCountInString(b.folded) + 1
	for from := range words {
		for to := from + 1; to <= len(words); to++ {
			run := readTogether.Replace(strings.Join(words[from:to], ""))
			if utf8.RuneCountInString(run) > longest {
				break
			}
			if isOneSlip(run, b.folded) {
				return true
			}
		}
	}
	return false
}

// isOneSlip reports whether a differs from b by one letter that is missing, too many or another
// one, or by two neighbours that changed places. Another first letter is another word, but for c
// and k, which sound alike.
func isOneSlip(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y)-len(x) > 1 {
		return false
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	if len(x) < len(y) {
		return slices.Equal(x[i:], y[i+1:])
	}
	if i == len(x) {
		return true
	}
	if slices.Equal(x[i+1:], y[i+1:]) {
		return i > 0 || strings.ContainsRune("ck", x[0]) && strings.ContainsRune("ck", y[0])
	}
	return i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] && slices.Equal(x[i+2:], y[i+2:])
}

// Mailbox is the address under which mail to an e-mail key arrives, as far as it is known: what
// stands after "+" is the owner's to choose, and Google's mail ignores dots.
func Mailbox(key string) string {
	local, domain, _ := strings.Cut(key, "@")
	if name, _, tagged := strings.Cut(local, "+"); tagged && name != "" {
		local = name
	}
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if domain == "gmail.com" {
		local = strings.ReplaceAll(local, ".", "")
	}
	return local + "@" + domain
}

// WithoutNumber is a name without the number at its end, by which it differs from another's.
func WithoutNumber(name string) string {
	return strings.TrimRightFunc(strings.TrimRightFunc(name, unicode.IsDigit), func(r rune) bool { return r == '-' || r == '_' || r == ' ' })
}
