package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"carryover/cmd/carryover/internal/config"
	"carryover/cmd/carryover/internal/console"
	"carryover/mapping/backup"
	"carryover/mapping/book"
	"carryover/mapping/store"
)

// cli is the command line: global flags and one field a command.
type cli struct {
	Config   string `default:"carryover.toml" placeholder:"FILE" group:"global" help:"The program's configuration (default: carryover.toml)."`
	Data     string `default:"data" placeholder:"DIR" group:"global" help:"Folder of book, clicks and last good link map (default: data)."`
	Redis    string `env:"REDIS_URL" placeholder:"URL" group:"global" help:"Redis to publish the link map in, instead of the book"`
	Store    string `enum:"redis,book," default:"" placeholder:"PLACE" group:"global" help:"Where the link map is to live from now on: redis or book (default: where it was published)."`
	JSON     bool   `name:"json" group:"global" help:"Write JSON to standard output, one object a line where there are many."`
	LogLevel string `enum:"${levels}" default:"info" placeholder:"LEVEL" group:"global" help:"Log debug, info (default), warn or error."`

	ShowVersion kong.VersionFlag `name:"version" group:"global" help:"Print the version."`

	Init         initCmd         `cmd:"" help:"Write a commented carryover.toml to fill in."`
	Plan         planCmd         `cmd:"" help:"Read Keap's exports and say what would be done. Changes nothing."`
	Apply        applyCmd        `cmd:"" help:"Carry out exactly the plan that was reviewed, and publish the link map."`
	Verify       verifyCmd       `cmd:"" help:"Compare exports, book, published map and, if asked, a live gateway."`
	Rollback     rollbackCmd     `cmd:"" help:"Undo the newest run and publish what the book held before it."`
	Map          mapCmd          `cmd:"" help:"List, compare, publish and roll back versions of the link map."`
	Gateway      gatewayCmd      `cmd:"" help:"Serve old links, and track sign-ups and sales."`
	Backup       backupCmd       `cmd:"" help:"Save a running program in one archive."`
	Restore      restoreCmd      `cmd:"" help:"Bring a backup back, into an empty data folder."`
	Resolve      resolveCmd      `cmd:"" help:"Say what an old link does, now or at another time, and why."`
	Links        linksCmd        `cmd:"" help:"Write the old-to-new sheet: every old link and what takes its place."`
	Examples     examplesCmd     `cmd:"" help:"Show a few old links to try, on both sides of the cutoff."`
	Promoters    promotersCmd    `cmd:"" help:"List the promoters, and record what is known of them."`
	Payouts      payoutsCmd      `cmd:"" help:"Plan payouts, approve them, export them, record what became of them."`
	Referrals    referralsCmd    `cmd:"" help:"List the customers, and whose they are."`
	Ledger       ledgerCmd       `cmd:"" help:"List what was earned and paid, by promoter or entry by entry."`
	Explain      explainCmd      `cmd:"" help:"Say why a promoter was credited with a customer, an order, an invoice, a click or an event."`
	Review       reviewCmd       `cmd:"" help:"List the commissions that a person should look at, and decide."`
	Applications applicationsCmd `cmd:"" help:"List, approve and reject those who want to take part."`
	Tracking     trackingCmd     `cmd:"" help:"List the events that the tracking API refused, and tell them again."`
	Outbox       outboxCmd       `cmd:"" help:"Show the events on their way to FirstPromoter."`
	Parity       parityCmd       `cmd:"" help:"Compare a month of our ledger with FirstPromoter's: the gate of a parallel run."`
	Clicks       clicksCmd       `cmd:"" help:"Count the clicks, or list each."`
	Misses       missesCmd       `cmd:"" help:"List addresses that did not resolve, most wanted first."`
	ConfigFile   configCmd       `cmd:"" name:"config" help:"Check the configuration."`
	Completion   completionCmd   `cmd:"" help:"Print what makes a shell complete commands and flags."`
	Man          manCmd          `cmd:"" help:"Print the manual page."`
	Help         helpCmd         `cmd:"" help:"Show the manual: its subjects, or one of them; or the help of a command."`
	Version      versionCmd      `cmd:"" help:"Print the version."`
}

