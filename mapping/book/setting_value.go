package book

import (
	"slices"
	"strings"
	"time"

	"carryover/mapping/terms"
)

// Values of [SettingW9].
const (
	SettingYes = "yes" // the form is on file
	SettingNo  = "no"
)

// Values of [SettingPayoutMethod].
const (
	MethodPayPal = "paypal"
	MethodCheck  = "check"
	MethodWire   = "wire"
	MethodOther  = "other"
)

// ParseSettings reads settings to record, one field and its value each, such as w9=yes; an empty
// value takes a field back. The first that is wrong fails with an [InputError].
func ParseSettings(texts []string) ([]Setting, error) {
	list := make([]Setting, 0, len(texts))
	for _, text := range texts {
		field, raw, ok := strings.Cut(text, "=")
		field, raw = strings.ToLower(strings.TrimSpace(field)), strings.TrimSpace(raw)
		rule, known := settingRules[field]
		switch {
		case !ok:
			return nil, NewInputError("%q: write a field and its value, such as w9=yes", text)
		case !known:
			return nil, NewInputError("%q is no field: there are %s", field, strings.Join(SettingFields(), ", "))
		case slices.ContainsFunc(list, func(s Setting) bool { return s.Field == field }):
			return nil, NewInputError("%s is there twice", field)
		}
		value := raw
		if raw != "" {
			if value, ok = rule.value(raw); !ok {
				return nil, NewInputError("%s=%q: it must be %s", field, raw, rule.want)
			}
		}
		list = append(list, Setting{Field: field, Value: value})
	}
	return list, nil
}

// IsDated reports whether the field holds from a day on, which may lie ahead.
func (d *Setting) IsDated() bool { return settingRules[d.Field].dated }

// settingRule is what a field may hold.
type settingRule struct {
	want  string
	value func(text string) (string, bool) // the value to store
	dated bool                             // see IsDated
}

var settingRules = map[string]settingRule{
	SettingStatus:            choice(string(terms.Active), string(terms.Inactive), string(terms.Blocked)),
	SettingW9:                choice(SettingYes, SettingNo),
	SettingPayoutMethod:      choice(MethodPayPal, MethodCheck, MethodWire, MethodOther),
	SettingPayoutAddress:     oneLine("an address of up to 300 characters, on one line", 300),
	SettingLegalName:         oneLine("a name of up to 200 characters, on one line", 200),
	SettingCountry:           {"a country of two letters, such as US", twoLetters, false},
	SettingCoupon:            {"a code of up to 64 characters without blanks", coupon, false},
	SettingGrace:             {"a day such as 2023-06-30", graceDay, false},
	SettingMembershipPercent: {"a number from 0 to 100 with up to four decimals, such as 30", percentText, true},
	SettingTrainingPercent:   {"a number from 0 to 100 with up to four decimals, such as 30", percentText, true},
}

func choice(options ...string) settingRule {
	return settingRule{"one of " + strings.Join(options, ", "), func(s string) (string, bool) {
		s = strings.ToLower(s)
		return s, slices.Contains(options, s)
	}, false}
}

func oneLine(want string, most int) settingRule {
	return settingRule{want, func(s string) (string, bool) {
		return s, len([]rune(s)) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
	}, false}
}

func twoLetters(s string) (string, bool) {
	s = strings.ToUpper(s)
	return s, len(s) == 2 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func coupon(s string) (string, bool) {
	return s, len([]rune(s)) <= 64 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

func graceDay(s string) (string, bool) {
	d, err := time.Parse(time.DateOnly, s)
	return s, err == nil && d.Year() >= 2000 && d.Year() < 3000
}

func percentText(s string) (string, bool) {
	_, err := terms.ParsePercent(s)
	return strings.TrimSpace(strings.TrimSuffix(s, "%")), err == nil
}
