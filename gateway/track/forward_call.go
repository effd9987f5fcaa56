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

// responseLimit bounds what is read of a response, in bytes; messageLimit what is kept of its
// message, in characters.
const (
	responseLimit = 64 << 10
	messageLimit  = 300
)

// forwardResponse is what FirstPromoter answered to a call.
type forwardResponse struct {
	status int
	body   []byte
	after  time.Duration // Retry-After; 0: none
	err    error         // there was no response
}

// call sends one event. Once ctx has ended, the call may take callGrace longer.
func (f *Forwarder) call(ctx context.Context, e *book.Forward) forwardResponse {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(callGrace, cancel) })()
	req, err := http.NewRequestWithContext(within, http.MethodPost, f.trackURL+e.Kind, strings.NewReader(e.Body))
	if err != nil {
		return forwardResponse{err: err}
	}
	req.Header.Set("Authorization", "Bearer "+f.o.Key)
	req.Header.Set("Account-ID", f.o.AccountID)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "carryover")
	res, err := f.client.Do(req)
	if err != nil {
		return forwardResponse{err: err}
	}
	defer res.Body.Close()
	r := forwardResponse{status: res.StatusCode, after: retry.ParseAfter(res.Header.Get("Retry-After"), time.Now())}
	// A response that breaks off has told its status, which decides.
	r.body, _ = io.ReadAll(io.LimitReader(res.Body, responseLimit))
	return r
}

// disposition is what a response means for an event.
type disposition struct {
	state        string        // that it ends in
	retry        bool          // it has no state yet: it is tried again
	after        time.Duration // shortest wait before that; 0: as usual
	pauseAll     bool          // other events wait as well
	accountFault bool          // the key or the address is wrong, which no event can help
	message      string        // for people; not redacted
}

// classify reads a response to an event of a kind. Only what FirstPromoter says of the event
// itself gives it a state: a response that is not of its API's shape comes from a wrong address
// or something in between.
func classify(kind string, r forwardResponse) disposition {
	message := responseMessage(r.body)
	foreign := len(r.body) > 0 && !json.Valid(r.body) && r.status != http.StatusConflict
	switch {
	case r.err != nil:
		return disposition{retry: true, message: describeCallError(r.err)}
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden:
		return disposition{accountFault: true, message: fmt.Sprintf(
			"FirstPromoter refuses the key (%d): check %s and [firstpromoter] account_id; no event is lost", r.status, ForwardKeyVariable)}
	case r.status >= 300 && r.status < 400:
		return disposition{accountFault: true, message: fmt.Sprintf(
			"the address of FirstPromoter leads elsewhere (%d): correct [firstpromoter] base_url; no event is lost", r.status)}
	case r.status == http.StatusTooManyRequests:
		return disposition{retry: true, pauseAll: true, after: r.after, message: "too many requests (429)"}
	case retry.IsTransientStatus(r.status):
		return disposition{retry: true, after: r.after, message: fmt.Sprintf("FirstPromoter answered %d", r.status)}
	case r.status == http.StatusNoContent:
		return disposition{state: book.ForwardNotReferred, message: "FirstPromoter does not know the customer"}
	case foreign, r.status == http.StatusNotFound && len(r.body) == 0:
		return disposition{retry: true, after: r.after, message: fmt.Sprintf(
			"an answer (%d) that is not FirstPromoter's: is [firstpromoter] base_url right?", r.status)}
	case r.status >= 200 && r.status < 300:
		return disposition{state: book.ForwardSent}
	case r.status == http.StatusNotFound:
		return disposition{state: book.ForwardNotReferred, message: message}
	case r.status == http.StatusConflict, r.status == http.StatusUnprocessableEntity && kind == book.EventSignup &&
		strings.Contains(strings.ToLower(string(r.body)), "already a signup event"):
		return disposition{state: book.ForwardAlready, message: message}
	}
	return disposition{state: book.ForwardRefused, message: message}
}

// describeCallError says why there is no response, without the addresses that the net package
// names.
func describeCallError(err error) string {
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

// responseMessage is what a response says to people: its message, else its text. It is not
// redacted.
func responseMessage(body []byte) string {
	var fields struct {
		Message string `json:"message"`
		Error   string `json:"error"`
	}
	if json.Unmarshal(body, &fields) == nil && fields.Message+fields.Error != "" {
		return fields.Message + fields.Error
	}
	return string(body)
}

// redactor takes out of a text what must be neither kept nor shown: the key, e-mail addresses
// and network addresses. It also makes one bounded line of it.
func redactor(key string) func(string) string {
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
		if r := []rune(text); len(r) > messageLimit {
			text = string(r[:messageLimit-1]) + "…"
		}
		return text
	}
}

// isAddress reports whether a word is a network address, with or without a port and the
// punctuation of a sentence.
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
