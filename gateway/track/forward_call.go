package track

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"

	"carryover/mapping/book"
	"carryover/mapping/retry"
)

// answerLimit bounds what is read of an answer, in bytes; saidLimit what is kept of its
// words, in characters.
const (
	answerLimit = 64 << 10
	saidLimit   = 300
)

// answer is what came back of a call.
type answer struct {
	status int
	body   []byte
	after  time.Duration // Retry-After; 0: none
	err    error         // nothing came
}

// call sends one event. Once ctx ends the call gets a little longer.
func (f *Forwarder) call(ctx context.Context, e *book.Forward) answer {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastCall, cancel) })()
	req, err := http.NewRequestWithContext(within, http.MethodPost, f.track+e.Kind, strings.NewReader(e.Body))
	if err != nil {
		return answer{err: err}
	}
	req.Header.Set("Authorization", "Bearer "+f.o.Key)
	req.Header.Set("Account-ID", f.o.AccountID)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "carryover")
	res, err := f.client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, after: retry.ParseAfter(res.Header.Get("Retry-After"), time.Now())}
	// An answer that breaks off has said its status, and that is what counts.
	a.body, _ = io.ReadAll(io.LimitReader(res.Body, answerLimit))
	return a
}

// verdict is what an answer means for an event: its state, or that it is tried again
// later, or that the account or its address is not in order, which no event can help.
type verdict struct {
	state    string
	later    bool
	everyone bool          // other events should wait as well
	after    time.Duration // at least; 0: as usual
	account  bool
	said     string
}

// judge reads an answer to an event of a kind. Only what FirstPromoter says of the event
// itself ends its way: an answer that is not in its words comes from a wrong address or
// something in between.
func judge(kind string, a answer) verdict {
	said := words(a.body)
	foreign := len(a.body) > 0 && !json.Valid(a.body) && a.status != http.StatusConflict
	switch {
	case a.err != nil:
		return verdict{later: true, said: noAnswer(a.err)}
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		return verdict{account: true, said: fmt.Sprintf("FirstPromoter refuses the key (%d): check %s and [firstpromoter] account_id; no event is lost", a.status, ForwardKeyVariable)}
	case a.status >= 300 && a.status < 400:
		return verdict{account: true, said: fmt.Sprintf("the address of FirstPromoter leads elsewhere (%d): correct [firstpromoter] base_url; no event is lost", a.status)}
	case a.status == http.StatusTooManyRequests:
		return verdict{later: true, everyone: true, after: a.after, said: "too many requests (429)"}
	case retry.IsTransientStatus(a.status):
		return verdict{later: true, after: a.after, said: fmt.Sprintf("FirstPromoter answered %d", a.status)}
	case a.status == http.StatusNoContent:
		return verdict{state: book.ForwardNotReferred, said: "FirstPromoter does not know the customer"}
	case foreign, a.status == http.StatusNotFound && len(a.body) == 0:
		return verdict{later: true, after: a.after, said: fmt.Sprintf("an answer (%d) that is not FirstPromoter's: is [firstpromoter] base_url right?", a.status)}
	case a.status >= 200 && a.status < 300:
		return verdict{state: book.ForwardSent}
	case a.status == http.StatusNotFound:
		return verdict{state: book.ForwardNotReferred, said: said}
	case a.status == http.StatusConflict,
		a.status == http.StatusUnprocessableEntity && kind == book.EventSignup && strings.Contains(strings.ToLower(string(a.body)), "already a signup event"):
		return verdict{state: book.ForwardAlready, said: said}
	}
	return verdict{state: book.ForwardRefused, said: said}
}

// noAnswer says why nothing came, without the addresses that the net package names.
func noAnswer(err error) string {
	if isTimeout(err) {
		return "FirstPromoter did not answer in time"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		return "FirstPromoter cannot be reached: " + op.Op + ": " + op.Err.Error()
	}
	if in, ok := errors.AsType[*url.Error](err); ok {
		err = in.Err
	}
	return "FirstPromoter cannot be reached: " + err.Error()
}

// words are what an answer says to people: its message, else its text. They are not clean.
func words(body []byte) string {
	var told struct {
		Message string `json:"message"`
		Error   string `json:"error"`
	}
	if json.Unmarshal(body, &told) == nil && told.Message+told.Error != "" {
		return told.Message + told.Error
	}
	return string(body)
}

// cleaner takes out of a text what must not be kept or told: the key, e-mail addresses and
// network addresses. It also makes one bounded line of it.
func cleaner(key string) func(string) string {
	return func(text string) string {
		text = strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), key, "(key)")
		fields := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
		for i, word := range fields {
			if strings.Contains(word, "@") || strings.Contains(word, "%40") {
				fields[i] = "(e-mail)"
			} else if isAddress(word) {
				fields[i] = "(address)"
			}
		}
		text = strings.Join(fields, " ")
		if r := []rune(text); len(r) > saidLimit {
			text = string(r[:saidLimit-1]) + "…"
		}
		return text
	}
}

// isAddress says whether a word is a network address, with or without a port and what
// stands around it in a sentence.
func isAddress(word string) bool {
	for _, part := range strings.FieldsFunc(word, func(r rune) bool { return strings.ContainsRune(`"'()<>,;=|/\{}`, r) }) {
		part = strings.TrimRight(part, ".:")
		if _, err := netip.ParseAddr(strings.Trim(part, "[]")); err == nil {
			return true
		}
		if _, err := netip.ParseAddrPort(part); err == nil {
			return true
		}
		if before, _, ok := strings.Cut(part, ":"); ok {
			if _, err := netip.ParseAddr(before); err == nil {
				return true
			}
		}
		if _, host, ok := strings.Cut(part, ":"); ok { // ip:192.0.2.7
			if _, err := netip.ParseAddr(host); err == nil {
				return true
			}
		}
	}
	return false
}