// app is what a running command works with.
type app struct {
	*cli
	*console.Console
	ctx     context.Context // ends with the first Ctrl-C or SIGTERM
	uncatch func()          // lets signals end the process by themselves again
}

// tableFlags are those of every command that prints a table.
type tableFlags struct {
	CSV bool `name:"csv" help:"Write the table as CSV for a spreadsheet: columns as --json names them."`
}

// AfterApply tells the console, once the command line is read.
func (f *tableFlags) AfterApply(a *app) error {
	switch {
	case f.CSV && a.JSON:
		return errors.New("--csv and --json exclude each other")
	case f.CSV:
		a.Form = console.CSV
	}
	return nil
}

func run(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends a command that does not listen to the first
	a := &app{cli: &cli{}, Console: console.New(in, out, errOut), ctx: ctx, uncatch: stop}
	if len(args) > 0 && args[0] == console.CompleteCommand {
		return a.complete(args[1:])
	}
	exited := -1
	parser, err := newParser(a, func(code int) { exited = code })
	if err != nil {
		panic("BUG: " + err.Error())
	}
	parsed, err := parser.Parse(console.FlagsLast(parser.Model, args))
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintf(a.Err, "carryover: %v\nRun \"carryover --help\" for the commands, \"carryover COMMAND --help\" for one.\n", err)
		return console.ExitUsage
	}
	if a.JSON {
		a.Form = console.JSON
	}
	if err := a.Level.UnmarshalText([]byte(a.LogLevel)); err != nil {
		panic("BUG: " + err.Error())
	}
	return a.ExitCode(ctx, parsed.Run())
}

// newParser reads command lines into a. exit is called where kong would end the process.
func newParser(a *app, exit func(code int)) (*kong.Kong, error) {
	global := kong.Group{Key: "global", Title: "Global flags:"} // below those of the command
	parser, err := kong.New(a.cli, kong.Name("carryover"), kong.Bind(a),
		kong.Vars{"version": "carryover " + version, "levels": "debug,info,warn,error"},
		kong.Description("Carries an affiliate program from Keap to FirstPromoter and keeps every old link working. "+
			"\"carryover help\" is the manual."),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ExplicitGroups([]kong.Group{global}), kong.Writers(a.Out, a.Err), kong.Exit(exit))
	if err == nil {
		parser.Model.HelpFlag.Group = &global
	}
	return parser, err
}

// loadConfig reads the configuration, for commands that may go on to the data folder.
func (a *app) loadConfig() (*config.Config, error) {
	if err := backup.CheckData(a.Data); err != nil {
		return nil, err
	}
	return config.Load(a.Config)
}

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

// redisURL is the Redis that was named for link maps and clicks; empty: none.
func (a *app) redisURL(cfg *config.Config) string {
	if a.Redis != "" {
		return a.Redis
	}
	return cfg.RedisURL
}

// openStore opens the place of the published link map. b is nil where there is no book.
func (a *app) openStore(cfg *config.Config, b *book.Book) (store.Store, error) {
	trust, err := cfg.Trust(a.Data)
	if err != nil {
		return nil, err
	}
	return store.Open(a.ctx, store.Wish{Book: b, RedisURL: a.redisURL(cfg), Program: cfg.Program, Store: a.Store}, store.Trusting(trust))
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

type versionCmd struct{}

func (versionCmd) Help() string {
	return `Changes nothing.

Example: carryover version`
}

// version is set by the build (make build).
var version = "(devel)"

func (versionCmd) Run(a *app) error {
	if a.JSON {
		return a.Object(map[string]string{"version": version})
	}
	_, err := fmt.Fprintln(a.Out, "carryover", version)
	return err
}
