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
func (f *JoinForm) Site() string { return site(f.Landing) }

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

// Wrong is what is wrong with a field; empty: nothing.
func (f *JoinForm) Wrong(field string) string {
	for _, e := range f.Errors {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

// EmailNotes are the ids of what describes the e-mail field.
func (f *JoinForm) EmailNotes() string {
	var ids []string
	if f.Rejoin {
		ids = append(ids, "email-hint")
	}
	if f.Wrong("email") != "" {
		ids = append(ids, "email-error")
	}
	return strings.Join(ids, " ")
}

// joined is a page that answers an application.
type joined struct {
	Site, Title string
	Text        []string
	Link        string // to copy
	Go          *link
}

// Thanks is the page for everybody whose application waits, or may wait: it tells nobody
// who takes part.
func Thanks(landing string) (Page, error) {
	return execute("joined", joined{
		Site: site(landing), Title: "Thank you",
		Text: []string{"Your application has arrived. We look at each of them, and you will hear from us."},
		Go:   to(landing),
	}, "'none'")
}

// Welcome is the page of a promoter: new, or back again. link is its own; counts says
// that it is followed already.
func Welcome(landing, login, link string, back, counts bool) (Page, error) {
	j := joined{Site: site(landing), Title: "Welcome", Link: link, Go: loginTo(login)}
	j.Text = []string{"You take part from now on. This is the link to share:"}
	if back {
		j.Title = "Welcome back"
		j.Text = []string{"You take part again, with your customers and your history as you left them. This is the link to share:"}
	}
	if !counts {
		j.Text = append(j.Text, "It begins to count in a few minutes.")
	}
	return execute("joined", j, "'none'")
}

// TakesPart is the page for an address that takes part already.
func TakesPart(landing, login string) (Page, error) {
	return execute("joined", joined{
		Site: site(landing), Title: "You take part already",
		Text: []string{"This address takes part in the program, and nothing was changed. Log in to find your link."},
		Go:   loginTo(login),
	}, "'none'")
}

// NoJoining is the page of a gateway that cannot take applications.
func NoJoining(landing string) (Page, error) {
	return execute("joined", joined{
		Site: site(landing), Title: "Sign-up is closed at the moment",
		Text: []string{"Please try again later."},
		Go:   to(landing),
	}, "'none'")
}

func loginTo(login string) *link {
	if login == "" {
		return nil
	}
	return &link{login, "Log in"}
}
