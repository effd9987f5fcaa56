package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"carryover/gateway/click"
	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/secret"
	"carryover/mapping/store"
)

// Feed gives the live map and its successors; the stores of mapping/store are feeds. Load fails
// with [store.ErrNoMap] when nothing was published. Follow blocks until ctx ends, calls swap with
// each map that becomes live after the epoch have, and onError with what fails meanwhile.
type Feed interface {
	Load(ctx context.Context) (*mapping.Map, store.Epoch, error)
	Follow(ctx context.Context, have int64, swap func(*mapping.Map, store.Epoch), onError func(error)) error
}

// Options are everything that a gateway needs to know.
type Options struct {
	// Listen is the public address, "host:port"; port 0 takes a free one. Required.
	Listen string

	// AdminListen is the address of health, metrics, status and pprof. Whoever reaches it
	// sees all of these: keep it on the loopback. Empty: there is no such listener, and
	// health is on the public one only.
	AdminListen string

	// AdminHosts are the names, besides addresses and localhost, by which the admin listener
	// may be asked for.
	AdminHosts []string

	// DataDir is the folder of clicks.db, map.snapshot, secret and visitor.keys; made when missing.
	// Required.
	DataDir string

	// Feed gives the link map. Required.
	Feed Feed

	// Book takes drained clicks. Nil: there is no book here, and clicks go to Redis for the
	// gateway that has it.
	Book *book.Book

	// RedisURL carries clicks between gateways: from those without a book to the one with
	// it. Empty: no Redis; without a book too, clicks stay in clicks.db. No answer ever
	// waits for Redis.
	RedisURL string

	// Program is the name under which keys are kept in Redis. Required with RedisURL.
	Program string

	// Durability is "normal" (an answered click survives kill -9) or "full" (a power cut
	// too, for an fsync per group of clicks). Empty: normal.
	Durability string

	// CookieDomain is the Domain of the gateway's cookie, such as "carrot.com", so that the
	// site behind the links sees it. Empty: the cookie is the gateway's host's alone.
	CookieDomain string

	// Secret gives the keys of cookies and pages, and of the last good map on disk. Gateways of one
	// program share it. Nil: that of the environment or of DataDir, made there when missing.
	Secret *secret.Secret

	// Own gives the policy of this machine's configuration, which bounds what a published map may
	// do; it is asked whenever a map comes. Nil: nothing bounds it.
	Own func() (*mapping.Policy, error)

	// TrustedProxies are the addresses ("10.0.0.7") and ranges ("10.0.0.0/8") whose
	// X-Forwarded-For is believed. Empty: nobody's, the visitor is who connects.
	TrustedProxies []string

	// Join is how people join over the gateway's own form, where the published map has one. It
	// needs a Book.
	Join Join

	// Node names this gateway in click ids. It is read when clicks.db is made, and must
	// differ between gateways. Empty: the host name and a random part.
	Node string

	// Now is the clock that decides about cutoffs. Nil: time.Now.
	Now func() time.Time

	// Rehearsal says that Now is not the real time: the status page shows it, and Start fails
	// where something was recorded under the real clock.
	Rehearsal bool

	// Logger takes what ops should read. Nil: slog.Default().
	Logger *slog.Logger

	// Zone is where the days of pages and counts begin: the program's. Nil: pages use the
	// zone in which the map gives its cutoff, counts UTC.
	Zone *time.Location

	// ServePrefetch answers speculative loads with the redirect, still without a cookie.
	// False: 503, and the browser asks again when the visitor really clicks.
	ServePrefetch bool

	// KeepClicks is how long raw clicks stay in the book; hourly counts stay for ever.
	// 0: raw clicks too.
	KeepClicks time.Duration

	// Tracking is how the tracking API serves. Without keys it lets nobody in.
	Tracking Tracking

	// DrainEvery is the pause between two drains of clicks.db. 0: 1 s.
	DrainEvery time.Duration

	// DiskBound is the longest that an answer waits for the disk before its click is
	// dropped and counted. 0: 2 s.
	DiskBound time.Duration
}

// check fills in the defaults of o and fails for what is wrong with it.
func (o *Options) check() (proxies trustedProxies, err error) {
	switch {
	case o.Listen == "":
		return nil, errors.New("gateway: no address to listen on: set [gateway] listen, such as \"127.0.0.1:8080\"")
	case o.DataDir == "":
		return nil, errors.New("gateway: no data directory: name one with --data")
	case o.Feed == nil:
		return nil, errors.New("gateway: no store to read the link map from")
	case o.RedisURL != "" && o.Program == "":
		return nil, errors.New("gateway: clicks go over Redis under the program's name: set program")
	case strings.ContainsAny(o.CookieDomain, "; ,/\r\n\t"):
		return nil, fmt.Errorf("gateway: [gateway] cookie_domain = %q is no domain: write it like \"carrot.com\"", o.CookieDomain)
	}
	switch o.Durability {
	case "":
		o.Durability = click.DurabilityNormal
	case click.DurabilityNormal, click.DurabilityFull:
	default:
		return nil, fmt.Errorf("gateway: [gateway] durability = %q: choose %q or %q", o.Durability, click.DurabilityNormal, click.DurabilityFull)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	for _, text := range o.TrustedProxies {
		p, err := parsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("gateway: [gateway] trusted_proxies: %q is neither an address nor a range like \"10.0.0.0/8\"", text)
		}
		proxies = append(proxies, p)
	}
	return proxies, nil
}
