package sheet

import (
	"strings"
	"unicode/utf8"
)

// isoCodes are the currencies of ISO 4217 that people are paid in.
const isoCodes = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD " +
	"CAD CDF CHF CLF CLP " +
	"CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF " +
	"IDR ILS INR IQD IRR " +
	"ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR " +
	"MWK MXN MYR MZN NAD " +
	"NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD " +
	"SSP STN SVC SYP SZL " +
	"THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"

// currencyName is what a symbol or a code beside an amount means.
type currencyName struct {
	text         string
	standard     string // the currency it means where nothing says otherwise; empty: it is not clear
	alternatives string // the currencies that have it, where there are several
	isCode       bool
}

// currencyIn is the currency it means in a program whose currency is own.
func (n *currencyName) currencyIn(own string) (string, bool) {
	if !n.isCode && n.canMean(own) {
		return own, true
	}
	return n.standard, n.standard != ""
}

func (n *currencyName) canMean(currency string) bool {
	return n.standard == currency || len(currency) == 3 && strings.Contains(n.alternatives, currency)
}

// symbols are at most three characters long.
var symbols = []currencyName{
	{text: "$", standard: "USD", alternatives: "ARS AUD BBD BMD BND BSD BZD CAD CLP COP CUP DOP FJD GYD HKD JMD KYD LRD MXN " +
		"NAD NZD SBD SGD SRD TTD TWD UYU XCD"},
	{text: "€", standard: "EUR"},
	{text: "£", standard: "GBP", alternatives: "EGP FKP GIP LBP SDG SHP SSP SYP"},
	{text: "¥", standard: "JPY", alternatives: "CNY"},
	{text: "US$", standard: "USD"},
	{text: "A$", standard: "AUD"}, {text: "AU$", standard: "AUD"},
	{text: "C$", standard: "CAD", alternatives: "NIO"}, {text: "CA$", standard: "CAD"},
	{text: "NZ$", standard: "NZD"}, {text: "HK$", standard: "HKD"}, {text: "S$", standard: "SGD"},
	{text: "NT$", standard: "TWD"}, {text: "MX$", standard: "MXN"}, {text: "R$", standard: "BRL"},
	{text: "kr", alternatives: "DKK ISK NOK SEK"},
	{text: "zł", standard: "PLN"}, {text: "Kč", standard: "CZK"},
	{text: "₹", standard: "INR"}, {text: "₩", standard: "KRW", alternatives: "KPW"}, {text: "₪", standard: "ILS"},
	{text: "₫", standard: "VND"},
	{text: "₱", standard: "PHP"}, {text: "₺", standard: "TRY"}, {text: "₽", standard: "RUB"},
	{text: "₴", standard: "UAH"}, {text: "฿", standard: "THB"},
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
			return currencyName{standard: isoCodes[i : i+3], isCode: true}, true
		}
	}
	for i := range symbols {
		if symbols[i].text == text || strings.EqualFold(symbols[i].text, text) {
			return symbols[i], true
		}
	}
	return currencyName{}, false
}
