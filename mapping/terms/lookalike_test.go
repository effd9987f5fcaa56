package terms

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// hostile are names under which somebody is taken for the program "carrot", decomposed.
var hostile = []string{
	"carrot", "Carrot", "CARROT", "carrot-test", "carrot-com", "the-carrot", "Carrot Support", "official carrot", "carrot.com",
	"mycarrotshop",
	"carrots", "carrot1", "carrot-2", "2carrot", "carr0t", "c4rrot", "c4rr0t", "carro7", "CARR0T", "c@rrot", "(arrot carrot",
	"carrot!", "carrot\u2122",
	"ca-rrot", "car-rot", "c-a-r-r-o-t", "c a r r o t", "c.a.r.r.o.t", "ca_rrot", "car rot deals", "the car-rot", "carrrot",
	"carrrrot", "carot", "caarrot",
	"carroot", "carrott", "carrt", "crrot", "arrot team x carot", "carrto", "acrrot", "carrat", "carrut", "carrot-", "-carrot-",
	"xcarrotx", "karrot",
	"\u0441arrot", "c\u0430rrot", "carr\u043et", "\u0441\u0430rr\u043e\u0442", "carr\u03bft", "c\u03b1rrot", "carro\u03c4",
	"\u03f2arrot", "carr\u0585t",
	"\uff43\uff41\uff52\uff52\uff4f\uff54", "\uff23arrot", "ca\u0301rrot", "carro\u0308t", "ca\u200brrot", "ca\u00adrrot",
	"carr\u2060ot", "\u202ecarrot", "ca\u034frrot",
	"carr\u00f8t", "\ua793arrot", "\u1d04\u1d00\u0280\u0280\u1d0f\u1d1b", "\u13df\u13aa\u13a1\u13a1\u13a2x carrot", "carr\u0966t",
	"carr\u3007t", "carr\u05e1t",
	"Cаrrоt Теam", "carrot\u00b7partner", "goto-carrot-now", "joincarrot", "carrotpayouts", "carrot/support", "@carrot", "#carrot",
	"carrot's", "carrot\u2019s store",
}

// people are names of people who have nothing to do with it, nor with "google", "acme" or "hp".
var people = []string{
	"Ann Lee", "Zoe Lane", "Kim Park", "Carol Otto", "Oscar Otto", "Oscar Ott", "Oscar Ottosson", "Carla Rotter", "Carl Roth",
	"Carlo Tanner", "Carlotta Rossi",
	"Lewis Carroll", "Caroline Thompson", "Caro Tietz", "Karl Rottmann", "Karo Tanaka", "Carter Root", "Marc Arrington", "Erica Rossi",
	"Jessica Rothman",
	"Rebecca Mendez", "Isaac Meyer", "Zac Mehta", "Jane Parrott", "Jean Garrot", "Hugo Glenn", "Gogol Nikolai", "Igor Gleb",
	"Margo Oglesby", "Bishop Smith",
	"O'Neil Jr.", "Mary-Jane Watson", "Jos\u00e9 Garci\u0301a", "Zoe\u0308 A\u030angstro\u0308m", "Bjo\u0308rn Sørensen",
	"Nguye\u0302n Va\u0306n An", "Мария Иванова", "Γιώργος Παπαδόπουλος",
	"李明", "김민준", "محمد علي", "אברהם כהן", "Արամ Խաչատրյան", "Kim \u674e", "Christopher Pratt",
	"Philip Hopper", "Hpone Myint", "Aaron Carter", "Carrie Rotten",
	"Cary Grant", "Ricarda Rohde", "Oskar Rothschild", "Sacar Otero", "Macarena Ortiz", "Car Lotz", "Garrett Scott", "Harriet Potter",
	"Barrett Rooter", "Corrado Tosi",
}

func brands() *ReservedNames {
	return NewReservedNames([]string{"carrot", "google", "acme", "hp"}, []string{"go", "shop", "login"}, []string{"carrot.test"})
}

