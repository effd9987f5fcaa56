package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"carryover/cmd/carryover/internal/config"
	"carryover/mapping/book"
	"carryover/mapping/store"
	"carryover/migrate"
	"carryover/migrate/report"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitDecide = 3 // a person must decide
)

// cli is the command line: global flags and one field a command.
type cli struct {
	Config string `default:"carryover.toml" placeholder:"FILE" help:"The program's configuration (default: carryover.toml)."`
	Data   string `default:"data" placeholder:"DIR" help:"Folder of the book, the clicks and the last good link map (default: data)."`
	Redis  string `env:"REDIS_URL" placeholder:"URL" help:"Redis to publish the link map in, instead of the book"`
	JSON   bool   `name:"json" help:"Write JSON to standard output, one object a line where there are many."`

	Init         initCmd         `cmd:"" help:"Write a commented carryover.toml to fill in."`
	Plan         planCmd         `cmd:"" help:"Read Keap's exports and say what would be done. Changes nothing."`
	Apply        applyCmd        `cmd:"" help:"Carry out exactly the plan that was reviewed, and publish the link map."`
	Verify       verifyCmd       `cmd:"" help:"Compare exports, book, published map and, if asked, a live gateway."`
	Rollback     rollbackCmd     `cmd:"" help:"Undo the newest run and publish what the book held before it."`
	Map          mapCmd          `cmd:"" help:"List, compare, publish and roll back versions of the link map."`
	Gateway      gatewayCmd      `cmd:"" help:"Serve old links, and track sign-ups and sales."`
	Resolve      resolveCmd      `cmd:"" help:"Say what an old link does, now or at another time, and why."`
	Links        linksCmd        `cmd:"" help:"The old-to-new sheet: every old link and what takes its place."`
	Examples     examplesCmd     `cmd:"" help:"A few old links to try, on both sides of the cutoff."`
	Promoters    promotersCmd    `cmd:"" help:"The promoters in the book, and what is recorded of them."`
	Payouts      payoutsCmd      `cmd:"" help:"Who is paid and who is held; approved runs and what became of them."`
	Referrals    referralsCmd    `cmd:"" help:"The customers, and whose they are."`
	Ledger       ledgerCmd       `cmd:"" help:"What was earned and paid, by promoter or entry by entry."`
	Explain      explainCmd      `cmd:"" help:"Why a promoter was credited with a customer, an order, an invoice, a click or an event."`
	Review       reviewCmd       `cmd:"" help:"Commissions that a person should look at, and what was decided."`
	Applications applicationsCmd `cmd:"" help:"Who wants to take part: list, approve, reject."`
	Outbox       outboxCmd       `cmd:"" help:"Events on their way to FirstPromoter."`
	Parity       parityCmd       `cmd:"" help:"The gate of a parallel run: our ledger of a month beside FirstPromoter's."`
	Clicks       clicksCmd       `cmd:"" help:"Count the clicks, or list each."`
	Misses       missesCmd       `cmd:"" help:"Addresses that did not resolve, most wanted first."`
	Version      versionCmd      `cmd:"" help:"Print the version."`
}

// app is what a running command works with.
type app struct {
	*cli
	ctx     context.Context // ends with the first Ctrl-C or SIGTERM
	uncatch func()          // lets signals end the process by themselves again
	in      io.Reader
	out     io.Writer
	errOut  io.Writer
	log     *slog.Logger
}

// errExit ends a command with a code of its own; err may be nil when everything was
// said already.
type errExit struct {
	code int
	err  error
}

func (e *errExit) Error() string { return fmt.Sprint(e.err) }
func (e *errExit) Unwrap() error { return e.err }

func run(args []string, in io.Reader, out, errOut io.Writer) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("carryover"),
		kong.Description("Carries an affiliate program from Keap to FirstPromoter and keeps every old link working."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Writers(out, errOut), kong.Exit(func(code int) { exited = code }))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	parsed, err := parser.Parse(flagsLast(parser.Model, args))
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintf(errOut, "carryover: %v\nRun \"carryover --help\" for the commands, \"carryover COMMAND --help\" for one.\n", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends a command that does not listen to the first
	a := &app{cli: &c, ctx: ctx, uncatch: stop, in: in, out: out, errOut: errOut, log: slog.New(slog.NewTextHandler(errOut, nil))}
	return a.exitCode(parsed.Run(a))
}

