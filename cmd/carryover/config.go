package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the program's zone, on a machine without a zone database

	"github.com/pelletier/go-toml/v2"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate"
	"carryover/migrate/sheet"
)

// config is carryover.toml as it stands in the file. The field comments are the
// reference that the README repeats.
type config struct {
	Program      string   `toml:"program"`
	KeapApp      string   `toml:"keap_app"`
	Currency     string   `toml:"currency"`
	Timezone     string   `toml:"timezone"`
	Cutoff       any      `toml:"cutoff"` // a date: its last instant is honoured; an instant: the first not honoured
	AfterCutoff  string   `toml:"after_cutoff"`
	LegacyHosts  []string `toml:"legacy_hosts"`
	AllowedHosts []string `toml:"allowed_hosts"`

	Pages struct {
		Landing       string `toml:"landing"`
		Login         string `toml:"login"`
		Join          string `toml:"join"`
		Rejoin        string `toml:"rejoin"`
		PasswordReset string `toml:"password_reset"`
		Guide         string `toml:"guide"`
	} `toml:"pages"`
	Partners struct {
		Inactive      string         `toml:"inactive"`
		InactiveEarns bool           `toml:"inactive_earns"`
		Exclude       []string       `toml:"exclude"`
		Grace         map[string]any `toml:"grace"`
	} `toml:"partners"`
	Links struct {
		TokenParam string         `toml:"token_param"`
		SubIDParam string         `toml:"sub_id_param"`
		CodeParams []string       `toml:"code_params"`
		IDParams   []string       `toml:"id_params"`
		RootCodes  bool           `toml:"root_codes"`
		Grace      map[string]any `toml:"grace"`
	} `toml:"links"`
	Paths  map[string]string `toml:"paths"`
	Import struct {
		AsOf    any                          `toml:"as_of"`
		Dates   string                       `toml:"dates"`
		Owner   string                       `toml:"owner"`
		Headers map[string]map[string]string `toml:"headers"`
	} `toml:"import"`
	Products struct {
		Membership []string `toml:"membership"`
		Training   []string `toml:"training"`
	} `toml:"products"`
	Terms struct {
		MembershipPercent any               `toml:"membership_percent"`
		TrainingPercent   any               `toml:"training_percent"`
		Training          string            `toml:"training"`
		Hold              any               `toml:"hold"`
		PayoutDays        []int             `toml:"payout_days"`
		Minimum           string            `toml:"minimum"`
		Requires          []string          `toml:"requires"`
		Form1099          map[string]string `toml:"form_1099"`
		Change            []struct {
			From              any `toml:"from"`
			MembershipPercent any `toml:"membership_percent"`
			TrainingPercent   any `toml:"training_percent"`
		} `toml:"change"`
	} `toml:"terms"`
	Tracking struct {
		PerMinute  int               `toml:"per_minute"`
		Currencies map[string]string `toml:"currencies"`
	} `toml:"tracking"`
	Gateway struct {
		Listen         string   `toml:"listen"`
		AdminListen    string   `toml:"admin_listen"`
		Durability     string   `toml:"durability"`
		CookieDomain   string   `toml:"cookie_domain"`
		TrustedProxies []string `toml:"trusted_proxies"`
		ServePrefetch  bool     `toml:"serve_prefetch"`
		KeepClicks     string   `toml:"keep_clicks"`
		Node           string   `toml:"node"`
	} `toml:"gateway"`
	Join struct {
		Mode     string `toml:"mode"`
		Approval string `toml:"approval"`
		TermsURL string `toml:"terms_url"`
	} `toml:"join"`
	FirstPromoter struct {
		BaseURL    string `toml:"base_url"`
		AccountID  string `toml:"account_id"`
		CampaignID string `toml:"campaign_id"`
		Forward    bool   `toml:"forward"`
	} `toml:"firstpromoter"`
	Redis struct {
		URL string `toml:"url"`
	} `toml:"redis"`
	Book struct {
		DSN string `toml:"dsn"`
	} `toml:"book"`
}

// program is a configuration that was read and checked: what the commands work with.
type program struct {
	config
	settings migrate.Settings
	path     string
	keep     time.Duration         // raw clicks; 0 for ever
	rates    map[string]terms.Rate // of other currencies than the program's
	campaign int64                 // [firstpromoter] campaign_id; 0 when it is not said

	thresholds formThresholds // of the form 1099, by the year from which they hold
}

// loadConfig reads and checks the file at path. Every error names the file, the line,
// the key and what would be right; all that is wrong is told at once.
func loadConfig(path string) (*program, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist: \"carryover init\" writes one to fill in, --config names another", path)
	}
	if err != nil {
		return nil, err
	}
	return parseConfig(path, text)
}

