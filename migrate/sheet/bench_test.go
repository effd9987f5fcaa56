package sheet

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"
)

// wideExport is a contact list of 95 columns, mostly empty, as they are.
func wideExport(rows int) (string, []Kind) {
	header := make([]string, 95)
	for i := range header {
		header[i] = fmt.Sprintf("Column %d", i)
	}
	kind := Kind{Name: "wide", SecretHeaders: NewSecretHeaders("ssn")}
	for i, f := range map[int]Field{
		0: {Name: "id", Required: true, ID: true}, 2: {Name: "first"}, 3: {Name: "last"}, 23: {Name: "email"},
		72: {Name: "created", Date: true}, 73: {Name: "updated", Date: true},
	} {
		header[i] = f.Name
		f.Aliases = []string{f.Name}
		kind.Fields = append(kind.Fields, f)
	}
	header[64] = "ssn"
	var b strings.Builder
	b.WriteString(strings.Join(header, ",") + "\r\n")
	cells := make([]string, 95)
	for n := range rows {
		cells[0] = fmt.Sprint(n)
		cells[1], cells[2], cells[3] = "Ann Núñez", "Ann", "Núñez"
		cells[6] = "Larkspur and Sons"
		cells[8] = "'+65 81234567    (Mobile)"
		cells[23] = fmt.Sprintf("ann.nunez.%d@mail.test", n)
		cells[30], cells[32], cells[33], cells[34], cells[36] = "12 Long Street", "Portland", "OR", "97201", "United States"
		cells[58] = `"Customer,Newsletter"`
		cells[61] = "Customer"
		cells[64] = "SECRET"
		cells[72], cells[73] = "1/3/2021 12:58 AM", "1/23/2021 2:54 AM"
		cells[82] = "Single Opt-In"
		b.WriteString(strings.Join(cells, ",") + "\r\n")
	}
	return b.String(), []Kind{kind}
}

func BenchmarkEncodingCSV(b *testing.B) {
	text, _ := wideExport(20_000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r := csv.NewReader(strings.NewReader(text))
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkProbeAndRows(b *testing.B) {
	text, kinds := wideExport(20_000)
	type row struct {
		ID      ID     `csv:"id"`
		First   string `csv:"first"`
		Last    string `csv:"last"`
		Email   string `csv:"email"`
		Created Date   `csv:"created"`
		Updated Date   `csv:"updated"`
	}
	b.SetBytes(int64(len(text)))
	b.Run("Probe", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := Probe(memory("a.csv", text), kinds, Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Both", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			f, err := Probe(memory("a.csv", text), kinds, Options{})
			if err != nil {
				b.Fatal(err)
			}
			c, err := Rows(f, func(int, *row) error { return nil }, nil)
			if err != nil || c.Loaded != 20_000 {
				b.Fatal(c, err)
			}
		}
	})
}
