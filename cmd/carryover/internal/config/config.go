// Package config reads carryover.toml and gives its parts ready to use. Every check of what a
// configuration says is here; what the parts do is not.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"
	_ "time/tzdata" // the program's zone, on a machine without a zone database

	"github.com/pelletier/go-toml/v2"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/payout"
	"carryover/mapping/secret"
	"carryover/mapping/store"
	"carryover/mapping/terms"
	"carryover/migrate"
)

// Config is the configuration of one program, read and checked.
type Config struct {
	Path     string // of the file
	Program  string // the program's short name
	Currency string // of amounts that name none, and of the ledger
	Zone     *time.Location

	Policy mapping.Policy // what old links do
	Paths  []mapping.Path // in the order of their paths
	Grace  book.Grace     // later cutoffs of single partners and links

	Terms        terms.Config
	CreditPolicy terms.CreditPolicy // whether inactive promoters earn
	Products     terms.Products
	Form1099     payout.FormThresholds

	Import        Import
	Tracking      Tracking
	Gateway       Gateway
	Join          Join
	FirstPromoter FirstPromoter
	RedisURL      string // where the link map is published; empty: in the book
	BookDSN       string // path of the book; empty: in the folder of the data
}

// Import is how exports are read.
type Import struct {
	AsOf    string                       // the day whose customers are carried over, as 2023-03-31; empty: the day of the plan
	Dates   string                       // "auto", "month_first" or "day_first"
	Numbers string                       // "auto", "decimal_point" or "decimal_comma"
	Owner   string                       // terms.OwnerLatest or terms.OwnerFirst
	Exclude []string                     // codes of the program's own (house) partners
	Headers map[string]map[string]string // the operator's own: kind, header, field

	TolerateRejects *float64 // share of a file's rows, see migrate.Settings; nil: not said
}

// Tracking is how the tracking API answers.
type Tracking struct {
	PerMinute int                           // calls of each key; 0: no limit
	Remember  time.Duration                 // refused events
	Rates     map[string]terms.ExchangeRate // of other currencies than the program's
}

// Gateway is how visitors and ops are served.
type Gateway struct {
	Listen         string
	AdminListen    string
	AdminHosts     []string // by which ops ask for it, besides addresses and localhost
	Durability     string   // "normal" or "full"
	CookieDomain   string   // empty: the gateway's host only
	TrustedProxies []string
	ServePrefetch  bool
	KeepClicks     time.Duration // single clicks; 0: for ever
	Node           string        // empty: made of the host's name
}

// Join is how people take part.
type Join struct {
	Builtin  bool // the gateway has a form
	Auto     bool // who is new has a ref token at once, and nobody decides
	TermsURL string
	Reserved *terms.ReservedNames // names about which a person decides; nil: there is no form
}

// FirstPromoter is the account that events are forwarded to and compared with.
type FirstPromoter struct {
	BaseURL   string // empty: FirstPromoter's own
	AccountID string
	Campaign  int64 // 0: not said
	Forward   bool
}

// Load reads and checks the file at path. Every error names the file, the line, the key and
// what would be right; all that is wrong is told at once.
func Load(path string) (*Config, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist: \"carryover init\" writes one to fill in, --config names another", path)
	}
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// Parse checks the text of a file; path names it in errors.
func Parse(path string, text []byte) (*Config, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	f := defaults()
	dec := toml.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(f); err != nil {
		return nil, describeTOML(path, text, err)
	}
	c := &checker{path: path, lines: keyLines(text)}
	cfg := c.config(f)
	if err := c.err(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// Trust says which published maps are believed: those that the program's secret signed and that do
// what the file allows. The secret is that of the environment or of the folder data, where the
// first publication makes it. The file is read again whenever a map comes, so that a change is
// published and allowed at one moment; while it has a mistake, what it said before holds.
func (cfg *Config) Trust(data string) (t store.Trust, err error) {
	t = store.Trust{Program: cfg.Program, Own: func() (*mapping.Policy, error) {
		if now, err := Load(cfg.Path); err == nil {
			return &now.Policy, nil
		}
		return &cfg.Policy, nil
	}}
	if t.Secret, err = secret.Read(data); errors.Is(err, secret.ErrNone) {
		t.NoSecret, err = err, nil
		t.MakeSecret = func() (*secret.Secret, error) { return secret.Open(data) }
	}
	return t, err
}

// Settings are what a migration and a published link map are made with.
func (cfg *Config) Settings() *migrate.Settings {
	return &migrate.Settings{
		Policy: cfg.Policy, Paths: cfg.Paths, Grace: cfg.Grace, Exclude: cfg.Import.Exclude, Zone: cfg.Zone,
		Dates: cfg.Import.Dates, Numbers: cfg.Import.Numbers, Headers: cfg.Import.Headers, Currency: cfg.Currency, AsOf: cfg.Import.AsOf,
		Owner: cfg.Import.Owner, TolerateRejects: cfg.Import.TolerateRejects, Products: cfg.Products, Terms: cfg.Terms,
		ConfigHash: cfg.planSettings().hash(),
	}
}

// Today is the day in the program's zone: 2023-03-31.
func (cfg *Config) Today() string { return time.Now().In(cfg.Zone).Format(time.DateOnly) }

// Amount is an amount of minor units as people read it; the currency is said when it is not
// the program's.
func (cfg *Config) Amount(minor int64, currency string) string {
	if currency == cfg.Currency {
		return terms.FormatMinor(minor, currency)
	}
	return terms.FormatMoney(minor, currency)
}
