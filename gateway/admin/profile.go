package admin

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"io"
	"net"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// profilePath is below which "go tool pprof" looks.
const profilePath = "/debug/pprof/"

// Seconds of a profile, and of a trace: each slows the gateway while it runs, and a trace of a
// busy one takes some 10 MB of memory a second.
const (
	defaultSeconds = 30
	maxSeconds     = 60
	maxTrace       = 5
)

// addProfiles serves the runtime's profiles. Unlike net/http/pprof it leaves out cmdline, for a
// command line may hold a password, bounds the seconds, and ends with the client.
func addProfiles(app *fiber.App) {
	app.Get(profilePath, profileIndex)
	app.Get(profilePath+"profile", func(c *fiber.Ctx) error {
		return recordSeconds(c, defaultSeconds, maxSeconds, pprof.StartCPUProfile, pprof.StopCPUProfile)
	})
	app.Get(profilePath+"trace", func(c *fiber.Ctx) error { return recordSeconds(c, 1, maxTrace, trace.Start, trace.Stop) })
	app.Get(profilePath+":name", func(c *fiber.Ctx) error {
		p := pprof.Lookup(c.Params("name"))
		if p == nil {
			return fiber.ErrNotFound
		}
		debug := c.QueryInt("debug")
		if debug < 0 || debug > 2 {
			return refuse(c, fiber.StatusBadRequest, "debug is 0, 1 or 2.")
		}
		if p.Name() == "heap" && c.QueryInt("gc") > 0 {
			runtime.GC()
		}
		var out bytes.Buffer
		if err := p.WriteTo(&out, debug); err != nil {
			return err
		}
		return sendProfile(c, out.Bytes(), debug > 0)
	})
}

func profileIndex(c *fiber.Ctx) error {
	var page strings.Builder
	page.WriteString("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Profiles</title>\n<h1>Profiles</h1>\n<ul>\n")
	for _, p := range pprof.Profiles() {
		name := html.EscapeString(p.Name())
		fmt.Fprintf(&page, "<li><a href=\"%s%s?debug=1\">%s</a> (%d)\n", profilePath, name, name, p.Count())
	}
	fmt.Fprintf(&page, "<li><a href=\"%[1]sprofile\">profile</a>: the CPU for ?seconds=%[2]d\n"+
		"<li><a href=\"%[1]strace\">trace</a>: what the runtime did for ?seconds=1, at most %[3]d\n</ul>\n",
		profilePath, defaultSeconds, maxTrace)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	return c.SendString(page.String())
}

// recordSeconds records for the seconds that were asked for, or until the client is gone or the
// gateway stops.
func recordSeconds(c *fiber.Ctx, seconds, most int, start func(io.Writer) error, stop func()) error {
	if text := c.Query("seconds"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return refuse(c, fiber.StatusBadRequest, fmt.Sprintf("seconds is a number from 1 to %d.", most))
		}
		seconds = n
	}
	c.Context().SetConnectionClose() // the watch may take a byte of what would come next
	var out bytes.Buffer
	if err := start(&out); err != nil {
		return refuse(c, fiber.StatusConflict, "Another profile of this kind is being recorded: "+err.Error()+".")
	}
	ctx, cancel := context.WithTimeout(c.Context(), time.Duration(seconds)*time.Second)
	defer cancel()
	gone := waitGone(ctx, c.Context().Conn())
	stop()
	if gone {
		return nil // nobody reads an answer
	}
	return sendProfile(c, out.Bytes(), false)
}

// waitGone waits until ctx ends, and reports whether the client closed its connection before
// that. A client that has more to say is there.
func waitGone(ctx context.Context, conn net.Conn) bool {
	read := make(chan error, 1)
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return true
	}
	go func() {
		_, err := conn.Read(make([]byte, 1))
		read <- err
	}()
	select {
	case <-ctx.Done():
		_ = conn.SetReadDeadline(time.Now()) // ends the read
		<-read
		return false
	case err := <-read:
		if err != nil {
			return true
		}
		<-ctx.Done()
		return false
	}
}

func sendProfile(c *fiber.Ctx, content []byte, text bool) error {
	c.Set(fiber.HeaderContentType, "application/octet-stream")
	if text {
		c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	}
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Send(content)
}
