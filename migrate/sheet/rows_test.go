package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

type person struct {
	ID    ID     `csv:"id"`
	Name  string `csv:"name"`
	Born  Date   `csv:"born"`
	Email string `csv:"email"`
	Boss  ID     `csv:"boss"`
}

// readPeople reads a text and writes down what became of each row.
func readPeople(t *testing.T, text string) (got []string, rejects string, count Count) {
	t.Helper()
	file, err := Probe(memory("people.csv", text), testKinds, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := NewRejectWriter(&out, file)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int64]bool{}
	count, err = Rows(file, func(line int, p *person) error {
		switch {
		case p.Name == "":
			return MissingField("name")
		case seen[p.ID.Number]:
			return fmt.Errorf("wrapped: %w", &Skip{Reason: "duplicate"})
		}
		seen[p.ID.Number] = true
		got = append(got, fmt.Sprintf("%d %d %q %q", line, p.ID.Number, p.Name, p.Email))
		return nil
	}, func(r *Reject) error {
		got = append(got, fmt.Sprintf("%d %s %s %q", r.Line, r.Reason, r.Column, r.Value))
		return w.Write(r)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if count.Rows != file.Rows || count.Rows != count.Loaded+count.Rejected+count.Skipped {
		t.Errorf("%+v of %d rows", count, file.Rows)
	}
	return got, out.String(), count
}

func TestRows(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		got, _, count := readPeople(t, text)
		for reason, n := range count.SkippedBy {
			got = append(got, fmt.Sprintf("%d %s", n, reason))
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\ngot  %q\nwant %q", text, got, want)
		}
	}
	f("Id,Name\n", []string(nil)...)
	f("Id,Name,Email\n1, Ann ,\"a,\"\"b\"\"\"\n2,\"B\r\no\r\",", `2 1 "Ann" "a,\"b\""`, `3 2 "B\r\no" ""`)
	f("Id,Name,Email\n1,Zo\xeb,\xa0x\xa0\n", `2 1 "Zoë" "x"`)
	f("\xef\xbb\xbfId,Name\n1,Zo\xeb\n", `2 1 "Zo�" ""`)
	f("Id,Name,Email\n1,short\n2,long,x,,\" \"\n3,more,x,,y\n", `2 1 "short" ""`, `3 2 "long" "x"`, `4 too_many_cells  ""`)
	f("Id,Name\n\n , \n,\n'\n=\"\",\u00a0\n1,x\n", `7 1 "x" ""`, "4 blank")
	f("Id,Name\n1,x\nID,\"N a m e\",\nId,Name\n", `2 1 "x" ""`, "2 repeated_header")
	f("Id,Name,Email\nTotal,,\n,GRAND total,$1\n(12.00),totals,-3\nTotal: 5,,\n,Total,x\n",
		"5 bad_id Id \"Total: 5\"", `6 0 "Total" "x"`, "3 totals")
	f("Id,Name\n1,x\n1,y\n", `2 1 "x" ""`, "1 duplicate")
	f("Id,Name\n1,\n1.23E+05,x\n", `2 missing_value Name ""`, `3 bad_id Id "1.23E+05"`)
	f("Id,Name,Boss\n1,x,7\n2,y,8\n3,z,me\n", `2 1 "x" ""`, `3 2 "y" ""`, `4 bad_id Boss "me"`)
	f("Id,Name,Born\n1,x,2/30/2023\n2,y,1/31/2023\n3,z,31/1/2023\n", `2 bad_date Born "2/30/2023"`, `3 2 "y" ""`,
		`4 bad_date Born "31/1/2023"`)
	f("Id,Name\n1,\"x\n2,y\n", `2 1 "\"x" ""`, `3 2 "y" ""`)
	f("title\r\rId;Name;Email\r1;a;b\r", `4 1 "a" "b"`)
}

func TestRejectsAreVerbatimWithoutSecrets(t *testing.T) {
	text := "Id,Name,SSN,Email\n" +
		"x, =A1 ,SECRET,@b\n" + // by column
		"1,a,b,SECRET,c\n" + // shifted: all from the first secret column on
		"y,\"a,SECRET,SECRET\n" + // an unclosed quote may have shifted them too
		"z,-5,SECRET,-x\n"
	_, got, _ := readPeople(t, text)
	want := "Id,Name,SSN,Email,carryover_line,carryover_reason,carryover_hint"
	hint := `,bad_id,"an id is digits only; a spreadsheet may have changed it, so copy it from the original and keep the column as text"`
	want += "\nx,' =A1 ,,'@b,2" + hint
	want += "\n1,a,,,3,too_many_cells,the row has 5 cells and the header 4; a cell that holds the delimiter must stand in quotes,"
	want += "\ny,\"\"\"a\",,,4" + hint
	want += "\nz,-5,,'-x,5" + hint + "\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMendedRejectsAreReadAgain(t *testing.T) {
	_, rejects, count := readPeople(t, "Name;Id;Email\n-x;?;\"=a;\"\"b\"\"\"\nplain;?;'+1\n")
	if count.Rejected != 2 {
		t.Fatalf("%+v", count)
	}
	again, _, _ := readPeople(t, rejects)
	if want := []string{`2 bad_id Id "?"`, `3 bad_id Id "?"`}; !reflect.DeepEqual(again, want) {
		t.Errorf("unmended: %q", again)
	}
	mended, _, _ := readPeople(t, strings.Replace(strings.Replace(rejects, ",?,", ",7,", 1), ",?,", ",8,", 1))
	if want := []string{`2 7 "-x" "=a;\"b\""`, `3 8 "plain" "+1"`}; !reflect.DeepEqual(mended, want) {
		t.Errorf("mended: %q of\n%s", mended, rejects)
	}
	_, twice, _ := readPeople(t, rejects)
	if strings.Count(twice, "carryover_line") != 1 || strings.Count(strings.SplitN(twice, "\n", 2)[0], ",") != 5 {
		t.Errorf("rejected twice:\n%s", twice)
	}
}

func TestRowsDates(t *testing.T) {
	zone := time.FixedZone("there", -7*3600)
	file, err := Probe(memory("a.csv", "Id,Name,Born\n1,a,13/1/2023\n2,b,2023-01-02 03:04\n3,c,\n4,d,0000-00-00\n"),
		testKinds, Options{Location: zone})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	_, err = Rows(file, func(_ int, p *person) error {
		got = append(got, fmt.Sprintf("%s %v %v", p.Born.Time.Format("2006-01-02T15:04Z07"), p.Born.Clock, p.Born.Valid))
		return nil
	}, nil)
	want := []string{"2023-01-13T07:00Z false true", "2023-01-02T10:04Z true true", "0001-01-01T00:00Z false false",
		"0001-01-01T00:00Z false false"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q %v", got, err)
	}
}

func TestRowsStops(t *testing.T) {
	text := "Id,Name\n1,a\nx,b\n"
	file, err := Probe(memory("a.csv", text), testKinds, Options{})
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	if _, err := Rows(file, func(int, *person) error { return stop }, nil); !errors.Is(err, stop) {
		t.Errorf("by fn: %v", err)
	}
	if _, err := Rows(file, func(int, *person) error { return nil }, func(*Reject) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("by onReject: %v", err)
	}
	for _, now := range []string{"", "Id,Name\n1,a\nx,b\n2,c\n", "Id,Name\n1,a\n"} {
		file.source.Open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(now)), nil }
		if _, err := Rows(file, func(int, *person) error { return nil }, nil); err == nil || !strings.Contains(err.Error(), "changed") {
			t.Errorf("%q: %v", now, err)
		}
	}
}

