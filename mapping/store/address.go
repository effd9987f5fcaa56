package store

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Redacted is rawURL with its password replaced by "***", for logs and messages. It
// works on text that is no URL too: everything before the last "@" is then hidden.
func Redacted(rawURL string) string {
	head, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		head, rest = "", rawURL
	} else {
		head += "://"
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		user, _, hasPassword := strings.Cut(rest[:i], ":")
		if hasPassword {
			user += ":***"
		} else {
			user = "***"
		}
		rest = user + rest[i:]
	}
	base, query, ok := strings.Cut(rest, "?")
	if !ok {
		return head + rest
	}
	params := strings.Split(query, "&")
	for i, p := range params {
		name, _, _ := strings.Cut(p, "=")
		switch strings.ToLower(name) {
		case "db", "dial_timeout", "read_timeout", "write_timeout", "protocol", "client_name":
		default:
			params[i] = name + "=***"
		}
	}
	return head + base + "?" + strings.Join(params, "&")
}

// parseAddress reads a Redis URL. Its errors never repeat what the URL parser said: that
// quotes the URL, password and all.
func parseAddress(rawURL string) (*redis.Options, error) {
	opt, err := redis.ParseURL(rawURL)
	if err == nil {
		return opt, nil
	}
	shape := "write redis://[user:password@]host[:port][/db], rediss:// for TLS, or unix://[user:password@]/path/to/socket?db=0"
	if strings.Contains(rawURL, "@") {
		shape += `; in a user or password write / as %2F, ? as %3F, # as %23, @ as %40, % as %25`
	}
	why := ""
	var inURL *url.Error
	if !errors.As(err, &inURL) && !strings.Contains(rawURL, "@") {
		why = " (" + strings.TrimPrefix(err.Error(), "redis: ") + ")"
	}
	return nil, fmt.Errorf("the Redis address %q is not understood%s: %s", Redacted(rawURL), why, shape)
}

// place names a Redis for people.
func place(opt *redis.Options) string {
	s := "Redis at " + opt.Addr
	if opt.TLSConfig != nil {
		s += " (TLS)"
	}
	if opt.DB != 0 {
		s += fmt.Sprintf(" database %d", opt.DB)
	}
	return s
}