func TestNamesTakenForABrand(t *testing.T) {
	r := brands()
	if len(hostile) < 60 {
		t.Fatalf("only %d names", len(hostile))
	}
	for _, name := range hostile {
		if got, ok := r.Match(name); !ok || got != "carrot" {
			t.Errorf("%q passes", name)
		}
	}
	for name, want := range map[string]string{
		"google-com": "google", "g00gle": "google", "goog1e": "google", "googie": "google", "qoogle": "google", "goggle": "google",
		"gooogle pay": "google",
		"googel":      "google", "gogle": "google", "goo gle": "google", "ɢoogle": "google", "acrne": "acme", "ac-me": "acme",
		"ACME Corp":  "acme",
		"HP support": "hp", "h-p": "hp", "нр": "hp", "Go": "go", "g0": "go", "Shop": "shop", "log-in": "login", "1ogin": "login",
	} {
		if got, ok := r.Match(name); !ok || got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestNamesOfPeoplePass(t *testing.T) {
	r := brands()
	for _, name := range people {
		if got, ok := r.Match(name); ok {
			t.Errorf("%q is taken for %s", name, got)
		}
		if MixesAlphabets(name) {
			t.Errorf("%q mixes alphabets", name)
		}
	}
	seen := map[string]string{}
	for _, name := range people {
		if s := Skeleton(name); s == "" || seen[s] != "" {
			t.Errorf("%q is taken for %q", name, seen[s])
		} else {
			seen[s] = name
		}
	}
	var none *ReservedNames
	if _, ok := none.Match("carrot"); ok {
		t.Error("nothing is reserved, and something is found")
	}
	if _, ok := none.MatchAddress("a@carrot.test"); ok {
		t.Error("no domain is reserved, and one is found")
	}
	if _, ok := NewReservedNames([]string{"", "---"}, []string{" "}, nil).Match("Ann"); ok {
		t.Error("an empty name is in every name")
	}
}

// However a brand is dressed up, with characters that look alike, separators and repeated
// letters, and whatever stands around it as words of its own, it is found.
func TestADressedUpBrandIsFound(t *testing.T) {
	looks := map[rune][]string{}
	for r, plain := range confusables {
		if len(plain) == 1 {
			looks[rune(plain[0])] = append(looks[rune(plain[0])], string(r))
		}
	}
	r := brands()
	rapid.Check(t, func(t *rapid.T) {
		var name strings.Builder
		for _, c := range rapid.SampledFrom([]string{"carrot", "google", "acme"}).Draw(t, "brand") {
			letter := string(c)
			if others := looks[rune(plain(c)[0])]; rapid.Bool().Draw(t, "other") && len(others) > 0 {
				letter = rapid.SampledFrom(others).Draw(t, "letter")
			}
			name.WriteString(strings.Repeat(letter, rapid.IntRange(1, 3).Draw(t, "times")))
			name.WriteString(rapid.SampledFrom([]string{"", "", "-", ".", " ", "_", "\u200b", "\u0301"}).Draw(t, "separator"))
		}
		before := rapid.SampledFrom([]string{"", "the ", "my-", "Zoe "}).Draw(t, "before")
		after := rapid.SampledFrom([]string{"", " team", "-com", ".test", " 24"}).Draw(t, "after")
		if _, ok := r.Match(before + name.String() + after); !ok {
			t.Fatalf("%q passes", before+name.String()+after)
		}
	})
}

func TestSkeletons(t *testing.T) {
	f := func(a, b string, same bool) {
		t.Helper()
		if (Skeleton(a) == Skeleton(b)) != same {
			t.Errorf("%q and %q: %q and %q", a, b, Skeleton(a), Skeleton(b))
		}
	}
	f("zoe-lane", "Z0E LANE", true)
	f("zoe-lane", "zoelane", true)
	f("zoe-lane", "zoe-iane", true)
	f("zoe-lane", "z\u043ee-lane", true)
	f("car-not", "carnot", true)
	f("william", "vvilliarn", true)
	f("anna", "ana", true)
	f("zoe-lane", "zoe-lang", false)
	f("karl", "carl", false)
	f("kim-lane", "tim-lane", false)
	if Skeleton(" -\u200b.") != "" {
		t.Error("nothing has a skeleton")
	}
}

func TestMixedAlphabets(t *testing.T) {
	for text, want := range map[string]bool{
		"саrrot": true, "carrоt": true, "аnna Lee": true, "αlpha": true, "Anna Иванова": false, "anna@gооgle.com": true,
		"Анна": false, "ann-а": false, "Kim李": false,
	} {
		if MixesAlphabets(text) != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
}

func TestMailboxes(t *testing.T) {
	for key, want := range map[string]string{
		"ann+1@mail.test": "ann@mail.test", "ann@mail.test": "ann@mail.test", "a.n.n+x+y@gmail.com": "ann@gmail.com",
		"a.nn@googlemail.com": "ann@gmail.com",
		"a.nn@mail.test":      "a.nn@mail.test", "+ann@mail.test": "+ann@mail.test",
	} {
		if got := Mailbox(key); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	r := brands()
	for email, want := range map[string]bool{
		"a@carrot.test": true, "a@mail.carrot.test": true, "a@notcarrot.test": false, "a@carrot.test.example.com": false,
		"carrot.test": false,
	} {
		if _, ok := r.MatchAddress(email); ok != want {
			t.Errorf("%s: %t", email, ok)
		}
	}
	for name, want := range map[string]string{"anna-2": "anna", "anna 12": "anna", "anna2": "anna", "anna": "anna", "a-2-b": "a-2-b"} {
		if got := WithoutNumber(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}
