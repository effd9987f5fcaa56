package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"carryover/mapping"
)

//go:embed page.html form.html work.html
var templates embed.FS

var pageTemplate = template.Must(template.ParseFS(templates, "*.html"))

// Page is a rendered page and the policy under which a browser shows it.
type Page struct {
	HTML []byte
	CSP  string // nothing is loaded, nobody may frame it; only its own style, and its own script if it has one
}

// Set is the pages of one link map. They depend on nothing in a request.
type Set struct {
	NotFound Page // the URL names nothing that is known
	Expired  Page // the URL is no longer honoured
}

type link struct{ URL, Text string }

type pageContent struct {
	Site          string // the host that the visitor wanted to reach
	Title         string
	Text          []string
	Visitor       *link
	AffiliateText string
	Affiliate     []link
}

// Render makes the pages of a program. zone is where its dates are read; nil: the zone
// in which the policy gives the cutoff.
func Render(p mapping.Policy, zone *time.Location) (*Set, error) {
	notFound, err := renderPage(pageContent{
		Site:          siteName(p.Pages.Landing),
		Title:         "This link does not lead anywhere",
		Text:          []string{"It may have been cut off or mistyped on its way to you. What it was about is probably here:"},
		Visitor:       landingLink(p.Pages.Landing),
		AffiliateText: "If this is a link that you share, look it up in your dashboard and copy it again in full.",
		Affiliate:     affiliateLinks(p.Pages),
	})
	if err != nil {
		return nil, err
	}
	text := []string{"It is an old affiliate link, and these are no longer in use."}
	if day := lastDay(p.Cutoff, zone); day != "" {
		text[0] = fmt.Sprintf("It is an old affiliate link. These worked until %s.", day)
	}
	expired, err := renderPage(pageContent{
		Site:          siteName(p.Pages.Landing),
		Title:         "This link has expired",
		Text:          append(text, "What it led to has moved, and you are welcome to go on from here."),
		Visitor:       landingLink(p.Pages.Landing),
		AffiliateText: "Your old links have stopped counting. Log in to copy your new one, or rejoin if you have no account yet.",
		Affiliate:     affiliateLinks(p.Pages),
	})
	if err != nil {
		return nil, err
	}
	return &Set{NotFound: notFound, Expired: expired}, nil
}

// Unavailable is the page of a gateway that has no link map yet. It knows no program.
func Unavailable() Page {
	return must(renderPage(pageContent{
		Title: "One moment, please",
		Text:  []string{"The service that follows this link is just starting. Please try again in a few seconds."},
	}))
}

// Failed is the page for a fault of our own.
func Failed() Page {
	return must(renderPage(pageContent{
		Title: "Something went wrong on our side",
		Text:  []string{"Please try the link again in a moment."},
	}))
}

func must(p Page, err error) Page {
	if err != nil {
		panic(err) // the template is part of the program and takes these contents
	}
	return p
}

func renderPage(c pageContent) (Page, error) { return execute("page", c, "'none'") }

// execute renders a template; formAction is where the page may send a form.
func execute(name string, c any, formAction string) (Page, error) {
	var out bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&out, name, c); err != nil {
		return Page{}, fmt.Errorf("rendering the %s: %w", name, err)
	}
	csp := "default-src 'none'; style-src " + hashOf(out.Bytes(), "style")
	if script := hashOf(out.Bytes(), "script"); script != "" {
		csp += "; script-src " + script
	}
	return Page{HTML: out.Bytes(), CSP: csp + "; base-uri 'none'; form-action " + formAction + "; frame-ancestors 'none'"}, nil
}

// hashOf is the source of a page's own style or script for its policy; empty: it has none. What is
// entered into a form cannot be either: the templates escape it.
func hashOf(page []byte, element string) string {
	_, text, found := bytes.Cut(page, []byte("<"+element+">"))
	if !found {
		return ""
	}
	text, _, _ = bytes.Cut(text, []byte("</"+element+">"))
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func landingLink(landing string) *link {
	if landing == "" {
		return nil
	}
	return &link{landing, "Go to " + siteName(landing)}
}

func affiliateLinks(p mapping.Pages) []link {
	var out []link
	for _, l := range []link{
		{p.Login, "Log in"}, {p.Rejoin, "Rejoin the program"}, {p.PasswordReset, "Reset your password"}, {p.Guide, "Read the guide"},
	} {
		if l.URL != "" {
			out = append(out, l)
		}
	}
	return out
}

// siteName is the host of a page, as a person would say it.
func siteName(page string) string {
	u, err := url.Parse(page)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Hostname(), "www.")
}

// lastDay is the last day that lies before the cutoff, its first instant not honoured.
func lastDay(cutoff time.Time, zone *time.Location) string {
	if cutoff.IsZero() {
		return ""
	}
	if zone != nil {
		cutoff = cutoff.In(zone)
	}
	return cutoff.Add(-time.Nanosecond).Format("January 2, 2006")
}
