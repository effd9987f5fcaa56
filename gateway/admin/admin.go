package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options are what the admin listener shows.
type Options struct {
	Settings    fiber.Config
	Listen      string        // the address of the listener: its name is one to be asked by
	Hosts       []string      // other names that ops ask for it by
	Live, Ready fiber.Handler // the health paths, the same as on the public listener
	Metrics     *prometheus.Registry
	Status      func(context.Context) Status
}

// Status is what the status page shows.
type Status struct {
	Program, Node             string
	Ready                     bool
	Reasons, Warnings, Errors []string
	Rehearsal                 bool // Now is not the real time
	Now, PublishedAt          time.Time
	Epoch                     int64
	Source, PlanID            string
	Links, Partners           int
	Recorded, Dropped         uint64 // since the gateway started
	DrainLag                  time.Duration
	Backlog                   int64
	HasBook                   bool    // false: the counts are where the book is
	Outcomes, Verdicts        []Count // of today
	Misses                    []Miss  // of seven days
	Tracking                  *Tracking
}

// Tracking is what the billing system told today, and what waits.
type Tracking struct {
	Events                                 []Event
	Reviews, Applications, Outbox, Refused int64
}

// Event is a line of the table of events.
type Event struct {
	Kind   string
	Count  int64
	Earned string // as people write it
}

// Count is a line of a table of clicks.
type Count struct {
	Name         string
	Human, Total int64
}

// Miss is a URL that did not resolve.
type Miss struct {
	URL          string
	Human, Total int64
	Last         time.Time
	Referrer     string
}

// statusWithin bounds the queries behind the status page.
const statusWithin = 5 * time.Second

//go:embed status.html
var statusHTML string

var statusTemplate = template.Must(template.New("status").Funcs(template.FuncMap{
	"clock": func(t time.Time) string { return t.Format("2006-01-02 15:04:05 MST") },
	"when":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	"round": func(d time.Duration) string { return d.Round(100 * time.Millisecond).String() },
}).Parse(statusHTML))

// New makes the admin application; whoever listens decides who reaches it.
func New(o Options) *fiber.App {
	app := fiber.New(o.Settings)
	app.Use(recover.New(), accessGuard(o.Listen, o.Hosts))
	app.Get("/livez", o.Live)
	app.Get("/readyz", o.Ready)
	app.Get("/metrics", adaptor.HTTPHandler(promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{})))
	app.Get("/", statusPage(o.Status))
	addProfiles(app)
	return app
}

func statusPage(status func(context.Context) Status) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx, cancel := context.WithTimeout(context.Background(), statusWithin)
		defer cancel()
		var out bytes.Buffer
		if err := statusTemplate.Execute(&out, status(ctx)); err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
		c.Set(fiber.HeaderCacheControl, "no-store")
		c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src '"+styleHash(out.Bytes())+
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		return c.Send(out.Bytes())
	}
}

func styleHash(page []byte) string {
	_, rest, _ := bytes.Cut(page, []byte("<style>"))
	style, _, _ := bytes.Cut(rest, []byte("</style>"))
	sum := sha256.Sum256(style)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
