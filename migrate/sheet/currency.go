package sheet

import (
	"strings"
	"unicode/utf8"
)

// isoCodes are the currencies of ISO 4217 that people are paid in.
const isoCodes = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP " +
	"CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR " +
	"ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD " +
	"NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL " +
	"THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"

// currencyName is what a symbol or a code beside an amount means.
type currencyName struct {
	text   string
	usual  string // the currency it means where nothing says otherwise; empty: it is not clear
	shared string // the currencies that have it, where there are several
	code   bool
}

// in is the currency it means in a program whose currency is own.
func (n *currencyName) in(own string) (string, bool) {
	if !n.code && n.means(own) {
		return own, true
	}
	return n.usual, n.usual != ""
}

func (n *currencyName) means(currency string) bool {
	return n.usual == currency || len(currency) == 3 && strings.Contains(n.shared, currency)
}

// symbols are at most three characters long.
var symbols = []currencyName{
	{text: "$", usual: "USD", shared: "ARS AUD BBD BMD BND BSD BZD CAD CLP COP CUP DOP FJD GYD HKD JMD KYD LRD MXN NAD NZD SBD SGD SRD TTD TWD UYU XCD"},
	{text: "€", usual: "EUR"},
	{text: "£", usual: "GBP", shared: "EGP FKP GIP LBP SDG SHP SSP SYP"},
	{text: "¥", usual: "JPY", shared: "CNY"},
	{text: "US$", usual: "USD"},
	{text: "A$", usual: "AUD"}, {text: "AU$", usual: "AUD"},
	{text: "C$", usual: "CAD", shared: "NIO"}, {text: "CA$", usual: "CAD"},
	{text: "NZ$", usual: "NZD"}, {text: "HK$", usual: "HKD"}, {text: "S$", usual: "SGD"},
	{text: "NT$", usual: "TWD"}, {text: "MX$", usual: "MXN"}, {text: "R$", usual: "BRL"},
	{text: "kr", shared: "DKK ISK NOK SEK"},
	{text: "zł", usual: "PLN"}, {text: "Kč", usual: "CZK"},
	{text: "₹", usual: "INR"}, {text: "₩", usual: "KRW", shared: "KPW"}, {text: "₪", usual: "ILS"}, {text: "₫", usual: "VND"},
	{text: "₱", usual: "PHP"}, {text: "₺", usual: "TRY"}, {text: "₽", usual: "RUB"}, {text: "₴", usual: "UAH"}, {text: "฿", usual: "THB"},
}

// lookupCurrency finds what a symbol or a code means, in any case.
func lookupCurrency(text string) (currencyName, bool) {
	if utf8.RuneCountInString(text) > 3 { // a word: every row of a file is asked for amounts
		return currencyName{}, false
	}
	if len(text) == 3 {
		var upper [3]byte
		for i := range upper {
			upper[i] = text[i] &^ 0x20
		}
		// Blanks part the codes, so three letters match a whole one or none.
		if i := strings.Index(isoCodes, string(upper[:])); i >= 0 && upper[0] >= 'A' {
			return currencyName{usual: isoCodes[i : i+3], code: true}, true
		}
	}
	for i := range symbols {
		if symbols[i].text == text || strings.EqualFold(symbols[i].text, text) {
			return symbols[i], true
		}
	}
	return currencyName{}, false
}
