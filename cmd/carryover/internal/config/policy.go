package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"carryover/mapping"
	"carryover/mapping/book"
	"carryover/mapping/terms"
	"carryover/migrate/keap"
)

// config checks every key and makes the parts. They are of use only when nothing was wrong.
func (c *checker) config(f *file) *Config {
	if f.Program == "" {
		c.invalid("program", nil, "a short name such as \"carrot\"")
	} else if strings.ContainsAny(f.Program, "{}: \t\n") {
		c.invalid("program", f.Program, "a short name without blanks, braces or colons, such as \"carrot\"")
	}
	if f.KeapApp != "" && strings.ContainsAny(f.KeapApp, "./: ") {
		c.invalid("keap_app", f.KeapApp, "the tenant's name alone, such as \"xy123\" of xy123.infusionsoft.com")
	}
	if !isCurrency(f.Currency) {
		c.invalid("currency", f.Currency, "a three-letter code such as \"USD\"")
	}
	zone, err := time.LoadLocation(f.Timezone)
	if err != nil || f.Timezone == "" || f.Timezone == "Local" { // neither is the program's
		c.invalid("timezone", f.Timezone, "a name such as \"America/Los_Angeles\"")
		zone = time.UTC
	}
	cfg := &Config{Path: c.path, Program: f.Program, Currency: f.Currency, Zone: zone}
	cfg.Policy = c.policy(f, zone)
	cfg.Import = c.imports(f, zone)
	cfg.Products = terms.Products{Membership: f.Products.Membership, Training: f.Products.Training}
	cfg.Grace = book.Grace{
		Partners: c.graceDates("partners.grace", f.Partners.Grace, zone),
		Links:    c.graceDates("links.grace", f.Links.Grace, zone),
		Zone:     zone,
	}
	cfg.Paths = c.paths(f, &cfg.Policy)
	cfg.Terms = c.terms(f, zone)
	cfg.Form1099 = c.form1099(f)
	cfg.CreditPolicy = terms.CreditPolicy{InactiveEarn: f.Partners.InactiveEarns, InactiveWin: f.Partners.Inactive == mapping.InactiveForward}
	cfg.Tracking = c.tracking(f)
	cfg.Gateway = c.gateway(f)
	cfg.Join = Join{Builtin: cfg.Policy.BuiltinJoin, Auto: f.Join.Approval == approvalAuto, TermsURL: f.Join.TermsURL}
	if cfg.Join.Builtin {
		cfg.Join.Reserved = reservedNames(&cfg.Policy, f.Join.Reserved)
	}
	cfg.RedisURL, cfg.BookDSN = c.redis(f), c.book(f)
	cfg.FirstPromoter = c.firstPromoter(f)
	return cfg
}

// policy is what old links do.
func (c *checker) policy(f *file, zone *time.Location) mapping.Policy {
	policy := mapping.Policy{
		Program: f.Program, KeapApp: strings.ToLower(f.KeapApp),
		Cutoff:      c.instant("cutoff", f.Cutoff, zone, true),
		AfterCutoff: c.oneOf("after_cutoff", f.AfterCutoff, mapping.AfterRedirect, mapping.AfterPage),
		Inactive: c.oneOf("partners.inactive", f.Partners.Inactive,
			mapping.InactiveUncredited, mapping.InactiveRejoin, mapping.InactiveForward),
		LegacyHosts: c.hosts("legacy_hosts", f.LegacyHosts), AllowedHosts: c.hosts("allowed_hosts", f.AllowedHosts),
		TokenParam: f.Links.TokenParam, SubIDParam: f.Links.SubIDParam,
		CodeParams: f.Links.CodeParams, IDParams: f.Links.IDParams, RootCodes: f.Links.RootCodes,
		BuiltinJoin: c.join(f),
	}
	if f.Partners.Inactive == mapping.InactiveForward && !f.Partners.InactiveEarns {
		c.invalid("partners.inactive_earns", f.Partners.InactiveEarns,
			"true where inactive = \"forward\" credits inactive promoters with new customers")
	}
	if len(f.LegacyHosts) == 0 {
		c.invalid("legacy_hosts", nil, "the hosts that carried the old links, such as [\"go.carrot.com\"]")
	}
	c.names("links.token_param", []string{f.Links.TokenParam})
	c.names("links.sub_id_param", []string{f.Links.SubIDParam})
	c.names("links.code_params", f.Links.CodeParams)
	c.names("links.id_params", f.Links.IDParams)
	c.pages(f, &policy)
	return policy
}