func (a *app) exitCode(err error) int {
	var exit *errExit
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit) && exit.err == nil:
		return exit.code
	case errors.Is(err, syscall.EPIPE):
		return exitDone // whoever read our output has enough
	case errors.As(err, &exit):
		fmt.Fprintln(a.errOut, "carryover:", exit.err)
		return exit.code
	case errors.Is(err, migrate.ErrUndecided):
		fmt.Fprintln(a.errOut, "carryover:", err)
		return exitDecide
	case a.ctx.Err() != nil && (errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "interrupted")): // SQLite's word for it
		fmt.Fprintln(a.errOut, "carryover: stopped")
		return exitFailed
	case strings.Contains(err.Error(), "SQLITE_BUSY"):
		fmt.Fprintf(a.errOut, "carryover: %v\nAnother program is writing to the book and did not end in time: a large \"apply\", or a gateway that hangs. %s\n", err, busyAdvice(err))
		return exitFailed
	}
	fmt.Fprintln(a.errOut, "carryover:", err)
	return exitFailed
}

// busyAdvice says what to do when the book was in use. Some commands write several times,
// and their errors say what is done already.
func busyAdvice(err error) string {
	if strings.Contains(err.Error(), ", but the link map was not published") {
		return "Try that again when it is done."
	}
	return "Nothing was changed: try again when it is done."
}

// usage is an error of the command line.
func usage(format string, args ...any) error {
	return &errExit{exitUsage, fmt.Errorf(format, args...)}
}

func (a *app) loadConfig() (*config.Config, error) { return config.Load(a.Config) }

// bookPath is where the book is kept, unless the configuration names another file.
func (a *app) bookPath(cfg *config.Config) string {
	if cfg.BookDSN != "" {
		return cfg.BookDSN
	}
	return filepath.Join(a.Data, "book.db")
}

// readBook opens the book of a command that needs one to be there.
func (a *app) readBook(cfg *config.Config) (*book.Book, error) {
	return book.OpenExisting(a.bookPath(cfg))
}

// redisURL is where the link map is published; empty: in the book.
func (a *app) redisURL(cfg *config.Config) string {
	if a.Redis != "" {
		return a.Redis
	}
	return cfg.RedisURL
}

// openStore opens the place of the published link map.
func (a *app) openStore(cfg *config.Config, b *book.Book) (store.Store, error) {
	if url := a.redisURL(cfg); url != "" {
		return store.OpenRedis(url, cfg.Program)
	}
	return store.OpenBook(b), nil
}

// withBook gives fn the program and its book, which must be there.
func (a *app) withBook(fn func(cfg *config.Config, b *book.Book) error) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	return a.inBook(cfg, fn)
}

func (a *app) inBook(cfg *config.Config, fn func(cfg *config.Config, b *book.Book) error) error {
	b, err := a.readBook(cfg)
	if err != nil {
		return err
	}
	defer b.Close()
	return fn(cfg, b)
}

// withMap gives fn the store of the published map as well.
func (a *app) withMap(fn func(cfg *config.Config, b *book.Book, s store.Store) error) error {
	return a.withBook(func(cfg *config.Config, b *book.Book) error {
		s, err := a.openStore(cfg, b)
		if err != nil {
			return err
		}
		defer s.Close()
		return fn(cfg, b, s)
	})
}

func (a *app) progress() migrate.Progress {
	if f, ok := a.errOut.(*os.File); ok {
		return report.New(f, a.log)
	}
	return migrate.NoProgress{}
}

// line writes v as one line of JSON.
func (a *app) line(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

type versionCmd struct{}

func (versionCmd) Help() string {
	return `Changes nothing.

Example: carryover version`
}

// version is set by the build (make build).
var version = "(devel)"

func (versionCmd) Run(a *app) error {
	if a.JSON {
		return a.line(map[string]string{"version": version})
	}
	_, err := fmt.Fprintln(a.out, "carryover", version)
	return err
}
