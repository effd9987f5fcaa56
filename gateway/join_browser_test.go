package gateway

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium starts Debian's Chromium with a profile of its own. What its page says and
// asks for goes to heard.
func chromium(t *testing.T, heard func(event any)) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP "+host+" 127.0.0.1"), chromedp.UserDataDir(t.TempDir()))
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(stop)
	ctx, stopAllocator := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stopAllocator)
	ctx, stopTab := chromedp.NewContext(ctx, chromedp.WithListener(heard))
	t.Cleanup(stopTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chromedp.Cancel(ctx) }) // waits for the browser, before its profile is removed
	return ctx
}

// browserTab is what a person sees of the form.
type browserTab struct {
	*testing.T
	ctx context.Context
}

func (b *browserTab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

func evaluate[T any](b *browserTab, expression string) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return v
}

// wait lets the page come that has a heading.
func (b *browserTab) wait(heading string) {
	b.Helper()
	b.until(`document.readyState === "complete" && document.querySelector("h1")?.textContent === ` + strconv.Quote(heading))
}

// until waits until an expression is true of the page, which may be another one by then.
func (b *browserTab) until(expression string) {
	b.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return
		}
	}
	b.Fatalf("not within 20 seconds: %s\n%s", expression, evaluate[string](b, `document.body.innerText`))
}

// savePicture writes a picture of the page to the folder that CARRYOVER_TEST_PICTURES names.
func (b *browserTab) savePicture(name string) {
	b.Helper()
	dir := os.Getenv("CARRYOVER_TEST_PICTURES")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		b.Fatal(err)
	}
}

