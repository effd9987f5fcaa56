package pages

import "strings"

// JoinForm is the sign-up form with what was entered in it.
type JoinForm struct {
	Rejoin   bool   // the form of those who come back
	Landing  string // the program's site
	TermsURL string // empty: the terms are named, not linked
	Token    string // goes with the form and comes back with it

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

// Thanks is the page for everybody whose application waits, or may wait: it tells nobody
// who takes part.
func Thanks(landing string) (Page, error) {
	return execute("join result", joinResult{
		Site: siteName(landing), Title: "Thank you",
		Text: []string{"Your application has arrived. We look at each of them, and you will hear from us."},
		Next: landingLink(landing),
	}, "'none'")
}

// Welcome is the page of a promoter who joined or rejoined. link is its own; live says that the
// gateway follows it already.
func Welcome(landing, login, link string, rejoined, live bool) (Page, error) {
	j := joinResult{Site: siteName(landing), Title: "Welcome", Link: link, Next: loginLink(login)}
	j.Text = []string{"You take part from now on. This is the link to share:"}
	if rejoined {
		j.Title = "Welcome back"
		j.Text = []string{"You take part again, with your customers and your history as you left them. This is the link to share:"}
	}
	if !live {
		j.Text = append(j.Text, "It begins to count in a few minutes.")
	}
	return execute("join result", j, "'none'")
}

// AlreadyJoined is the page for an address that is a promoter's already.
func AlreadyJoined(landing, login string) (Page, error) {
	return execute("join result", joinResult{
		Site: siteName(landing), Title: "You take part already",
		Text: []string{"This address takes part in the program, and nothing was changed. Log in to find your link."},
		Next: loginLink(login),
	}, "'none'")
}

// JoinClosed is the page of a gateway that takes no applications: it has no book.
func JoinClosed(landing string) (Page, error) {
	return execute("join result", joinResult{
		Site: siteName(landing), Title: "Sign-up is closed at the moment",
		Text: []string{"Please try again later."},
		Next: landingLink(landing),
	}, "'none'")
}

func loginLink(login string) *link {
	if login == "" {
		return nil
	}
	return &link{login, "Log in"}
}