func parseConfig(path string, text []byte) (*program, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	c := config{AfterCutoff: mapping.AfterRedirect, Currency: "USD", Timezone: "UTC"}
	c.Partners.Inactive, c.Partners.InactiveEarns = mapping.InactiveUncredited, true
	c.Terms.Training, c.Tracking.PerMinute = trainingOnce, 600_000
	c.Links.TokenParam, c.Links.SubIDParam = "fpr", "fp_sid"
	c.Links.CodeParams, c.Links.IDParams = []string{"aff", "affcode"}, []string{"affiliate"}
	c.Import.Dates, c.Import.Owner = "auto", "latest"
	c.Gateway.Listen, c.Gateway.AdminListen, c.Gateway.Durability = "127.0.0.1:8080", "127.0.0.1:8081", "normal"
	c.Join.Mode, c.Join.Approval = joinPage, approvalManual

	dec := toml.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return nil, describeTOML(path, text, err)
	}
	p := &program{config: c, path: path}
	check := &configCheck{path: path, lines: keyLines(text)}
	p.check(check)
	if err := check.err(); err != nil {
		return nil, err
	}
	return p, nil
}

// check validates every key and builds the settings that migration and gateway share.
func (p *program) check(c *configCheck) {
	if p.Program == "" {
		c.wrong("program", nil, "a short name such as \"carrot\"")
	} else if strings.ContainsAny(p.Program, "{}: \t\n") {
		c.wrong("program", p.Program, "a short name without blanks, braces or colons, such as \"carrot\"")
	}
	if p.KeapApp != "" && strings.ContainsAny(p.KeapApp, "./: ") {
		c.wrong("keap_app", p.KeapApp, "the tenant's name alone, such as \"xy123\" of xy123.infusionsoft.com")
	}
	if !isCurrency(p.Currency) {
		c.wrong("currency", p.Currency, "a three-letter code such as \"USD\"")
	}
	zone, err := time.LoadLocation(p.Timezone)
	if err != nil || p.Timezone == "" || p.Timezone == "Local" { // neither is the program's
		c.wrong("timezone", p.Timezone, "a name such as \"America/Los_Angeles\"")
		zone = time.UTC
	}
	policy := mapping.Policy{
		Program: p.Program, KeapApp: strings.ToLower(p.KeapApp),
		Cutoff:      c.instant("cutoff", p.Cutoff, zone, true),
		AfterCutoff: c.oneOf("after_cutoff", p.AfterCutoff, mapping.AfterRedirect, mapping.AfterPage),
		Inactive:    c.oneOf("partners.inactive", p.Partners.Inactive, mapping.InactiveUncredited, mapping.InactiveRejoin, mapping.InactiveForward),
		LegacyHosts: c.hosts("legacy_hosts", p.LegacyHosts), AllowedHosts: c.hosts("allowed_hosts", p.AllowedHosts),
		TokenParam: p.Links.TokenParam, SubIDParam: p.Links.SubIDParam,
		CodeParams: p.Links.CodeParams, IDParams: p.Links.IDParams, RootCodes: p.Links.RootCodes,
		BuiltinJoin: p.checkJoin(c),
	}
	if p.Partners.Inactive == mapping.InactiveForward && !p.Partners.InactiveEarns {
		c.wrong("partners.inactive_earns", p.Partners.InactiveEarns, "true where inactive = \"forward\" credits inactive promoters with new customers")
	}
	if len(p.LegacyHosts) == 0 {
		c.wrong("legacy_hosts", nil, "the hosts that carried the old links, such as [\"go.carrot.com\"]")
	}
	c.names("links.token_param", []string{p.Links.TokenParam})
	c.names("links.sub_id_param", []string{p.Links.SubIDParam})
	c.names("links.code_params", p.Links.CodeParams)
	c.names("links.id_params", p.Links.IDParams)
	p.checkPages(c, &policy)

	p.settings = migrate.Settings{
		Policy: policy, Exclude: p.Partners.Exclude, Zone: zone, Dates: p.Import.Dates,
		Headers: c.headers(p.Import.Headers), Currency: p.Currency,
		Owner:    c.oneOf("import.owner", p.Import.Owner, migrate.OwnerLatest, migrate.OwnerFirst),
		Products: terms.Products{Membership: p.Products.Membership, Training: p.Products.Training},
		Grace: book.Grace{
			Partners: c.graceDates("partners.grace", p.Partners.Grace, zone),
			Links:    c.graceDates("links.grace", p.Links.Grace, zone),
			Zone:     zone,
		},
	}
	for _, path := range sortedKeys(p.Paths) {
		key, target := "paths."+path, p.Paths[path]
		if !strings.HasPrefix(path, "/") {
			c.wrong(key, path, "a path that begins with /, such as \"/app/orderForms/spring\"")
		}
		if _, isPage := policy.Pages.ByName(target); !isPage {
			if err := policy.CheckDestination(target); err != nil {
				c.wrong(key, target, "the name of a page or an address on an allowed host ("+err.Error()+")")
			}
		}
		p.settings.Paths = append(p.settings.Paths, mapping.Path{Path: path, Target: target})
	}
	c.oneOf("import.dates", p.Import.Dates, "auto", "month_first", "day_first")
	if end := c.instant("import.as_of", p.Import.AsOf, zone, false); !end.IsZero() {
		p.settings.AsOf = end.Add(-1).In(zone).Format(time.DateOnly)
	}
	p.settings.Terms = p.checkTerms(c, zone)
	p.thresholds = p.checkThresholds(c)
	p.checkTracking(c)
	p.checkServing(c)
	p.checkForwarding(c)
	p.settings.ConfigHash = p.hash()
}

