package firstpromoter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"carryover/mapping/retry"
)

const (
	// DefaultURL is where FirstPromoter's API is.
	DefaultURL = "https://v2.firstpromoter.com"

	// KeyVariable names the environment variable that holds the API key.
	KeyVariable = "FIRSTPROMOTER_API_KEY"

	// DefaultPerMinute is how many requests a minute are sent at most: FirstPromoter takes
	// 400 from an account, and bursts come on top.
	DefaultPerMinute = 380

	burst       = 10
	pageSize    = 100 // rows; the most that FirstPromoter gives
	pageLimit   = 100_000
	bodyLimit   = 16 << 20 // bytes of one page
	callTimeout = time.Minute
	mostTries   = 7
)

// backoff is how long the client waits between two tries.
var backoff = retry.Backoff{First: time.Second, Max: time.Minute}

// Options are what a [Client] needs to know.
type Options struct {
	BaseURL   string            // empty: DefaultURL
	AccountID string            // required
	Key       string            // required; never told to anyone else
	PerMinute int               // 0: DefaultPerMinute
	Logger    *slog.Logger      // nil: slog.Default
	Transport http.RoundTripper // nil: one of its own
}

// Client reads lists over FirstPromoter's API. Safe for concurrent use.
type Client struct {
	o       Options
	company string // what the name of a list is added to
	client  *http.Client
	limit   *rate.Limiter
}

// New checks the options. Nothing is sent.
func New(o Options) (*Client, error) {
	if o.BaseURL == "" {
		o.BaseURL = DefaultURL
	}
	base, err := url.Parse(o.BaseURL)
	plain := func(s string) bool {
		return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
	}
	switch {
	case !plain(o.Key):
		return nil, fmt.Errorf("FirstPromoter's API key is missing, or is no key: put it, and nothing else, into the environment variable %s", KeyVariable)
	case !plain(o.AccountID):
		return nil, errors.New("[firstpromoter] account_id is missing or has blanks in it: FirstPromoter shows it in its settings, under integrations")
	case err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Scheme != "https" && !(base.Scheme == "http" && loopback(base.Hostname())):
		return nil, fmt.Errorf("[firstpromoter] base_url must be an https address such as %q: the key goes there", DefaultURL)
	}
	if o.PerMinute <= 0 {
		o.PerMinute = DefaultPerMinute
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	return &Client{
		o: o, company: strings.TrimRight(o.BaseURL, "/") + "/api/v2/company/",
		client: &http.Client{
			Transport: o.Transport, Timeout: callTimeout,
			// The key must not follow to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		limit: rate.NewLimiter(rate.Limit(float64(o.PerMinute)/60), burst),
	}, nil
}

// loopback says whether a host is this machine: a key may go there without TLS.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// list gives fn every row of a list, each once. FirstPromoter tells no total: a list ends
// with a page that is not full.
func list[T any](ctx context.Context, c *Client, name string, query url.Values, id func(*T) int64, fn func(*T) error) error {
	seen := map[int64]bool{}
	var former []int64
	for page := 1; ; page++ {
		query.Set("page", strconv.Itoa(page))
		query.Set("per_page", strconv.Itoa(pageSize))
		body, err := c.get(ctx, name, query)
		if err != nil {
			return fmt.Errorf("reading FirstPromoter's %s, page %d: %w", name, page, err)
		}
		rows, err := decodeRows[T](body)
		if err != nil {
			return fmt.Errorf("reading FirstPromoter's %s, page %d: %w", name, page, err)
		}
		ids := make([]int64, len(rows))
		for i := range rows {
			ids[i] = id(&rows[i])
		}
		if len(rows) > 0 && slices.Equal(ids, former) || page > pageLimit {
			return fmt.Errorf("reading FirstPromoter's %s: page %d is the one before it again, so that the list cannot be read whole", name, page)
		}
		former = ids
		for i := range rows {
			// Rows that are added meanwhile move others to the next page.
			if seen[ids[i]] && ids[i] != 0 {
				continue
			}
			seen[ids[i]] = true
			if err := fn(&rows[i]); err != nil {
				return err
			}
		}
		if len(rows) < pageSize {
			return nil
		}
	}
}

// decodeRows takes a list in both shapes that FirstPromoter has: bare, or as data beside
// what it calls meta.
func decodeRows[T any](body []byte) (rows []T, err error) {
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "{") {
		var wrapped struct {
			Data *[]T `json:"data"`
		}
		if err = json.Unmarshal(body, &wrapped); err == nil && wrapped.Data == nil {
			err = errors.New("there is no data in it")
		}
		if err == nil {
			return *wrapped.Data, nil
		}
	} else {
		err = json.Unmarshal(body, &rows)
	}
	if err != nil {
		return nil, fmt.Errorf("the answer is no list as FirstPromoter writes it (%w): is [firstpromoter] base_url right?", jsonFault(err))
	}
	return rows, nil
}

// jsonFault says what is wrong with JSON without repeating any of it.
func jsonFault(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s is a %s", t.Field, t.Value)
	}
	return err
}

// get reads one page, again and again while that may help.
func (c *Client) get(ctx context.Context, name string, query url.Values) ([]byte, error) {
	var err error
	for try := range mostTries {
		var again *retry.TransientError
		var body []byte
		if body, err = c.once(ctx, name, query); !errors.As(err, &again) {
			return body, err
		}
		if try == mostTries-1 {
			break
		}
		wait := backoff.Delay(int64(try), again.After, rand.Int64N)
		c.o.Logger.Debug("FirstPromoter is asked again", "list", name, "wait", wait, "err", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
	return nil, fmt.Errorf("%w, %d times; try again later", err, mostTries)
}

func (c *Client) once(ctx context.Context, name string, query url.Values) ([]byte, error) {
	if err := c.limit.Wait(ctx); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.company+name+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.o.Key)
	req.Header.Set("Account-ID", c.o.AccountID)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "carryover")
	res, err := c.client.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit+1))
	switch {
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		return nil, fmt.Errorf("FirstPromoter refuses the key (%d): check %s and [firstpromoter] account_id", res.StatusCode, KeyVariable)
	case retry.IsTransientStatus(res.StatusCode):
		return nil, &retry.TransientError{
			Err: fmt.Errorf("FirstPromoter answered %d", res.StatusCode), After: retry.ParseAfter(res.Header.Get("Retry-After"), time.Now()),
		}
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("FirstPromoter answered %d: is [firstpromoter] base_url right?", res.StatusCode)
	case err != nil:
		return nil, c.unreachable(ctx, err)
	case len(body) > bodyLimit:
		return nil, fmt.Errorf("the page has more than %d bytes", bodyLimit)
	}
	return body, nil
}

// unreachable says why nothing came, without the addresses that the net package names.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		return &retry.TransientError{Err: errors.New("FirstPromoter did not answer in time")}
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		err = errors.New("lookup of " + dns.Name + ": " + dns.Err)
	} else if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		err = op.Err
	} else if in, ok := errors.AsType[*url.Error](err); ok {
		err = in.Err
	}
	return &retry.TransientError{Err: fmt.Errorf("FirstPromoter cannot be reached: %w", err)}
}
