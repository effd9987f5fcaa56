package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

var testKinds = []Kind{
	{
		Name: "people",
		Fields: []Field{
			{Name: "id", Aliases: []string{"personid", "id"}, Required: true, ID: true},
			{Name: "name", Aliases: []string{"name"}, Required: true},
			{Name: "born", Aliases: []string{"born"}, Date: true},
			{Name: "email", Aliases: []string{"email"}},
			{Name: "boss", Aliases: []string{"bossid"}, Fallbacks: []string{"boss"}, ID: true},
			{Name: "boss_name", Fallbacks: []string{"boss"}},
		},
		SecretHeaders: NewSecretHeaders("ssn", "*password*"),
		FileHints:     []string{"people"},
	},
	{
		Name: "things",
		Fields: []Field{
			{Name: "id", Aliases: []string{"id"}, Required: true, ID: true},
			{Name: "name", Aliases: []string{"name"}, Required: true},
			{Name: "price", Aliases: []string{"price"}, Money: true},
		},
		FileHints: []string{"thing"},
	},
}

func memory(path, text string) Input {
	return Input{Source: Source{Path: path, Size: int64(len(text)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}}
}

func TestProbe(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		file, err := Probe(memory("export.csv", text), testKinds, Options{})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			return
		}
		got := fmt.Sprintf("%s %s %s %s line %d rows %d", file.Kind, file.Encoding, file.Delimiter, file.LineEnd, file.HeaderLine, file.Rows)
		if got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", text, got, want)
		}
	}
	f("Id,Name", "people utf-8 comma none line 1 rows 0")
	f("Id,Name\n", "people utf-8 comma lf line 1 rows 0")
	f("Id;Name\r\n1;Zoë\r\n", "people utf-8 semicolon crlf line 1 rows 1")
	f("Id\tName\r1\tx\r2\ty", "people utf-8 tab cr line 1 rows 2")
	f("Id,Name\n1,x\r\n", "people utf-8 comma mixed line 1 rows 1")
	f("\xef\xbb\xbf\"Id\",Name\n1,x\n", "people utf-8-bom comma lf line 1 rows 1")
	f("Id,Name\n1,Zo\xeb\n", "people windows-1252 comma lf line 1 rows 1")
	f("Id,Name\n"+strings.Repeat("1,x\n", 200_000)+"2,\xeb\n", "people windows-1252 comma lf line 1 rows 200001")
	f("Id,Name\n1,\xc3", "people windows-1252 comma lf line 1 rows 1")
	f("All people, of 2023\n\n;;\nId;Name;Born\n1;x;\n", "people utf-8 semicolon lf line 4 rows 1")
	f("Report\rmade \"today\r\nId,Name,Price\n1,x,2\n", "things utf-8 comma mixed line 3 rows 1")
	f("Id,Name,Price,Born\n", "people utf-8 comma lf line 1 rows 0")
	f("\"Id\",\"Na\nme\"\n1,x\n", "people utf-8 comma lf line 1 rows 1")

	for name, order := range map[string]unicode.Endianness{UTF16LE: unicode.LittleEndian, UTF16BE: unicode.BigEndian} {
		text, err := unicode.UTF16(order, unicode.UseBOM).NewEncoder().String("Id\tName\r\n1\tZoë 漢\r\n")
		if err != nil {
			t.Fatal(err)
		}
		f(text, "people "+name+" tab crlf line 1 rows 1")
	}
}

func TestProbeColumns(t *testing.T) {
	opt := Options{Headers: map[string]map[string]string{"people": {"THE mail!": "email"}}}
	text, err := charmap.Windows1252.NewEncoder().String("Größe,Id,Name,SSN,Email,Id,The Mail,User Password,Boss," +
		"carryover_line\n1,1,a,,,,,,Ann,\n")
	if err != nil {
		t.Fatal(err)
	}
	file, err := Probe(memory("x.csv", text), testKinds, opt)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"Größe", "Email", "Id"}; !reflect.DeepEqual(file.UnknownHeaders, want) {
		t.Errorf("not understood: %q", file.UnknownHeaders)
	}
	if want := []string{"SSN", "User Password"}; !reflect.DeepEqual(file.SecretHeaders, want) {
		t.Errorf("secret: %q", file.SecretHeaders)
	}
	if h, _ := file.Column("email"); h != "The Mail" {
		t.Errorf("email is in %q", h)
	}
	if h, ok := file.Column("boss"); ok {
		t.Errorf("boss is in %q", h)
	}
	if h, _ := file.Column("boss_name"); h != "Boss" {
		t.Errorf("the boss's name is in %q", h)
	}
}

