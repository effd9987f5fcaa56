package sheet

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// shout is a cell with a reading of its own.
type shout string

func (s *shout) UnmarshalCSV(text string) error {
	if text == "?" {
		return errors.New("it is a question")
	}
	*s = shout(strings.ToUpper(text))
	return nil
}

// decodedRows reads text into rows of T and returns what became of each.
func decodedRows[T any](t *testing.T, text string, change func(*T)) []string {
	t.Helper()
	file, err := Probe(memory("people.csv", text), testKinds, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if _, err := Rows(file, func(_ int, row *T) error {
		got = append(got, fmt.Sprintf("%v", *row))
		change(row)
		return nil
	}, func(r *Reject) error {
		got = append(got, r.Error())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRowsAreBlankBefore(t *testing.T) {
	type row struct {
		Name  shout  `csv:"name"`
		Email string `csv:"email"`
		Boss  ID     `csv:"boss"`
		Made  string `csv:"-"`
		note  int
	}
	got := decodedRows(t, "Id,Name,Boss\n1,a,7\n2,,\n3,?,\n4,b\n", func(r *row) {
		r.Email, r.Boss.Number, r.Made, r.note = "filled in", 99, "made", 5
	})
	want := []string{"{A  {7 true}  0}", "{  {0 false}  0}", `line 4, Name "?": missing_value: it is a question`, "{B  {0 false}  0}"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestFirstBadCellInOrderOfFields(t *testing.T) {
	type dateFirst struct {
		Born Date `csv:"born"`
		ID   ID   `csv:"id"`
		Boss ID   `csv:"boss"`
	}
	type idFirst struct {
		Boss ID   `csv:"boss"`
		ID   ID   `csv:"id"`
		Born Date `csv:"born"`
	}
	const text = "Id,Name,Born,Boss Id\nx,a,never,y\nx,a,1/2/2023,y\n"
	first := func(rejects []string) string {
		for i, r := range rejects {
			rejects[i], _, _ = strings.Cut(r, ": ")
		}
		return strings.Join(rejects, "; ")
	}
	if got, want := first(decodedRows(t, text, func(*dateFirst) {})), `line 2, Born "never"; line 3, Id "x"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := first(decodedRows(t, text, func(*idFirst) {})), `line 2, Boss Id "y"; line 3, Boss Id "y"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRowsRefuseWhatIsNoCell(t *testing.T) {
	file, err := Probe(memory("people.csv", "Id,Name,Born\n1,a,1/2/2023\n"), testKinds, Options{})
	if err != nil {
		t.Fatal(err)
	}
	read := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want one with %q", err, want)
		}
	}
	_, err = Rows(file, func(int, *struct {
		Name int `csv:"name"`
	}) error {
		return nil
	}, nil)
	read(err, `field "name" cannot be read from a cell`)
	_, err = Rows(file, func(int, *struct {
		Name Date `csv:"name"`
	}) error {
		return nil
	}, nil)
	read(err, `field "name" holds dates`)
}

// Texts that are remembered are those that were read.
func TestStringsOfManyRows(t *testing.T) {
	type row struct {
		Name  string `csv:"name"`
		Email string `csv:"email"`
	}
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "b", strings.Repeat("long", 20)}), rapid.StringMatching(`[a-z]{1,3}`))
		rows := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) row {
			return row{value.Draw(rt, "name"),
				value.Draw(rt, "email")}
		}), 1, 50).Draw(rt, "rows")
		var text strings.Builder
		text.WriteString("Id,Name,Email\n")
		for i, r := range rows {
			fmt.Fprintf(&text, "%d,%s,%s\n", i, r.Name, r.Email)
		}
		var kept []row
		decodedRows(t, text.String(), func(r *row) { kept = append(kept, *r) })
		for i := range rows {
			if i >= len(kept) || kept[i] != rows[i] {
				rt.Fatalf("%q became %q", rows, kept)
			}
		}
	})
}
