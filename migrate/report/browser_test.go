package report

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
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
)

// browser starts Debian's Chromium with a profile of its own. What its page says and
// asks for goes to heard.
func browser(t *testing.T, heard func(event any)) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
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

// write puts a page where a browser can open it, and returns its address.
func write(t *testing.T, render func(f *os.File) error) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	if err := render(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: f.Name()}).String()
}

func evaluate[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func TestPageInABrowser(t *testing.T) {
	var mu sync.Mutex
	var said, asked []string
	ctx := browser(t, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			said = append(said, "console: "+string(e.Type))
		case *runtime.EventExceptionThrown:
			said = append(said, "exception: "+e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			said = append(said, string(e.Entry.Level)+": "+e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, "data:") {
				asked = append(asked, e.Request.URL)
			}
		}
	})
	heard := func() (console, requests []string) {
		mu.Lock()
		defer mu.Unlock()
		console, requests, said, asked = said, asked, nil, nil
		return console, requests
	}

	// First a page that does what ours must not, so that silence means something.
	noisy := write(t, func(f *os.File) error {
		_, err := f.WriteString(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'">` +
			`<script>alert(1)</script><img src="x.png">`)
		return err
	})
	if err := chromedp.Do(ctx, chromedp.Navigate(noisy)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	if console, _ := heard(); len(console) == 0 {
		t.Fatal("the browser does not report what a policy refuses: this test would see nothing")
	}

	for name, plan := range plans() {
		page := write(t, func(f *os.File) error { return HTML(f, plan, "carrot "+hostile) })
		for _, width := range []int64{1400, 360} {
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(page)); err != nil {
				t.Fatal(err)
			}
			evaluate[int](t, ctx, `document.querySelectorAll("details").forEach(d => d.open = true), 1`)
			time.Sleep(100 * time.Millisecond)
			console, requests := heard()
			if len(console) > 0 {
				t.Errorf("%s, %d wide: the console says %q", name, width, console)
			}
			for _, r := range requests {
				if r != page {
					t.Errorf("%s, %d wide: it asks for %s", name, width, r)
				}
			}
			if n := evaluate[int](t, ctx,
				`document.scripts.length + document.querySelectorAll("img,iframe,object,embed,link[rel=stylesheet]").length`); n != 0 {
				t.Errorf("%s: %d things that load or run", name, n)
			}
			if over := evaluate[int](t, ctx, `document.documentElement.scrollWidth`); int64(over) > width {
				t.Errorf("%s: %d wide on a screen of %d", name, over, width)
			}
			if title := evaluate[string](t, ctx, `document.title`); title != "carrot "+hostile+": migration plan" {
				t.Errorf("%s: title %q", name, title)
			}
		}
	}

	page := write(t, func(f *os.File) error { return HTML(f, blocked(), "carrot") })
	if err := chromedp.Do(ctx, chromedp.Navigate(page)); err != nil {
		t.Fatal(err)
	}
	if text := evaluate[string](t, ctx, `document.body.innerText`); !strings.Contains(text, hostile) {
		t.Error("a hostile cell is not shown as the text that it is")
	}
	light := evaluate[string](t, ctx, `getComputedStyle(document.body).backgroundColor`)
	if err := chromedp.Do(ctx, media("screen", "dark")); err != nil {
		t.Fatal(err)
	}
	if now := evaluate[string](t, ctx, `getComputedStyle(document.body).backgroundColor`); now == light {
		t.Errorf("in the dark the page is %s as in the light", now)
	}
	// What is folded away on a screen is on paper.
	shown := `document.querySelector("details:not([open]) td").getBoundingClientRect().height > 0 &&
		document.querySelector("details:not([open]) td").checkVisibility({contentVisibilityAuto: true})`
	if evaluate[bool](t, ctx, shown) {
		t.Error("what is folded is shown")
	}
	if err := chromedp.Do(ctx, media("print", "light")); err != nil {
		t.Fatal(err)
	}
	if !evaluate[bool](t, ctx, shown) {
		t.Error("what is folded is not printed")
	}
}

// media makes the page believe that it is on a screen or on paper, and that its reader
// likes it light or dark.
func media(kind, scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Media: kind, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}