func TestKindTies(t *testing.T) {
	f := func(path, forced, want string) {
		t.Helper()
		in := memory(path, "Id,Name\n")
		in.Kind = forced
		file, err := Probe(in, testKinds, Options{})
		if err != nil || file.Kind != want {
			t.Errorf("%s: %+v %v", path, file, err)
		}
	}
	f("a.csv", "", "people")
	f("exports/Things.csv", "", "things")
	f("things/a.csv", "", "people")
	f("a.csv", "things", "things")
}

// Markers and foreign headers count until a person says what a file is.
func TestMarkers(t *testing.T) {
	kinds := []Kind{{
		Name: "lists",
		Fields: []Field{
			{Name: "id", Aliases: []string{"id"}, Required: true, ID: true},
			{Name: "size", Aliases: []string{"size"}, Fallbacks: []string{"length"}},
			{Name: "price", Aliases: []string{"price"}, Money: true},
		},
		Markers:        []string{"size"},
		ForeignHeaders: [][]string{{"day", "amount"}, {"paid"}},
	}}
	f := func(opt Options, header string, recognised bool) {
		t.Helper()
		in := memory("a.csv", header+"\n")
		if _, err := Probe(in, kinds, opt); (err == nil) != recognised {
			t.Errorf("%s: %v", header, err)
		}
		in.Kind = "lists"
		if _, err := Probe(in, kinds, opt); err != nil {
			t.Errorf("%s, said to be a list: %v", header, err)
		}
	}
	f(Options{}, "Id,Size", true)
	f(Options{}, "Id,Price", false)
	f(Options{}, "Id,Length", false)
	f(Options{}, "Id,Size,Day", true)
	f(Options{}, "Id,Size,Amount", true)
	f(Options{}, "Id,Size,Amount,Day", false)
	f(Options{}, "Id,Size,Paid", false)
	f(Options{Headers: map[string]map[string]string{"lists": {"Paid": "price"}}}, "Id,Size,Paid", true)
}

func TestProbeErrors(t *testing.T) {
	unknown := func(text, forced string, headers ...string) {
		t.Helper()
		in := memory("a.csv", text)
		in.Kind = forced
		_, err := Probe(in, testKinds, Options{})
		var got *UnknownKindError
		if !errors.As(err, &got) || got.Path != "a.csv" || fmt.Sprint(got.Headers) != fmt.Sprint(headers) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	unknown("Colour,Size\n1,2\n", "", "Colour", "Size")
	unknown("1,Ann,SECRET\n", "")
	unknown("\n\n", "")
	unknown("Id,Price\n", "people", "Id", "Price")
	unknown("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x00\x01,\x02\n", "")
	unknown("PK\x03\x04\x14\x00\x06\x00"+strings.Repeat("\x00\xff\"", 2_000_000), "")
	unknown(strings.Repeat("\n", 20)+"Id,Name\n", "")
	unknown("I\x00d\x00,\x00N\x00a\x00m\x00e\x00\n\x00", "")

	opt := Options{Headers: map[string]map[string]string{"people": {"Mail": "mail"}}}
	if _, err := Probe(memory("a.csv", "Id,Name\n"), testKinds, opt); err == nil || !strings.Contains(err.Error(), `no field "mail"`) {
		t.Errorf("a header of no field: %v", err)
	}
	if _, err := Probe(memory("a.csv", ""), testKinds, Options{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
	if _, err := Probe(memory("a.csv", "\xef\xbb\xbf"), testKinds, Options{}); !errors.Is(err, ErrEmpty) {
		t.Errorf("a marker alone: %v", err)
	}
	if _, err := Probe(Input{Source: Source{Path: "a.csv", Open: func() (io.ReadCloser, error) {
		return nil,
			os.ErrPermission
	}}}, testKinds, Options{}); !errors.Is(err, os.ErrPermission) {
		t.Errorf("locked: %v", err)
	}
}

// endless is a line of a gigabyte.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(len(p), e.left)
	for i := range p[:n] {
		p[i] = 'x'
	}
	e.left -= n
	return n, nil
}

func TestLongLines(t *testing.T) {
	f := func(start string, line int) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		rest := &endless{left: 1 << 30}
		in := Input{Source: Source{Path: "a.csv", Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader(start), rest)), nil
		}}}
		_, err := Probe(in, testKinds, Options{})
		runtime.ReadMemStats(&after)
		var long *LongRecordError
		if !errors.As(err, &long) || long.Line != line || long.Path != "a.csv" {
			t.Errorf("%v", err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 || rest.left < 1<<30-8<<20 {
			t.Errorf("%d bytes allocated, %d read", used, 1<<30-rest.left)
		}
	}
	f("", 1)
	f("title\n", 2)
	f("Id,Name\n1,x\n2,", 3)
	f("Id,Name\n1,\"x\n2,", 3)
}