func TestDefuse(t *testing.T) {
	f := func(input, want string) {
		t.Helper()
		if got := Defuse(input); got != want {
			t.Errorf("%q: %q, want %q", input, got, want)
		}
	}
	f("", "")
	f("x=1", "x=1")
	f("=1", "'=1")
	f("@x", "'@x")
	f("\tx", "'\tx")
	f("\rx", "'\rx")
	f("-12.50", "-12.50")
	f("+5", "+5")
	f("-1-2", "'-1-2")
	f("-$5", "'-$5")
	f("-", "'-")
	f("-.5", "'-.5")
	f("+1.", "'+1.")
	for _, s := range []string{"＝1+1", "＋1", "－1", "＠SUM(A1)", "﹦1", "\u22121", "\n=1", " =1",
		"\u00a0=1", "\u200b=1", "\ufeff@x", "\u2060 \t＝1", "\x00=1", "  -1-2"} {
		f(s, "'"+s)
	}
	for _, s := range []string{" x=1", "\u200bx", "Élan = 1", " -12.50", " ", "\u200b", "£=1"} {
		f(s, s)
	}
}

// Whatever the bytes: no panic, and every row is loaded, rejected or skipped.
func FuzzFile(f *testing.F) {
	f.Add([]byte("Id,Name,Born,SSN\n1,a,1/2/2023,s\n\"x,b\n,,,\nTotal,5\nId,Name,Born,SSN\n1,2,3,4,5\n"))
	f.Add([]byte("\xff\xfeI\x00d\x00,\x00N\x00a\x00m\x00e\x00\n\x001\x00,\x00x\x00"))
	f.Add([]byte("t\rId;Name;Boss\r1;\"\xe9;x\"\";\r"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text := string(data)
		for _, text := range []string{text, "Id,Name,Born,SSN,Boss\n" + text} {
			file, err := Probe(memory("f.csv", text), testKinds, Options{})
			if err != nil {
				continue
			}
			rejected := 0
			var out bytes.Buffer
			w, err := NewRejectWriter(&out, file)
			if err != nil {
				t.Fatal(err)
			}
			count, err := Rows(file, func(line int, p *person) error {
				if !p.ID.Valid {
					return MissingField("id")
				}
				return nil
			}, func(r *Reject) error {
				rejected++
				for i, secret := range file.layout.secret {
					if secret && i < len(r.Cells) && r.Cells[i] != "" {
						t.Fatalf("a secret in %q", r.Cells)
					}
				}
				return w.Write(r)
			})
			if err != nil {
				t.Fatal(err)
			}
			if file.Rows != count.Rows || count.Rows != count.Loaded+count.Rejected+count.Skipped || rejected != count.Rejected {
				t.Fatalf("%+v of %d rows", count, file.Rows)
			}
		}
	})
}