// pages fills in the pages of the policy; those that may be left out are another then.
func (c *checker) pages(f *file, policy *mapping.Policy) {
	pages := mapping.Pages(f.Pages)
	if policy.BuiltinJoin && len(policy.LegacyHosts) > 0 { // the gateway's own
		pages.Join = cmp.Or(pages.Join, "https://"+policy.LegacyHosts[0]+"/join")
		pages.Rejoin = cmp.Or(pages.Rejoin, "https://"+policy.LegacyHosts[0]+"/rejoin")
	}
	pages.Join = cmp.Or(pages.Join, pages.Rejoin)
	pages.PasswordReset = cmp.Or(pages.PasswordReset, pages.Login)
	pages.Guide = cmp.Or(pages.Guide, pages.Landing)
	for _, page := range []*string{&pages.Landing, &pages.Login, &pages.Join, &pages.Rejoin, &pages.PasswordReset, &pages.Guide} {
		*page = mapping.WithASCIIHost(*page)
	}
	policy.Pages = pages
	for _, name := range []string{"landing", "login", "rejoin", "join", "password_reset", "guide"} {
		address, _ := pages.ByName(name)
		key := "pages." + name
		if address == "" {
			if name == "landing" || name == "login" || name == "rejoin" {
				c.invalid(key, nil, "the address of the "+name+" page, such as \"https://carrot.com/"+name+"\"")
			}
			continue
		}
		if policy.IsOwnForm(name, address) {
			continue
		}
		if err := policy.CheckDestination(address); err != nil {
			c.invalid(key, address, "an https address that is not on a legacy host ("+err.Error()+")")
		}
	}
}

// paths are the exact legacy paths, in order.
func (c *checker) paths(f *file, policy *mapping.Policy) (paths []mapping.Path) {
	for _, path := range sortedKeys(f.Paths) {
		key := "paths." + path
		if want := wantPath(path); want != "" {
			c.invalid(key, path, want)
		}
		p := mapping.Path{Path: path}
		switch target := f.Paths[path].(type) {
		case string:
			p.Target = c.pathTarget(key, target, policy)
		case map[string]any:
			p.Link, p.Code = c.credit(key, target)
		default:
			c.invalid(key, target, "an address, the name of a page, or { link = \"course\", code = \"John\" }")
		}
		paths = append(paths, p)
	}
	return paths
}

// gatewayPaths are answered by the gateway itself before it looks at a map.
var gatewayPaths = []string{"/livez", "/readyz", "/robots.txt", "/favicon.ico"}

// wantPath says what a path that no request can have must be; empty when one can.
func wantPath(path string) string {
	switch {
	case strings.Contains(path, "://") || strings.HasPrefix(path, "//"):
		return "a path without a host, such as \"/faq\": it holds on every legacy host"
	case !strings.HasPrefix(path, "/"):
		return "a path that begins with /, such as \"/app/orderForms/spring\""
	case strings.ContainsAny(path, "?#"):
		return "a path without a query or a fragment, such as \"/faq\": a path is matched alone, " +
			"and the visitor's query goes along to the destination"
	case strings.ContainsFunc(path, unicode.IsControl):
		return "a path as requests carry it, such as \"/faq\""
	case strings.HasPrefix(path, "/api/") || path == "/api" || slices.Contains(gatewayPaths, path):
		return "another path: the gateway answers this one itself"
	}
	return ""
}

