package gateway

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"carryover/gateway/pages"
	"carryover/mapping/book"
	"carryover/mapping/terms"
)

// Bounds of what is entered, in characters.
const (
	maxName  = 120
	maxEmail = 254
	maxSite  = 300
)

// formEntry is what an applicant entered, each field in one line.
type formEntry struct {
	name, email, site string
	agreed            bool
	honeypot          bool   // the field that no person sees is filled in
	token             string // that the form was shown with
	work              string // that its browser has done
}

func readFormEntry(args *fasthttp.Args) formEntry {
	return formEntry{
		name: oneLine(args.Peek("name")), email: withoutJoiners(oneLine(args.Peek("email"))), site: oneLine(args.Peek("site")),
		agreed:   len(args.Peek("terms")) > 0,
		honeypot: len(args.Peek("topic")) > 0,
		token:    string(args.Peek("form")),
		work:     string(args.Peek("work")),
	}
}

// digest is equal for equal entries into one form.
func (e *formEntry) digest(rejoin bool) [sha256.Size]byte {
	return sha256.Sum256([]byte(fmt.Sprintf("%t\n%s\n%s\n%s\n%t", rejoin, e.name, e.email, e.site, e.agreed)))
}

// oneLine copies text without what is invisible: white space of any kind becomes one blank, and
// marks that turn the direction of writing, and letters that show nothing, are left out.
func oneLine(raw []byte) string {
	text := strings.Map(func(r rune) rune {
		switch {
		case r == '\u200c' || r == '\u200d': // part of how some scripts are written
			return r
		case unicode.IsSpace(r) || unicode.IsControl(r) || r == '\u2800': // the blank of Braille
			return ' '
		case unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r):
			return -1
		}
		return r
	}, string(raw))
	return strings.Join(strings.Fields(text), " ")
}

// withoutJoiners leaves out of an address what shows nothing there: one that looks the same is the same.
func withoutJoiners(address string) string {
	return strings.NewReplacer("\u200c", "", "\u200d", "").Replace(address)
}

// check makes an application of an entry, or lists what is wrong with it.
func (e *formEntry) check(rejoin bool) (a book.Application, errs []pages.FieldError) {
	fail := func(field, text string) { errs = append(errs, pages.FieldError{Field: field, Text: text}) }
	a = book.Application{Kind: book.ApplyJoin, Name: e.name}
	if rejoin {
		a.Kind = book.ApplyRejoin
	}
	switch {
	case !strings.ContainsFunc(e.name, unicode.IsLetter):
		fail("name", "Enter your name")
	case !utf8.ValidString(e.name) || strings.ContainsRune(e.name, utf8.RuneError):
		fail("name", "Enter your name in plain letters: some characters could not be read")
	case utf8.RuneCountInString(e.name) > maxName:
		fail("name", "Enter a shorter name, of at most 120 characters")
	}
	key, ok := terms.EmailKey(e.email)
	switch a.Email = key; {
	case e.email == "":
		fail("email", "Enter your e-mail address")
	case !ok || !isPlainAddress(key):
		fail("email", "Enter an e-mail address like name@example.com")
	case utf8.RuneCountInString(key) > maxEmail:
		fail("email", "Enter a shorter e-mail address, of at most 254 characters")
	}
	if a.Site, ok = siteAddress(e.site); !ok {
		fail("site", "Enter the address of a site like www.example.com, or leave this empty")
	} else if utf8.RuneCountInString(a.Site) > maxSite {
		fail("site", "Enter a shorter address, of at most 300 characters")
	}
	if !e.agreed {
		fail("terms", "Agree to the terms to take part")
	}
	return a, errs
}

// isPlainAddress reports whether an e-mail address has no character that means something
// elsewhere, and a host.
func isPlainAddress(key string) bool {
	_, domain, _ := strings.Cut(key, "@")
	return !strings.ContainsAny(key, "<>()[]\\\";:\ufffd") && isHost(domain)
}

// siteAddress is an http or https address, also when it was entered without its scheme.
func siteAddress(text string) (address string, ok bool) {
	if text == "" {
		return "", true
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || !isHost(u.Hostname()) ||
		strings.ContainsAny(text, " <>\"\\\ufffd") {
		return "", false
	}
	return text, true
}

// isHost reports whether name has the shape of a host on the internet.
func isHost(name string) bool {
	labels := strings.Split(name, ".")
	if len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if label == "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") || strings.ContainsFunc(label, func(r rune) bool {
			return r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r)
		}) {
			return false
		}
	}
	return true
}
