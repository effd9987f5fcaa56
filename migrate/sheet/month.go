package sheet

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// monthNames are the names of the months and their short forms as spreadsheets write them, in
// English, German, Spanish, French, Portuguese, Dutch and Italian, without accents. No two
// languages give one name to two months.
var monthNames = [12]string{
	"jan january januar ene enero janv janvier janeiro januari gen gennaio jaen",
	"feb february februar febrero fev fevr fevrier fevereiro februari febbraio",
	"mar march marz mrz maerz marzo mars marco maart mrt",
	"apr april abr abril avr avril aprile",
	"may mai mayo maio mei mag maggio",
	"jun june juni junio juin junho giu giugno",
	"jul july juli julio juil juillet julho lug luglio",
	"aug august ago agosto aout augustus",
	"sep sept september septiembre set septembre setembro settembre",
	"oct october okt oktober octubre octobre out outubro ott ottobre",
	"nov november noviembre novembre novembro",
	"dec december dez dezember dic diciembre decembre dezembro dicembre",
}

var monthByName = func() map[string]int {
	months := map[string]int{}
	for i, names := range monthNames {
		for name := range strings.FieldsSeq(names) {
			months[name] = i + 1
		}
	}
	return months
}()

// weekdayNames are those of the days of the week in the same languages, which a date may begin with.
var weekdayNames = strings.Fields("mon monday tue tues tuesday wed wednesday thu thur thurs thursday fri friday sat saturday sun sunday " +
	"mo montag di dienstag mi mittwoch do donnerstag fr freitag sa samstag so sonntag " +
	"lun lunes mar martes mie miercoles jue jueves vie viernes sab sabado dom domingo " +
	"lundi mardi mer mercredi jeu jeudi ven vendredi sam samedi dim dimanche " +
	"seg segunda-feira ter terca-feira qua quarta-feira qui quinta-feira sex sexta-feira " +
	"ma maandag dinsdag wo woensdag donderdag vr vrijdag za zaterdag zo zondag " +
	"lunedi martedi mercoledi gio giovedi venerdi sabato domenica")

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// asciiDate writes a date with blanks of one kind and letters without accents. The bytes may
// be of any encoding.
func asciiDate(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(decodeCell([]byte(s))) {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r):
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// readNamedMonth reads the day of a date that names its month: D-Mon-YY, D. Month YYYY,
// Month D, YYYY or YYYY-Mon-D, the first three behind a day of the week or without.
func (p *dateParts) readNamedMonth(s string) (rest string, ok bool) {
	const between = "-/., "
	s = cutWeekday(s)
	numbers, written := [2]int{}, [2]int{} // and their digits
	month, at := 0, 0                      // at: how many numbers came before the month
	for found := 0; found < 3; found++ {
		if s == "" {
			return "", false
		}
		if isLetter(s[0]) && month == 0 {
			n := 1
			for n < len(s) && isLetter(s[n]) {
				n++
			}
			if month = monthByName[strings.ToLower(s[:n])]; month == 0 {
				return "", false
			}
			at, s = found, s[n:]
		} else {
			i := found
			if month != 0 {
				i--
			}
			if i > 1 {
				return "", false
			}
			if numbers[i], written[i] = leadingDigits(s, 4); written[i] == 0 {
				return "", false
			}
			s = cutOrdinal(s[written[i]:], written[i])
		}
		if found == 2 {
			break
		}
		s = strings.TrimLeft(s, between)
		s = strings.TrimPrefix(strings.TrimPrefix(s, "de "), "del ") // Spanish and Portuguese: 15 de enero de 2023
	}
	day, year := 0, 1
	if at == 1 && written[0] == 4 { // the year comes first
		day, year = 1, 0
	}
	p.first, p.second = month, numbers[day]
	return s, at < 2 && written[day] <= 2 && p.setYear(numbers[year], written[year])
}

// cutWeekday takes the day of the week off the start of s.
func cutWeekday(s string) string {
	n := 0
	for n < len(s) && (isLetter(s[n]) || s[n] == '-' && n > 0) {
		n++
	}
	if n == 0 || n == len(s) || s[n] != ',' && s[n] != '.' && s[n] != ' ' {
		return s
	}
	name := strings.ToLower(s[:n])
	if !slices.Contains(weekdayNames, name) || monthByName[name] != 0 && s[n] != ',' {
		return s
	}
	return strings.TrimLeft(s[n:], "., ")
}

// cutOrdinal takes what makes 1 the 1st off the start of s.
func cutOrdinal(s string, digits int) string {
	if digits > 2 || len(s) < 2 || len(s) > 2 && isLetter(s[2]) {
		return s
	}
	switch strings.ToLower(s[:2]) {
	case "st", "nd", "rd", "th", "er":
		return s[2:]
	}
	return s
}

// Days that a serial number can be: 1954 to 2119.
const (
	firstSerial = 20_000
	lastSerial  = 80_000
)

// readSerial reads the number of a day, and the fraction of it that has passed. The numbers
// of Excel for Windows begin with 1 for the first day of 1900 and know a February 29 of
// that year, so that those after it count from December 30, 1899.
func readSerial(s string) (p dateParts, kind DateKind, ok bool) {
	if isNoDate(s) {
		return p, NoDate, true
	}
	if len(s) < 5 || len(s) > 5 && s[5] != '.' && s[5] != ',' || !allDigits(s[:5]) || len(s) == 6 || len(s) > 6 && !allDigits(s[6:]) {
		return p, NoDate, false
	}
	days := digitsValue(s[:5])
	if days < firstSerial || days > lastSerial {
		return p, NoDate, false
	}
	seconds := 0
	if len(s) > 6 {
		fraction, err := strconv.ParseFloat("0."+s[6:], 64)
		if err != nil {
			return p, NoDate, false
		}
		seconds = int(math.Round(fraction * 24 * 60 * 60))
	}
	t := time.Date(1899, 12, 30+days, 0, 0, seconds, 0, time.UTC)
	p.year, p.first, p.second = t.Year(), int(t.Month()), t.Day()
	p.hour, p.min, p.sec = t.Clock()
	if seconds == 0 {
		return p, DateOnly, true
	}
	return p, DateTime, true
}
