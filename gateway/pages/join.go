package pages

import "strings"

// JoinForm is the sign-up form with what was entered in it.
type JoinForm struct {
	Rejoin   bool   // the form of those who come back
	Landing  string // the program's site
	TermsURL string // empty: the terms are named, not linked
	Token    string // goes with the form and comes back with it

	// The browser does Bits of work for each of Parts before the form goes out, over the Nonce;
	// Bits 0: none, and nothing of the page runs. Work is what it has done before.
	Bits, Parts int
	Nonce, Work string

	Name, Email, Website string
	Agreed               bool

	Errors []FieldError // in the order of the form
	Notice string       // why the form is here once more, when no field is to blame
}

// FieldError says what is wrong with a field: name, email, site or terms.
type FieldError struct{ Field, Text string }

// Render makes the page. It may send its form to where it came from, and nowhere else.
func (f *JoinForm) Render() (Page, error) { return execute("join form", f, "'self'") }

// Site is the host of the program's site.
func (f *JoinForm) Site() string { return siteName(f.Landing) }

// Title is the page's heading.
func (f *JoinForm) Title() string {
	if f.Rejoin {
		return "Rejoin the affiliate program"
	}
	return "Join the affiliate program"
}

// Text is what stands below it.
func (f *JoinForm) Text() string {
	if f.Rejoin {
		return "Welcome back. Your customers and your history are kept, and go on where you left them."
	}
	return "Tell us who you are, and get a link to share."
}

// Button is what sends the form.
func (f *JoinForm) Button() string {
	if f.Rejoin {
		return "Rejoin"
	}
	return "Join"
}

// Action is where the form goes.
func (f *JoinForm) Action() string {
	if f.Rejoin {
		return "/rejoin"
	}
	return "/join"
}

// ErrorOf says what is wrong with a field; empty: nothing.
func (f *JoinForm) ErrorOf(field string) string {
	for _, e := range f.Errors {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

// EmailDescribedBy are the ids of what describes the e-mail field, for aria-describedby.
func (f *JoinForm) EmailDescribedBy() string {
	var ids []string
	if f.Rejoin {
		ids = append(ids, "email-hint")
	}
	if f.ErrorOf("email") != "" {
		ids = append(ids, "email-error")
	}
	return strings.Join(ids, " ")
}

// joinResult is the page after the form.
type joinResult struct {
	Site, Title string
	Text        []string
	Link        string // to copy
	Next        *link
}

// Thanks is the page after the form, for everybody: it tells nobody who takes part. link is the one
// that the applicant's name may have; empty: a person decides.
func Thanks(landing, link string) (Page, error) {
	j := joinResult{Site: siteName(landing), Title: "Thank you", Link: link, Next: landingLink(landing)}
	j.Text = []string{"Your application has arrived. We look at each of them, and you will hear from us."}
	if link != "" {
		j.Text = []string{"Your application has arrived. If your address is new to us, you take part with the link below, " +
			"and it begins to count in a few minutes.",
			"Otherwise, and when many people join at once, we look at it first, and you will hear from us."}
	}
	return execute("join result", j, "'none'")
}

// JoinClosed is the page of a gateway that takes no applications: it has no book.
func JoinClosed(landing string) (Page, error) {
	return execute("join result", joinResult{
		Site: siteName(landing), Title: "Sign-up is closed at the moment",
		Text: []string{"Please try again later."},
		Next: landingLink(landing),
	}, "'none'")
}