// preferScheme makes the page believe that its reader likes it light or dark.
func preferScheme(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Media: "screen", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// contrasts lists texts and edges whose contrast with what lies behind them is below
// what WCAG 2.2 asks for: 4.5 of texts, 3 of the edges of fields.
const contrasts = `(() => {
	const linear = x => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4
	const light = c => {
		const v = c.match(/[\d.]+/g).slice(0, 3).map(x => linear(x / 255))
		return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]
	}
	const ratio = (a, b) => (Math.max(light(a), light(b)) + .05) / (Math.min(light(a), light(b)) + .05)
	const behind = e => {
		for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== "rgba(0, 0, 0, 0)") return c }
		return "rgb(255, 255, 255)"
	}
	const poor = []
	for (const e of document.querySelectorAll("main *")) {
		if (e.closest(".topic")) continue
		const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
		const s = getComputedStyle(e)
		if ((own || e.value) && ratio(s.color, behind(e)) < 4.5) poor.push(e.tagName + " text " + ratio(s.color, behind(e)).toFixed(2))
		const field = (e.tagName === "INPUT" || e.tagName === "TEXTAREA") && e.type !== "checkbox" && e.type !== "hidden"
		if (field && ratio(s.borderTopColor, behind(e.parentElement)) < 3) poor.push(e.id + " edge")
	}
	return poor.join(", ")
})()`

// small lists what is too low to be touched.
const small = `[...document.querySelectorAll("button, input:not([type=hidden]):not([tabindex])")].
	filter(e => e.getBoundingClientRect().height < 24).map(e => e.id).join()`

// nameless lists fields without a label, with a name of their own that nothing tells.
const nameless = `[...document.querySelectorAll("input:not([type=hidden]), button, select, textarea")].filter(e =>
	!(e.tagName === "BUTTON" ? e.textContent.trim() : [...e.labels].some(l => l.textContent.trim()))).map(e => e.outerHTML).join(", ")`

func TestFormInABrowser(t *testing.T) {
	h := newJoinFixture(t, true)
	site := "http://" + h.Addr()
	var mu sync.Mutex
	var said, asked []string
	b := &browserTab{T: t}
	b.ctx = chromium(t, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			said = append(said, "console: "+string(e.Type))
		case *log.EventEntryAdded:
			if !strings.Contains(e.Entry.Text, "422") && !strings.Contains(e.Entry.URL, "favicon") { // forms with errors
				said = append(said, string(e.Entry.Level)+": "+e.Entry.Text)
			}
		case *network.EventRequestWillBeSent:
			asked = append(asked, e.Request.URL)
		}
	})
	focused := func() string {
		return evaluate[string](b, `document.activeElement.id || document.activeElement.className`)
	}
	checked := func(name string) {
		t.Helper()
		for _, scheme := range []string{"light", "dark"} {
			b.do(preferScheme(scheme))
			for _, width := range []int64{1280, 360, 320} {
				b.do(chromedp.EmulateViewport(width, 800))
				if over := evaluate[int64](b, `document.documentElement.scrollWidth`); over > width {
					t.Errorf("%s: %d wide on a screen of %d", name, over, width)
				}
				if width != 320 {
					b.savePicture(name + "-" + scheme + "-" + map[int64]string{1280: "desk", 360: "phone"}[width])
				}
			}
			if poor := evaluate[string](b, contrasts); poor != "" {
				t.Errorf("%s, %s: poor contrast of %s", name, scheme, poor)
			}
		}
		b.do(preferScheme("light"))
		if without := evaluate[string](b, nameless); without != "" {
			t.Errorf("%s: without a label: %s", name, without)
		}
		if n := evaluate[int](b, `document.scripts.length`); n != 0 {
			t.Errorf("%s: %d scripts", name, n)
		}
		if small := evaluate[string](b, small); small != "" {
			t.Errorf("%s: too small to hit: %s", name, small)
		}
	}

	b.do(chromedp.EmulateViewport(360, 800), chromedp.Navigate(site+"/join"))
	b.wait("Join the affiliate program")
	checked("form")
	b.do(chromedp.EmulateViewport(360, 800))

	// With the keyboard alone: the form's fields come in their order, the trap never.
	var order []string
	for range 6 {
		b.do(chromedp.KeyEvent(kb.Tab))
		order = append(order, evaluate[string](b, `document.activeElement.id || document.activeElement.tagName`))
	}
	if got := strings.Join(order, " "); got != "name email site terms A BUTTON" {
		t.Errorf("the keyboard goes %s", got)
	}
	if outline := evaluate[string](b, `getComputedStyle(document.activeElement).outlineStyle`); outline != "solid" {
		t.Errorf("focus shows as %q", outline)
	}

	// Something forgotten, something wrong.
	h.advance(5 * time.Second)
	b.do(chromedp.SendKeys("#email", "zoe@post"), chromedp.SendKeys("#site", "zoe.test"), chromedp.KeyEvent(kb.Enter))
	b.until(`document.readyState === "complete" && document.querySelectorAll(".errors").length === 1`)
	if got := evaluate[string](b, `document.title`); got != "Error: Join the affiliate program" {
		t.Errorf("the title is %q", got)
	}
	if got := focused(); got != "errors" {
		t.Errorf("with errors the focus is on %q", got)
	}
	checked("errors")
	b.do(chromedp.EmulateViewport(360, 800))
	kept := evaluate[string](b, `document.querySelector("#site").value + " " + document.querySelector("#email").value`)
	if kept != "zoe.test zoe@post" {
		t.Errorf("kept: %q", kept)
	}
	for _, field := range []string{"name", "email", "terms"} {
		b.do(chromedp.Click(`.errors a[href="#` + field + `"]`))
		if got := focused(); got != field {
			t.Errorf("the summary leads to %q, want %s", got, field)
		}
		note := evaluate[string](b, `document.getElementById(document.activeElement.getAttribute("aria-describedby")).textContent`)
		if !strings.HasPrefix(note, "Enter") && !strings.HasPrefix(note, "Agree") {
			t.Errorf("%s is described by %q", field, note)
		}
	}

	// Mended: name, the rest of the address, the box by its label.
	b.do(chromedp.SendKeys("#name", "Zoe Lane"), chromedp.Focus("#email"), chromedp.KeyEvent(kb.End), chromedp.KeyEvent(".test"))
	evaluate[int](b, `document.querySelector("label[for=terms]").click(), 1`)
	b.do(chromedp.Click("form > button"))
	b.wait("Thank you")
	checked("thanks")
	if link := evaluate[string](b, `document.querySelector("#link").value`); link != "https://"+host+"/r/zoe-lane" {
		t.Errorf("the new link is %q", link)
	}
	b.do(chromedp.Click("#link"))
	evaluate[int](b, `document.querySelector("#link").select(), 1`)
	if got := evaluate[string](b, `getSelection().toString()`); got != "https://"+host+"/r/zoe-lane" {
		t.Errorf("selected: %q", got)
	}
	b.do(chromedp.Reload())
	b.wait("Thank you")
	if list := h.applications(); len(list) != 1 || list[0].Name != "Zoe Lane" || list[0].Email != "zoe@post.test" {
		t.Errorf("kept: %+v", list)
	}

	b.do(chromedp.Navigate(site + "/rejoin"))
	b.wait("Rejoin the affiliate program")
	checked("rejoin")

	mu.Lock()
	defer mu.Unlock()
	if len(said) > 0 {
		t.Errorf("the console says %q", said)
	}
	for _, address := range asked {
		if !strings.HasPrefix(address, site+"/") {
			t.Errorf("a page asks for %s", address)
		}
	}
}