// pathTarget checks where a path leads: to a page by its name, or to an address.
func (c *checker) pathTarget(key, target string, policy *mapping.Policy) string {
	if _, isPage := policy.Pages.ByName(target); isPage {
		return target
	}
	target = mapping.WithASCIIHost(target)
	if err := policy.CheckDestination(target); err != nil {
		c.invalid(key, target, "the name of a page or an address on an allowed host ("+err.Error()+")")
	}
	if names := policy.ReservedIn(target); len(names) > 0 {
		c.invalid(key, target, "an address without "+strings.Join(names, ", ")+": what names a promoter is taken off every address. "+
			"To credit one, write { link = \"course\", code = \"John\" }")
	}
	return target
}

// credit reads a path that stands for a link and a partner. Whether there are such codes shows in
// the plan.
func (c *checker) credit(key string, table map[string]any) (link, code string) {
	text := map[string]string{}
	for _, name := range sortedKeys(table) {
		value, isText := table[name].(string)
		switch {
		case name != "link" && name != "code":
			c.invalid(key+"."+name, name, "link or code: a path takes { link = \"course\", code = \"John\" }")
		case !isText || value == "":
			c.invalid(key+"."+name, table[name], "a code in quotes, such as \"John\"")
		}
		text[name] = value
	}
	if _, ok := table["code"]; !ok {
		c.invalid(key+".code", nil, "the code of the partner who is credited, such as \"John\"")
	}
	return text["link"], text["code"]
}

func (c *checker) imports(f *file, zone *time.Location) Import {
	in := Import{
		Exclude: f.Partners.Exclude,
		Headers: c.headers(f.Import.Headers),
		Owner:   c.oneOf("import.owner", f.Import.Owner, terms.OwnerLatest, terms.OwnerFirst),
		Dates:   c.oneOf("import.dates", f.Import.Dates, "auto", "month_first", "day_first"),
		Numbers: c.oneOf("import.numbers", f.Import.Numbers, "auto", "decimal_point", "decimal_comma"),
	}
	in.TolerateRejects = c.share("import.tolerate_rejects", f.Import.TolerateRejects)
	if end := c.instant("import.as_of", f.Import.AsOf, zone, false); !end.IsZero() {
		in.AsOf = end.Add(-1).In(zone).Format(time.DateOnly)
	}
	return in
}

// share reads a part of a whole, "1%" or 0.01 or a whole number of percent; nil when it is
// not said.
func (c *checker) share(key string, value any) *float64 {
	var share float64
	switch v := value.(type) {
	case nil:
		return nil
	case int64:
		share = float64(v) / 100
	case float64:
		share = v
	case string:
		percent, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "%")), 64)
		if share = percent / 100; err != nil || !strings.Contains(v, "%") {
			share = -1
		}
	default:
		share = -1
	}
	if !(0 <= share && share <= 1) {
		c.invalid(key, value, "a share of a file's rows, such as \"1%\" or 0.01")
		return nil
	}
	return &share
}

// headers checks the operator's own header names: kind -> header -> field.
func (c *checker) headers(said map[string]map[string]string) map[string]map[string]string {
	headers := map[string]map[string]string{}
	for _, kind := range sortedKeys(said) {
		fields := fieldNames(kind)
		if fields == nil {
			c.invalid("import.headers."+kind, kind, "one of "+strings.Join(keap.KindNames(), ", "))
			continue
		}
		for _, header := range sortedKeys(said[kind]) {
			if field := said[kind][header]; !slices.Contains(fields, field) {
				c.invalid("import.headers."+kind+"."+header, field, "one of "+strings.Join(fields, ", "))
			}
		}
		if len(said[kind]) > 0 {
			headers[kind] = said[kind]
		}
	}
	return headers
}

// fieldNames lists the fields that a kind of export has; nil when there is no such kind.
func fieldNames(kind string) []string {
	var names []string
	for _, k := range keap.Kinds() {
		for _, f := range k.Fields {
			if k.Name == kind {
				names = append(names, f.Name)
			}
		}
	}
	return names
}