func (p *program) checkPages(c *configCheck, policy *mapping.Policy) {
	pages := mapping.Pages(p.Pages)
	if policy.BuiltinJoin && len(policy.LegacyHosts) > 0 { // the gateway's own
		pages.Join = cmp.Or(pages.Join, "https://"+policy.LegacyHosts[0]+"/join")
		pages.Rejoin = cmp.Or(pages.Rejoin, "https://"+policy.LegacyHosts[0]+"/rejoin")
	}
	if pages.Join == "" {
		pages.Join = pages.Rejoin
	}
	if pages.PasswordReset == "" {
		pages.PasswordReset = pages.Login
	}
	if pages.Guide == "" {
		pages.Guide = pages.Landing
	}
	policy.Pages = pages
	for _, name := range []string{"landing", "login", "rejoin", "join", "password_reset", "guide"} {
		address, _ := pages.ByName(name)
		key := "pages." + name
		if address == "" {
			if name == "landing" || name == "login" || name == "rejoin" {
				c.wrong(key, nil, "the address of the "+name+" page, such as \"https://carrot.com/"+name+"\"")
			}
			continue
		}
		if policy.IsOwnForm(name, address) {
			continue
		}
		if err := policy.CheckDestination(address); err != nil {
			c.wrong(key, address, "an https address that is not on a legacy host ("+err.Error()+")")
		}
	}
}

// How often a training earns, in [terms] training.
const (
	trainingOnce  = "once"  // on a customer's first sale of it
	trainingEvery = "every" // on each
)

// checkTerms reads the program's terms; what is not said is as usual.
func (p *program) checkTerms(c *configCheck, zone *time.Location) terms.Config {
	t := terms.DefaultConfig()
	c.percent("terms.membership_percent", p.Terms.MembershipPercent, &t.MembershipPercent)
	c.percent("terms.training_percent", p.Terms.TrainingPercent, &t.TrainingPercent)
	t.TrainingEvery = c.oneOf("terms.training", p.Terms.Training, trainingOnce, trainingEvery) == trainingEvery
	t.Changes = p.checkChanges(c, zone)
	switch hold := p.Terms.Hold.(type) {
	case nil:
	case int64:
		t.HoldMonths = int(hold)
	case string:
		t.HoldMonths = slices.Index([]string{"none", "next_month"}, hold)
	default:
		t.HoldMonths = -1
	}
	if t.HoldMonths < 0 || t.HoldMonths > 24 {
		c.wrong("terms.hold", p.Terms.Hold, "\"next_month\" (held through the month after the one of earning), \"none\", or a number of months")
	}
	if days := p.Terms.PayoutDays; days != nil && (len(days) != 2 || days[0] < 1 || days[0] > days[1] || days[1] > 31) {
		c.wrong("terms.payout_days", days, "the first and the last day of the month for payouts, such as [10, 15]")
	} else if days != nil {
		t.PayoutFirst, t.PayoutLast = days[0], days[1]
	}
	if text := p.Terms.Minimum; text != "" {
		m, err := sheet.ParseAmount(text, p.Currency)
		if err != nil || m.Minor < 0 || m.Currency != p.Currency {
			c.wrong("terms.minimum", text, "an amount in quotes such as \"25.00\"")
		}
		t.Minimum = m.Minor
	}
	for _, r := range p.Terms.Requires {
		c.oneOf("terms.requires", r, terms.RequireW9, terms.RequirePayoutMethod)
	}
	if p.Terms.Requires != nil {
		t.Requires = p.Terms.Requires
	}
	if u := p.FirstPromoter.BaseURL; u != "" {
		if parsed, err := url.Parse(u); err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
			c.wrong("firstpromoter.base_url", u, "an address such as \"https://v2.firstpromoter.com\"")
		}
	}
	return t
}

