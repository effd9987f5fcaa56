package config

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"carryover/gateway/click"
	"carryover/mapping/terms"
)

func (c *checker) tracking(f *file) Tracking {
	if f.Tracking.PerMinute < 0 {
		c.invalid("tracking.per_minute", f.Tracking.PerMinute, "a number of calls; 0 is no limit")
	}
	t := Tracking{PerMinute: f.Tracking.PerMinute, Rates: map[string]terms.ExchangeRate{}}
	text, isDays := strings.CutSuffix(f.Tracking.Remember, "d")
	days, err := strconv.Atoi(text)
	if !isDays || err != nil || days < 1 || days > 3660 {
		c.invalid("tracking.remember", f.Tracking.Remember, "a number of days such as \"60d\"")
	}
	t.Remember = time.Duration(days) * 24 * time.Hour
	for _, code := range sortedKeys(f.Tracking.Currencies) {
		key := "tracking.currencies." + code
		rate, err := terms.ParseExchangeRate(f.Tracking.Currencies[code])
		if err != nil {
			c.invalid(key, f.Tracking.Currencies[code], "a number above 0 in quotes with up to eight decimals, such as \"1.0825\"")
		}
		if !isCurrency(code) || code == f.Currency {
			c.invalid(key, code, "a three-letter code of another currency than the program's, such as EUR")
		}
		t.Rates[code] = rate
	}
	return t
}

func (c *checker) gateway(f *file) Gateway {
	g := Gateway{
		Listen: f.Gateway.Listen, AdminListen: f.Gateway.AdminListen,
		AdminHosts:   c.hosts("gateway.admin_hosts", f.Gateway.AdminHosts),
		Durability:   c.oneOf("gateway.durability", f.Gateway.Durability, "normal", "full"),
		CookieDomain: c.cookieDomain(f), TrustedProxies: f.Gateway.TrustedProxies,
		ServePrefetch: f.Gateway.ServePrefetch, Node: f.Gateway.Node,
	}
	if g.Node != "" && !click.IsNode(g.Node) {
		c.invalid("gateway.node", g.Node, "up to 64 letters, digits, dots, hyphens and underscores, such as \"gw1\"")
	}
	c.listen("gateway.listen", g.Listen)
	c.listen("gateway.admin_listen", g.AdminListen)
	for _, proxy := range g.TrustedProxies {
		if !isNetwork(proxy) {
			c.invalid("gateway.trusted_proxies", proxy, "an address or network such as \"10.0.0.0/8\"")
		}
	}
	if text := f.Gateway.KeepClicks; text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			c.invalid("gateway.keep_clicks", text, "a duration such as \"9600h\"; \"0s\" keeps them for ever")
		}
		g.KeepClicks = d
	}
	return g
}

// redis reads the address of a Redis; its value is not repeated, for it may hold a password.
func (c *checker) redis(f *file) string {
	text := f.Redis.URL
	if text == "" {
		return ""
	}
	if u, err := url.Parse(text); err != nil || !slices.Contains([]string{"redis", "rediss", "unix"}, u.Scheme) {
		c.invalid("redis.url", "", "an address such as \"redis://127.0.0.1:6379/0\"")
	} else if _, set := u.User.Password(); set {
		c.invalid("redis.url", "", "an address without a password: secrets come from the environment, put the whole URL into REDIS_URL")
	}
	return text
}

// book reads where the book is kept; its value is not repeated either.
func (c *checker) book(f *file) string {
	if strings.HasPrefix(f.Book.DSN, "postgres") {
		c.invalid("book.dsn", "", "left out: this version keeps the book in SQLite, in the folder that --data names")
	} else if strings.Contains(f.Book.DSN, "://") {
		c.invalid("book.dsn", "", "the path of a SQLite file")
	}
	return f.Book.DSN
}

func (c *checker) firstPromoter(f *file) FirstPromoter {
	p := FirstPromoter{BaseURL: f.FirstPromoter.BaseURL, AccountID: f.FirstPromoter.AccountID, Forward: f.FirstPromoter.Forward}
	if p.BaseURL != "" {
		c.webAddress("firstpromoter.base_url", p.BaseURL, "https://v2.firstpromoter.com")
	}
	if id := f.FirstPromoter.CampaignID; id != "" {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil || n <= 0 {
			c.invalid("firstpromoter.campaign_id", id, "the campaign's number in quotes, such as \"77\"")
		}
		p.Campaign = n
	}
	if p.Forward && p.AccountID == "" {
		c.invalid("firstpromoter.account_id", nil,
			"the account's id, as forward = true needs it: FirstPromoter shows it in its settings, under integrations")
	}
	return p
}

func (c *checker) webAddress(key, text, such string) {
	if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		c.invalid(key, text, "an address such as \""+such+"\"")
	}
}
