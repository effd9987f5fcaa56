package mapping

import (
	"strings"
	"time"
)

// Answer is a decision with its reasons, as people and programs are told it.
type Answer struct {
	URL      string   `json:"url"`
	At       string   `json:"at"` // RFC 3339
	Outcome  string   `json:"outcome"`
	Status   int      `json:"status"`
	Location string   `json:"location"`
	RefToken string   `json:"ref_token"`
	Link     string   `json:"link"`
	Reasons  []string `json:"reasons"`
	Note     string   `json:"note,omitempty"`
}

// Answer tells what an address that somebody pasted does at a moment, and why.
func (t *Table) Answer(address string, at time.Time) Answer {
	req := ParseURL(address)
	d, why := t.Explain(req, at)
	return Answer{
		URL: address, At: at.Format(time.RFC3339Nano), Outcome: d.Outcome.String(), Status: d.Status(), Location: d.Location,
		RefToken: d.Token, Link: d.Link, Reasons: why, Note: keapHostNote(req.Host),
	}
}

// keapHostNote is for links on Keap's own hosts, which no DNS of the program's brings to the
// gateway; empty for all others.
func keapHostNote(host string) string {
	host, _, _ = strings.Cut(strings.TrimSuffix(strings.ToLower(host), "."), ":")
	if !strings.HasSuffix(host, ".infusionsoft.com") && !strings.HasSuffix(host, ".isrefer.com") {
		return ""
	}
	return "links on " + host + " reach the gateway only when they were re-pointed in Keap, and only as long as the Keap account lives"
}
