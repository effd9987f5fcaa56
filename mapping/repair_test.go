package mapping

import (
	"html"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// pasted is a program whose codes are as awkward as people make them.
func pasted() *Map {
	m := program()
	m.Policy.RootCodes = true
	m.Links = append(m.Links, Link{Code: "a&b", Destination: "https://carrot.test/ab"}, Link{Code: "café", Destination: "https://carrot.test/cafe"})
	m.Partners = append(m.Partners,
		Partner{Code: "Apostle", Token: "apostle", Status: Active},
		Partner{Code: "Bang!", Token: "bang-", Status: Active},
		Partner{Code: "Stop", Token: "stop", Status: Active},
		Partner{Code: "Stop!", Token: "stop-", Status: Active},
		Partner{Code: "rock&", Token: "rock-", Status: Active},
		Partner{Code: "Zoe\u0308", Token: "zoe-", Status: Active}, // decomposed
		Partner{Code: "Ann Lee", Token: "ann-lee-2", Status: Active},
		Partner{Code: "東京", Token: "--", Status: Active},
		Partner{Code: "5%", Token: "5-", Status: Active},
		Partner{Code: "asleep", Token: "asleep", Status: Inactive},
	)
	m.IDs = append(m.IDs, ID{101, "Apostle"})
	return m
}

// Every line of the table says what it undoes and where people report it, and is of one kind.
func TestRepairsAreExplained(t *testing.T) {
	if len(repairs) > 32 {
		t.Errorf("%d lines do not fit into 32 bits", len(repairs))
	}
	for _, r := range repairs {
		kinds := 0
		for _, set := range []bool{r.raw != nil, r.query != nil, r.tail != nil, r.text != nil, r.edge != nil} {
			if set {
				kinds++
			}
		}
		if r.damage == "" || !strings.HasPrefix(r.source, "https://") || kinds != 1 {
			t.Errorf("%+v", r)
		}
	}
}

func TestPastedLinks(t *testing.T) {
	table := mustTable(t, pasted())
	f := func(target, token, location string) {
		t.Helper()
		req := ParseTarget("go.carrot.test", target)
		d, why := table.Explain(req, before)
		if quiet := table.Resolve(req, before); quiet != d {
			t.Errorf("%s: Resolve says %+v, Explain %+v", target, quiet, d)
		}
		credited := ""
		if d.Credited() {
			credited = d.Token
		}
		if credited != token || d.Location != location {
			t.Errorf("%s:\n got %q %s\nwant %q %s\n  because %s", target, credited, d.Location, token, location, strings.Join(why, "; "))
		}
	}
	bare := func(query string) string { return "https://carrot.test?" + query + "fpr=apostle&fp_sid=bare" }
	landing := func(query string) string { return "https://carrot.test/?" + query + "fpr=apostle" }

	// Lines that quoted-printable broke in the middle.
	for _, target := range []string{"/go/bare/Apo=%0D%0Astle", "/go/bare/Apo=%0astle", "/go/bare/Apo%3D%0D%0Astle", "/go/bare/Apo=stle", "/go/ba=%0D%0Are/Apostle",
		"/k/bare?affiliate=10=%0D%0A1", "/r/apo=%0D%0Astle/bare"} {
		f(target, "apostle", bare(""))
	}
	// Separators that came encoded or wrong; what follows is the visitor's query.
	for _, target := range []string{
		"/go/bare/Apostle&utm_source=news", "/go/bare/Apostle%26utm_source=news", "/go/bare/Apostle%3Futm_source=news", "/go/bare/Apostle%3futm_source%3Dnews",
		"/go/bare/Apostle;utm_source=news", "/go/bare/Apostle&amp;utm_source=news", "/go/bare/Apostle%26amp%3Butm_source=news",
		"/go/bare/Apostle/&utm_source=news", "/go/bare/Apostle/%3Futm_source=news", "/go/bare/Apostle%253Futm_source%253Dnews", "/go/bare/Apostle%E2%80%8B&utm_source=news",
		`/go/bare/Apostle\u0026utm_source=news`, "/go/bare/Apostle%5Cu0026utm_source=news", "/go/bare/Apostle=3Futm_source=news", "/go/bare%2FApostle%3Futm_source=news",
		"/go%2Fbare%2FApostle?utm_source=news", `/go\bare\Apostle?utm_source=news`, "/go%5Cbare%5CApostle?utm_source=news", "/go/bare%252FApostle?utm_source=news",
		"/go/bare/Apostle!&utm_source=news", "/go/bare/Apostle？utm_source=news", "/go/bare/Apostle&?utm_source=news", "/r/apostle/bare&utm_source=news",
		"/r/apostle%2Fbare?utm_source=news",
		"/k/bare&affiliate=101&utm_source=news", "/k/bare&utm_source=news?affiliate=101", "/k/bare%3Faffiliate=101&utm_source=news", "/k/bare%3Faffiliate%3D101%26utm_source%3Dnews",
		"/k/bare?affiliate=101?utm_source=news", "/k/bare?affiliate=101%26utm_source=news", "/k/bare?affiliate=101;utm_source=news", "/k/bare?utm_source=news?affiliate=101",
		"/k/bare?utm_source=news%26affiliate=101", "/k/bare?utm_source=news;affiliate=101", "/k/bare/&affiliate=101&utm_source=news", "/k/bare;affiliate=101?utm_source=news",
		"/k/bare?affiliate%3D101&utm_source=news", "/k%2Fbare?affiliate=101&utm_source=news", "/k/bare?%3Faffiliate=101&utm_source=news", "/k/bare&amp;affiliate=101&amp;utm_source=news",
	} {
		f(target, "apostle", bare("utm_source=news&"))
	}
	for _, target := range []string{
		"/?aff=Apostle?utm_source=news", "/?aff=Apostle%26utm_source=news", "/?aff=Apostle;utm_source=news", "/&aff=Apostle&utm_source=news", "/%3Faff=Apostle&utm_source=news",
		"/%3Faff%3DApostle%26utm_source%3Dnews", "/?utm_source=news?aff=Apostle", "/?utm_source=news%26aff=Apostle", "/?aff%3DApostle&utm_source=news", "/?amp;aff=Apostle&utm_source=news",
		"/?%E2%80%8Baff=Apostle&utm_source=news", "/?affiliate=101!&utm_source=news", "/Apostle&utm_source=news", "/Apostle%3Futm_source=news", "/r/apostle&utm_source=news",
		"/r/apostle%3Futm_source%3Dnews", "/?aff=Apostle!&utm_source=news", "/;affcode=Apostle?utm_source=news",
	} {
		f(target, "apostle", landing("utm_source=news&"))
	}
	f("/go/bare/Apostle&utm_source=a/b&x=1", "apostle", bare("utm_source=a/b&x=1&"))
	f("/go/bare/Apostle%3Futm_source=a%252Fb", "apostle", bare("utm_source=a%2Fb&"))
	f("/go/bare/Apostle&utm_source=news?x=1&affiliate=9&fpr=peak", "apostle", bare("utm_source=news&x=1&"))
	f("/go/bare/Apostle&fpr=peak&via=peak", "apostle", bare(""))
	f("/go/bare&utm_source=news", "", "https://carrot.test?utm_source=news")
	f("/go/bare&aff=Apostle", "", "https://carrot.test")
	f("/go/a&b/Apostle", "apostle", "https://carrot.test/ab?fpr=apostle&fp_sid=a%26b")
	f("/go/a&b&x=1/Apostle", "", "https://carrot.test/ab?x=1/Apostle")
	f("/go/bare/Apostle/spring&x=1", "apostle", "https://carrot.test?fpr=apostle&fp_sid=bare.springx1")

	// Punctuation, quotes and brackets of any script, emoji, blanks, invisible characters.
	for _, tail := range []string{
		"!", "!!!", "…", "。", "、", "」", "”", "’", "'", "»", "›", "›.", "）", "】", "！", "？", "؟", "،", "۔", "।", "։", "჻", "·", "—", "–", "-", "_", "*", "**", "~", "~~", ":", ";", "?", "%3F", "&", "%26",
		"|", "`", "^", "=", "=3D", "%3D", "=20", "=0D=0A", "%0D%0A", "%09", "%20", "+", "%C2%A0", "%E3%80%80", "%E2%80%83", "%E2%80%A8", "%E2%80%A9",
		"%E2%80%8E", "%E2%80%8F", "%E2%80%AC", "%E2%81%A9", "%C2%AD", "%EF%BB%BF", "%EF%B8%8F", "%F3%A0%81%BF", "%E1%A0%8E", "%CD%8F", "%00", "%7F",
		"👍", "🙏🏽", "❤️", "👨‍👩‍👧", "⬅️", "%F0%9F%91%8D", "☺",
		"%3C/a%3E", "</a>", "%3C%2Fa%3E", "<br>", "%22", "%22%3EClick%20here%3C/a%3E", `"`, `">Click`, "&quot;", "&quot;&gt;", "%26quot%3B", "&#34;", "&#x22;", "&gt;", "&nbsp;", "&#8203;", "&lrm;", "&hellip;",
		"](https://go.carrot.test/)", "%5D(x)", ")", "](", "[/url]", "[/URL]", "[", "|Apostle", "%7CApostle", "}}", "{", "#top", "%23top", "（分享自", "。merge", "，然后", "%EF%BC%88%E5%88%86", "%2521", "%252E", "%25E2%2580%258E",
		`\`, "%5C", "%2F", "%2F%2F", "/", "/.", "/!", "/%E2%80%8E", "./", "!/",
	} {
		f("/go/bare/Apostle"+tail, "apostle", bare(""))
	}
	for _, code := range []string{
		"%22Apostle%22", "“Apostle”", "(Apostle)", "<Apostle>", "%3CApostle%3E", "「Apostle」", "¡Apostle!", "'Apostle'", "%20Apostle", "%E2%80%AAApostle%E2%80%AC", "%E2%81%A6Apostle%E2%81%A9", "Apo%C2%ADstle", "A%E2%80%8Bpos%E2%80%8Dtle",
		"Apo%0D%0Astle", "Apo%E2%81%A0stle", "Ａｐｏｓｔｌｅ", "Ａpostle！", "apostle!", "APOSTLE%E2%80%8E", "=41postle", "%2541postle", "%26%2365%3Bpostle", "%2A%2AApostle%2A%2A", "_Apostle_", "Apostle%EF%BC%81",
	} {
		f("/go/bare/"+code, "apostle", bare(""))
	}
	for _, value := range []string{"101!", "101%E2%80%8E", "%22101%22", "“101”", "１０１", "101/", "101.", "3D101", "101=", "101%0D%0A", "101%3C/a%3E", "101)", "10%E2%80%8B1", "0101…", "101%2521", "%2531%2530%2531"} {
		f("/k/bare?affiliate="+value, "apostle", bare(""))
		f("/?affiliate="+value, "apostle", landing(""))
	}
	for _, value := range []string{"Apostle!", "Apostle%E2%80%8E", "%22Apostle%22", "3DApostle", "3DApostle!", "Apostle/", "Apostle…", "Apostle</a>", "Ａｐｏｓｔｌｅ", "Apostle%2521", "=Apostle", "Apostle="} {
		f("/?aff="+value, "apostle", landing(""))
	}
	for _, path := range []string{"/Apostle!", "/“Apostle”", "/Apostle%E2%80%8E", "/r/apostle!", "/r/Apostle…", "/r/%E2%80%8Eapostle", "/r/apostle%3C/a%3E", "/r/apostle%20"} {
		f(path, "apostle", landing(""))
	}
	f("/go/bare!/Apostle!", "apostle", bare(""))
	f("/go/“bare”/Apostle", "apostle", bare(""))
	f("/go/ba%E2%80%8Ere/Apostle", "apostle", bare(""))
	f("/go/cafe\u0301/Apostle", "apostle", "https://carrot.test/cafe?fpr=apostle&fp_sid=caf%C3%A9")

	// The forms of Unicode, and text that was read in another encoding.
	jose := "https://carrot.test?fpr=jos-&fp_sid=bare"
	for _, code := range []string{"jose%CC%81", "JOSE%CC%81", "jose\u0301!", "jos%C3%83%C2%A9", "josÃ©", "jos%E9", "JOS%C9", "jos&eacute;", "jos%25C3%25A9", "jos=C3=A9", "jos%C3%A9…"} {
		f("/go/bare/"+code, "jos-", jose)
	}
	f("/go/bare/Zo%C3%AB", "zoe-", "https://carrot.test?fpr=zoe-&fp_sid=bare")
	f("/go/bare/%E6%9D%B1%E4%BA%AC。", "--", "https://carrot.test?fpr=--&fp_sid=bare")
	f("/go/bare/Ann+Lee", "ann-lee-2", "https://carrot.test?fpr=ann-lee-2&fp_sid=bare")

	// Exact codes come first, and nobody is credited where two readings mean two.
	f("/go/bare/Bang!", "bang-", "https://carrot.test?fpr=bang-&fp_sid=bare")
	f("/go/bare/Bang!!", "bang-", "https://carrot.test?fpr=bang-&fp_sid=bare")
	f("/go/bare/bang!", "bang-", "https://carrot.test?fpr=bang-&fp_sid=bare")
	f("/go/bare/Bang", "", "https://carrot.test")
	f("/go/bare/Stop!", "stop-", "https://carrot.test?fpr=stop-&fp_sid=bare")
	f("/go/bare/Stop", "stop", "https://carrot.test?fpr=stop&fp_sid=bare")
	f("/go/bare/Stop!!", "", "https://carrot.test")
	f("/go/bare/stop!", "", "https://carrot.test")
	f("/go/bare/Stop!&x=1", "", "https://carrot.test?x=1")
	f("/go/bare/Stop.", "stop", "https://carrot.test?fpr=stop&fp_sid=bare")
	f("/go/bare/rock&roll&utm_source=x", "rock-roll", "https://carrot.test?utm_source=x&fpr=rock-roll&fp_sid=bare")
	f("/go/bare/rock&", "rock-", "https://carrot.test?fpr=rock-&fp_sid=bare")
	f("/go/bare/rock&rol", "", "https://carrot.test")
	f("/go/bare/5%25", "5-", "https://carrot.test?fpr=5-&fp_sid=bare")
	f("/go/bare/5%", "5-", "https://carrot.test?fpr=5-&fp_sid=bare")
	f("/go/bare/asleep!", "", "https://carrot.test")
	f("/go/bare/House!", "", "https://carrot.test")
	f("/go/bare/PEAK!", "", "https://carrot.test")
	f("/go/bare/twice!", "", "https://carrot.test")

	// What is no damage stays what it is.
	for _, code := range []string{"Apostle2", "Apostle-2", "Apostle.html", "Apostl", "xApostle", "Apo!stle", "Apo%20stle", "Apostle%20Paul", "Apostle,Paul", "Apostle)Paul", "Apostle'Paul", "Apostles", "A-postle", "Apóstle", "%zz", "%", "&", "&x=1"} {
		f("/go/bare/"+code, "", "https://carrot.test")
	}
	for _, value := range []string{"-101", "+101", "1e2", "101x", "1,101", "101.0", "$101", "10%201", "101 42", "%E2%88%92101"} {
		f("/k/bare?affiliate="+value, "", "https://carrot.test")
	}
	f("/k/bare?utm_source=x?affiliate=101&y=1?affiliate=42", "", "https://carrot.test?utm_source=x&y=1")
	f("/go/bare/ANN%2FApostle", "ann", "https://carrot.test?fpr=ann&fp_sid=bare.Apostle")

	// Exact legacy paths.
	f("/app/orderForms/Spring!", "", "https://carrot.test/spring")
	f("/app/orderForms/Spring&utm_source=x", "", "https://carrot.test/spring?utm_source=x")
	f("/app%2ForderForms%2FSpring%3Fx=1", "", "https://carrot.test/spring?x=1")
	f("/login%E2%80%8E", "", "https://new.test/login")
	f("/“login”", "", "https://new.test/login")
	f(`/app\authentication\login`, "", "https://new.test/login")
}

var junk = []string{
	"!", ".", "…", "。", "%E2%80%8E", "%20", "\"", "%22", "”", "「", "(", ")", "*", "_", "=", "=3D", "%3C/a%3E", "&x=1", "%3Fx=1", "%26x=1", ";", "&quot;", "&amp;", "👍",
	"%25", "+", "-", "%2521", "%C2%AD", "|", "%23", "\\", "%2F", "？x=1", "%ff",
}

// A repair never credits where two readings mean two promoters, nor anybody whose code is not what
// is left of the text.
func TestRepairsCreditNobodyElse(t *testing.T) {
	alphabet := []string{"a", "A", "b", "é", "e\u0301", "!", ".", "-", "&", "1", "東", " ", "+", "%", "x=1"}
	rapid.Check(t, func(t *rapid.T) {
		m := pasted()
		m.Partners, m.IDs = nil, nil
		codes := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(alphabet), 1, 4).Draw(t, "parts"), "")
		}), 1, 8, rapid.ID[string]).Draw(t, "codes")
		for i, c := range codes {
			m.Partners = append(m.Partners, Partner{Code: c, Token: "p" + string(rune('0'+i)), Status: Active})
		}
		table, err := New(m)
		if err != nil {
			t.Fatal(err)
		}
		part := func(name string, n int) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(junk), 0, n).Draw(t, name), "")
		}
		code := string(appendEscaped(nil, rapid.SampledFrom(codes).Draw(t, "code")))
		raw := part("before", 2) + code + part("behind", 3)
		if strings.Contains(raw, "%2F") || strings.Contains(raw, `\`) || strings.Contains(raw, "/") {
			t.Skip("several segments")
		}
		d := table.Resolve(Request{Host: "go.carrot.test", Path: "/go/bare/" + raw}, before)
		if !d.Credited() {
			return
		}
		checkLeft(t, table, raw, d)
		if i, ok := table.code[unescape(raw)]; ok {
			if d.Token != table.partners[i].Token {
				t.Fatalf("%q is exactly a code of %s, and %s is credited", raw, table.partners[i].Token, d.Token)
			}
			return
		}
		readings(raw, inPath, func(r reading) bool {
			if i, ok := find(table.code, table.codeFold, r.text); ok && (i == none || table.partners[i].Token != d.Token) {
				t.Fatalf("%q is credited to %s, and it also reads %q", raw, d.Token, r.text)
			}
			return true
		})
	})
}

// checkLeft fails unless a code of the credited promoter, letters and digits, stands in the text.
func checkLeft(t interface {
	Helper()
	Fatalf(string, ...any)
}, table *Table, raw string, d Decision) {
	t.Helper()
	skeleton := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) && !unicode.Is(unicode.Variation_Selector, r) {
				return r
			}
			return -1
		}, foldKey(dropInvisible(s)))
	}
	texts := []string{raw}
	for i := 0; i < len(texts) && len(texts) < 200; i++ {
		for _, change := range []func(string) string{
			unescape, html.UnescapeString, withoutQuoted, fromMojibake, fromWindows1252, dropInvisible,
			func(s string) string { return strings.Map(narrow, s) }, func(s string) string { return replaceEscapes(s, "=") },
			func(s string) string { return replaceEscapes(s, `\u00`) },
		} {
			if next := change(texts[i]); !slices.Contains(texts, next) {
				texts = append(texts, next)
			}
		}
	}
	for _, p := range table.partners {
		if p.Token != d.Token {
			continue
		}
		for _, text := range texts {
			if strings.Contains(skeleton(text), skeleton(p.Code)) {
				return
			}
		}
	}
	t.Fatalf("%q is credited to %s, whose code is not in it", raw, d.Token)
}

func FuzzRepairs(f *testing.F) {
	table := mustTable(f, pasted())
	for _, j := range junk {
		f.Add("Apostle" + j)
		f.Add(j + "jos%C3%A9" + j)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, target := range []string{"/go/bare/" + raw, "/" + raw, "/?aff=" + raw, "/r/" + raw} {
			req := ParseTarget("go.carrot.test", target)
			d := table.Resolve(req, before)
			checkDecision(t, table, req, d)
			if explained, _ := table.Explain(req, before); explained != d {
				t.Fatalf("%q: %+v, explained %+v", target, d, explained)
			}
			if d.Credited() && !strings.HasPrefix(target, "/r/") && table.token[d.Token] == 0 {
				checkLeft(t, table, raw, d)
			}
		}
		ids := ParseTarget("go.carrot.test", "/k/bare?affiliate="+raw)
		checkDecision(t, table, ids, table.Resolve(ids, before))
	})
}

// What is read exactly costs what it cost: the location, and nothing for repairs.
func TestExactReadingAllocatesOnce(t *testing.T) {
	table := mustTable(t, pasted())
	for _, target := range []string{"/go/bare/Apostle?utm_source=x", "/go/course/Bang!", "/k/bare?affiliate=101&x=1", "/r/apostle/bare", "/?aff=Apostle", "/go/bare/rock&roll", "/go/bare"} {
		req := ParseTarget("go.carrot.test", target)
		if n := testing.AllocsPerRun(100, func() { table.Resolve(req, before) }); n > 1 {
			t.Errorf("%s: %v allocations", target, n)
		}
	}
}

// Nobody can keep the gateway busy with one address.
func TestDamageIsBounded(t *testing.T) {
	table := mustTable(t, pasted())
	for _, piece := range []string{"!", "&x=", "%2525", "&amp;", "=41", "%26amp%3B", "\u200e", "“", "Ã©", "%E9", "?", "x%3F", "(", "＆", `\u0026`} {
		raw := strings.Repeat(piece, maxDamaged/len(piece))
		n := 0
		readings(raw, inPath, func(reading) bool { n++; return true })
		if n > maxReadings {
			t.Errorf("%q: %d readings", piece, n)
		}
		target := "/go/" + raw + "/" + raw + "?affiliate=" + raw
		if allocated := testing.AllocsPerRun(1, func() { table.Resolve(ParseTarget("go.carrot.test", target), before) }); allocated > 50_000 {
			t.Errorf("%q: %v allocations", piece, allocated)
		}
	}
}
