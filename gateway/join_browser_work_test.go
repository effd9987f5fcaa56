package gateway

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// While many forms come in, a browser does its work by itself, over plain HTTP, where
// crypto.subtle is missing, and the page does not freeze meanwhile; without scripts it says what to do.
func TestWorkInABrowser(t *testing.T) {
	h := newJoinFixture(t, true)
	for range 100 * calmPerMinute { // the most work that is asked for
		h.join.load.add(*h.now.Load())
	}
	_, port, _ := strings.Cut(h.Addr(), ":")
	site := "http://" + host + ":" + port
	var mu sync.Mutex
	var said []string
	b := &browserTab{T: t}
	b.ctx = chromium(t, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			said = append(said, "console: "+string(e.Type))
		case *runtime.EventExceptionThrown:
			said = append(said, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			if !strings.Contains(e.Entry.URL, "favicon") {
				said = append(said, e.Entry.Text)
			}
		}
	})
	pictures := func(name string) {
		for _, width := range []int64{1280, 375} {
			b.do(chromedp.EmulateViewport(width, 800))
			if over := evaluate[int64](b, `document.documentElement.scrollWidth`); over > width {
				t.Errorf("%s: %d wide on a screen of %d", name, over, width)
			}
			b.savePicture(name + "-" + map[int64]string{1280: "1280", 375: "375"}[width])
		}
	}

	// Before the work is done the form waits for it, and is sent then.
	early := b.onEveryPage(`addEventListener("DOMContentLoaded", () => {
		const form = document.querySelector("form[data-nonce]")
		if (!form) return
		for (const [name, value] of [["name", "Zoe Lane"], ["email", "zoe@post.test"]]) form.elements[name].value = value
		form.elements.terms.checked = true
		form.requestSubmit()
	})`)
	b.do(chromedp.Navigate(site + "/join"))
	h.advance(5 * time.Second)
	b.wait("Thank you")
	b.notOnPages(early)
	if evaluate[bool](b, `isSecureContext`) {
		t.Error("the page has what plain HTTP has not")
	}
	pictures("work-thanks")
	if list := h.applications(); len(list) != 1 || list[0].Email != "zoe@post.test" {
		t.Errorf("kept: %v", list)
	}

	// What it does by itself, and how long it holds the cdppage.
	b.do(chromedp.Navigate(site + "/rejoin"))
	b.wait("Rejoin the affiliate program")
	done := `document.querySelector("form").elements.work.value`
	began := time.Now()
	until(t, "the work is done", func() bool { return evaluate[string](b, done) != "" })
	t.Logf("the most work takes %s here", time.Since(began))
	token := &formToken{nonce: evaluate[string](b, `document.querySelector("form").dataset.nonce`), bits: maxWorkBits}
	if work := evaluate[string](b, done); !token.isProven(work) {
		t.Errorf("the browser's work is %q", work)
	}
	// A mistake keeps it.
	h.advance(5 * time.Second)
	b.do(chromedp.SendKeys("#email", "ada"), chromedp.Click("form > button"))
	b.until(`document.readyState === "complete" && document.querySelectorAll(".errors").length === 1`)
	if work := evaluate[string](b, done); !token.isProven(work) {
		t.Errorf("after a mistake the work is %q", work)
	}

	// One that was opened before: it is kept, the browser works, and the button sends it.
	h.setNow(h.now.Load().Add(2 * time.Minute))
	b.do(chromedp.Navigate(site + "/join"))
	b.wait("Join the affiliate program")
	if n := evaluate[int](b, `document.scripts.length`); n != 0 {
		t.Errorf("it is calm, and the page has %d scripts", n)
	}
	h.advance(5 * time.Second)
	for range 2 * calmPerMinute {
		h.join.load.add(*h.now.Load())
	}
	b.do(chromedp.SendKeys("#name", "Ada Body"), chromedp.SendKeys("#email", "ada@post.test"))
	evaluate[int](b, `document.querySelector("#terms").click(), 1`)
	b.do(chromedp.Click("form > button"))
	b.until(`document.readyState === "complete" && document.querySelectorAll("#notice").length === 1`)
	kept := evaluate[string](b, `document.querySelector("#name").value + " " + document.querySelector("#email").value`)
	if kept != "Ada Body ada@post.test" {
		t.Errorf("kept: %q", kept)
	}
	pictures("work-asked")
	h.advance(5 * time.Second)
	b.do(chromedp.Click("form > button"))
	b.wait("Thank you")

	// Without scripts.
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}), chromedp.Navigate(site+"/join"))
	if text := evaluate[string](b, `document.querySelector("noscript").innerText`); !strings.Contains(text, "needs JavaScript") {
		t.Errorf("without scripts it says %q", text)
	}
	pictures("work-without-scripts")

	mu.Lock()
	defer mu.Unlock()
	for _, line := range said {
		if !strings.Contains(line, "422") && !strings.Contains(line, "429") {
			t.Errorf("the console says %q", line)
		}
	}
}

// onEveryPage runs a script before those of each page that is opened.
func (b *browserTab) onEveryPage(script string) (id cdppage.ScriptIdentifier) {
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		done, err := cdp.Call(ctx, target, cdppage.AddScriptToEvaluateOnNewDocument,
			cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		if err == nil {
			id = done.Identifier
		}
		return err
	}))
	return id
}

func (b *browserTab) notOnPages(id cdppage.ScriptIdentifier) {
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, cdppage.RemoveScriptToEvaluateOnNewDocument,
			cdppage.RemoveScriptToEvaluateOnNewDocumentParams{Identifier: id})
		return err
	}))
}