// checkChanges reads the percentages that hold from a day on.
func (p *program) checkChanges(c *configCheck, zone *time.Location) (changes []terms.Change) {
	for i, change := range p.Terms.Change {
		key := fmt.Sprintf("terms.change.%d.", i+1)
		from := c.day(key+"from", change.From, zone).Unix()
		if change.MembershipPercent == nil && change.TrainingPercent == nil {
			c.wrong(key+"membership_percent", nil, "a number from 0 to 100; or say training_percent")
		}
		for _, one := range []struct {
			name  string
			kind  terms.Kind
			value any
		}{{"membership_percent", terms.Membership, change.MembershipPercent}, {"training_percent", terms.Training, change.TrainingPercent}} {
			if one.value != nil {
				to := terms.Change{From: from, Kind: one.kind}
				c.percent(key+one.name, one.value, &to.Percent)
				changes = append(changes, to)
			}
		}
	}
	return changes
}

func (p *program) checkTracking(c *configCheck) {
	if p.Tracking.PerMinute < 0 {
		c.wrong("tracking.per_minute", p.Tracking.PerMinute, "a number of calls; 0 is no limit")
	}
	p.rates = map[string]terms.Rate{}
	for _, code := range sortedKeys(p.Tracking.Currencies) {
		key := "tracking.currencies." + code
		rate, err := terms.ParseRate(p.Tracking.Currencies[code])
		if err != nil {
			c.wrong(key, p.Tracking.Currencies[code], "a number above 0 in quotes with up to eight decimals, such as \"1.0825\"")
		}
		if !isCurrency(code) || code == p.Currency {
			c.wrong(key, code, "a three-letter code of another currency than the program's, such as EUR")
		}
		p.rates[code] = rate
	}
	if id := p.FirstPromoter.CampaignID; id != "" {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil || n <= 0 {
			c.wrong("firstpromoter.campaign_id", id, "the campaign's number in quotes, such as \"77\"")
		}
		p.campaign = n
	}
}

func (p *program) checkServing(c *configCheck) {
	c.oneOf("gateway.durability", p.Gateway.Durability, "normal", "full")
	c.listen("gateway.listen", p.Gateway.Listen)
	c.listen("gateway.admin_listen", p.Gateway.AdminListen)
	for _, proxy := range p.Gateway.TrustedProxies {
		if !isNetwork(proxy) {
			c.wrong("gateway.trusted_proxies", proxy, "an address or network such as \"10.0.0.0/8\"")
		}
	}
	if p.Gateway.KeepClicks != "" {
		d, err := time.ParseDuration(p.Gateway.KeepClicks)
		if err != nil || d < 0 {
			c.wrong("gateway.keep_clicks", p.Gateway.KeepClicks, "a duration such as \"9600h\"; \"0s\" keeps them for ever")
		}
		p.keep = d
	}
	if d := p.Gateway.CookieDomain; strings.ContainsAny(d, "; ,/:\r\n\t") {
		c.wrong("gateway.cookie_domain", d, "a domain without a scheme, such as \"carrot.com\"")
	}
	if u, err := url.Parse(p.Redis.URL); p.Redis.URL != "" && (err != nil || !slices.Contains([]string{"redis", "rediss", "unix"}, u.Scheme)) {
		c.wrong("redis.url", "", "an address such as \"redis://127.0.0.1:6379/0\"")
	} else if _, set := u.User.Password(); p.Redis.URL != "" && set {
		c.wrong("redis.url", "", "an address without a password: secrets come from the environment, put the whole URL into REDIS_URL")
	}
	if strings.HasPrefix(p.Book.DSN, "postgres") {
		c.wrong("book.dsn", "", "left out: this version keeps the book in SQLite, in the folder that --data names")
	} else if p.Book.DSN != "" && strings.Contains(p.Book.DSN, "://") {
		c.wrong("book.dsn", "", "the path of a SQLite file")
	}
}

// hash is over everything that a plan depends on: not over where things listen or are
// kept, which may differ between the machine that plans and the one that applies.
func (p *program) hash() string {
	s, t := p.settings, p.Terms
	t.Training, t.Change, t.Form1099 = "", nil, nil // of what is tracked live
	text, _ := json.Marshal([]any{s.Policy, s.Paths, s.Grace, s.Exclude, s.Zone.String(), s.Dates, s.Headers, p.Currency, fmt.Sprint(p.Import.AsOf), p.Import.Owner, p.Products, fmt.Sprint(t)})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
