package config

import (
	"carryover/mapping"
	"carryover/mapping/terms"
)

// file is carryover.toml as it stands there. Dates are any: in quotes or as TOML's own.
type file struct {
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
	Paths  map[string]any `toml:"paths"` // an address or a page's name, or a table of link and code
	Import struct {
		AsOf    any                          `toml:"as_of"`
		Dates   string                       `toml:"dates"`
		Numbers string                       `toml:"numbers"`
		Owner   string                       `toml:"owner"`
		Headers map[string]map[string]string `toml:"headers"`

		TolerateRejects any `toml:"tolerate_rejects"`
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
		Remember   string            `toml:"remember"`
		Currencies map[string]string `toml:"currencies"`
	} `toml:"tracking"`
	Gateway struct {
		Listen         string   `toml:"listen"`
		AdminListen    string   `toml:"admin_listen"`
		AdminHosts     []string `toml:"admin_hosts"`
		Durability     string   `toml:"durability"`
		CookieDomain   string   `toml:"cookie_domain"`
		TrustedProxies []string `toml:"trusted_proxies"`
		ServePrefetch  bool     `toml:"serve_prefetch"`
		KeepClicks     string   `toml:"keep_clicks"`
		Node           string   `toml:"node"`
	} `toml:"gateway"`
	Join struct {
		Mode     string   `toml:"mode"`
		Approval string   `toml:"approval"`
		TermsURL string   `toml:"terms_url"`
		Reserved []string `toml:"reserved"`
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

// defaults is what a file says that leaves out whatever may be left out.
func defaults() *file {
	f := &file{AfterCutoff: mapping.AfterRedirect, Currency: "USD", Timezone: "UTC"}
	f.Partners.Inactive, f.Partners.InactiveEarns = mapping.InactiveUncredited, true
	f.Terms.Training, f.Tracking.PerMinute, f.Tracking.Remember = trainingEvery, 600_000, "60d"
	f.Links.TokenParam, f.Links.SubIDParam = "fpr", "fp_sid"
	f.Links.CodeParams, f.Links.IDParams = []string{"aff", "affcode"}, []string{"affiliate"}
	f.Import.Dates, f.Import.Numbers, f.Import.Owner = "auto", "auto", terms.OwnerLatest
	f.Gateway.Listen, f.Gateway.AdminListen, f.Gateway.Durability = "127.0.0.1:8080", "127.0.0.1:8081", "normal"
	f.Join.Mode, f.Join.Approval = joinPage, approvalManual
	return f
}