func TestDateColumns(t *testing.T) {
	f := func(opt Options, values, want string) {
		t.Helper()
		text := "Id,Name,Born\n"
		for v := range strings.SplitSeq(values, " ") {
			text += "1,x," + v + "\n"
		}
		file, err := Probe(memory("dir/p.csv", text+",,99/99/2023,\n,,,,5\nTotal,,\nId,Name,Born\n"), testKinds, opt)
		if err != nil {
			t.Fatal(err)
		}
		d := file.Dates[0]
		got := fmt.Sprintf("%d %d %d %d %s %v %d %s", d.MonthOnly, d.DayOnly, d.Ambiguous, d.Invalid, d.Layout(),
			d.NeedsDecision(), d.DayOnlyLine, d.DayOnlyValue)
		if got != want || d.Field != "born" || d.Header != "Born" {
			t.Errorf("%s: %s, want %s", values, got, want)
		}
	}
	f(Options{}, "1/2/2023 2023-01-31 0000-00-00", "0 0 1 1 month_first false 0 ")
	f(Options{}, "1/2/2023 1/31/2023", "1 0 1 1 month_first false 0 ")
	f(Options{Dates: "auto"}, "1/2/2023 31/1/2023 x", "0 1 1 2 day_first true 3 31/1/2023")
	f(Options{}, "1/31/2023 31/1/2023", "1 1 0 1 month_first false 3 31/1/2023")
	f(Options{}, "44941 44942.5 0000-00-00", "0 0 0 1 excel_serial false 0 ")
	f(Options{Dates: "day_first"}, "44941 x", "0 0 0 2 excel_serial false 0 ")
	f(Options{}, "44941 1/31/2023", "1 0 0 2 month_first false 0 ") // a number among dates is none
	f(Options{}, "44941 15-Jan-23", "0 0 0 2 month_first false 0 ")
	f(Options{}, "15.01.2023 31/1/2023", "0 1 0 1 day_first true 3 31/1/2023")
	f(Options{Dates: "month_first"}, "31/1/2023", "0 1 0 1 month_first false 2 31/1/2023")
	f(Options{Dates: "day_first"}, "1/2/2023", "0 0 1 1 day_first false 0 ")
	f(Options{DateDecision: func(path, field string) string {
		return map[string]string{"dir/p.csv born": "day_first"}[path+" "+field]
	}}, "1/31/2023 31/1/2023", "1 1 0 1 day_first false 3 31/1/2023")
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, name := range []string{"b.csv", "__MACOSX/b.csv", "a/c.csv", "../d.csv", ".DS_Store", "folder/"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "/") {
			fmt.Fprint(w, "Id,Name\n1,"+name+"\n")
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write("in/z.csv", "z")
	write("in/sub/y.csv", "y")
	write("in/.hidden/x.csv", "x")
	write("in/.x.csv", "x")
	write("in/all.ZIP", archive.String())
	write("one.csv", "1")
	write("broken.zip", "PK no")

	f := func(want string, args ...string) {
		t.Helper()
		for i := range args {
			kind, name, ok := strings.Cut(args[i], "=")
			if !ok {
				kind, name = "", args[i]
			} else {
				kind += "="
			}
			args[i] = kind + filepath.Join(dir, name)
		}
		found, err := Find(args, []string{"people"})
		var got []string
		for _, in := range found {
			name := strings.TrimPrefix(in.Path, filepath.ToSlash(dir)+"/")
			if in.Kind != "" {
				name = in.Kind + "=" + name
			}
			if in.Explicit {
				name += "!"
			}
			got = append(got, name)
		}
		if err != nil {
			got = []string{strings.ReplaceAll(err.Error(), filepath.ToSlash(dir)+"/", "")}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
		}
	}
	f("in/all.ZIP/../d.csv in/all.ZIP/a/c.csv in/all.ZIP/b.csv in/sub/y.csv in/z.csv", "in")
	f("people=one.csv! in/z.csv! in/all.ZIP/../d.csv in/all.ZIP/a/c.csv in/all.ZIP/b.csv in/sub/y.csv", "people=one.csv", "in/z.csv", "in")
	f("people=in/z.csv!", "in/z.csv", "people=in/z.csv")
	f(`there is no file or folder "none.csv"`, "none.csv")
	f(`"people=in": a kind is given to one file, not to a folder or a zip`, "people=in")
	f("open broken.zip: zip: not a valid zip file; make the zip again or unpack it and name the folder", "broken.zip")

	found, err := Find([]string{filepath.Join(dir, "in", "all.ZIP")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		file, err := Probe(found[0], testKinds, Options{Location: time.UTC})
		if err != nil || file.Rows != 1 {
			t.Errorf("%+v %v", file, err)
		}
	}
}
