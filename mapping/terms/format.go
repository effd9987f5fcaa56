package terms

import "time"

// FormatMinor writes an amount of minor units with all decimals of its
// currency: -1,234.50.
func FormatMinor(minor int64, currency string) string {
	var buf [32]byte
	i, decimals := len(buf), Decimals(currency)
	n := uint64(minor)
	if minor < 0 {
		n = -n
	}
	for digit := 0; n > 0 || digit <= decimals; digit++ {
		if digit == decimals && decimals > 0 {
			i--
			buf[i] = '.'
		} else if whole := digit - decimals; whole > 0 && whole%3 == 0 {
			i--
			buf[i] = ','
		}
		i--
		buf[i] = '0' + byte(n%10)
		n /= 10
	}
	if minor < 0 {
		i--
		buf[i] = '-'
	}
	return string(buf[i:])
}

// FormatMoney writes an amount and its currency: 1,234.50 USD.
func FormatMoney(minor int64, currency string) string {
	return FormatMinor(minor, currency) + " " + currency
}

// FormatTime writes an instant (Unix seconds) in a zone as RFC 3339; empty for 0, which is
// not known.
func FormatTime(at int64, zone *time.Location) string { return formatTime(at, zone, time.RFC3339) }

// FormatDay writes the day of an instant (Unix seconds) in a zone: 2023-03-31; empty for 0,
// which is not known.
func FormatDay(at int64, zone *time.Location) string { return formatTime(at, zone, time.DateOnly) }

func formatTime(at int64, zone *time.Location, layout string) string {
	if at == 0 {
		return ""
	}
	return time.Unix(at, 0).In(zone).Format(layout)
}
