package click

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"carryover/mapping/book"
)

// drainBatch bounds the clicks that are judged and delivered at once.
const drainBatch = 5000

// Drain brings everything that is spooled in the file at path to b, and says how many
// clicks were new there. It may run beside the gateway that writes the file and beside
// other drains: the book takes each click once, and deleting what is gone does nothing.
// A missing file holds no clicks.
func Drain(ctx context.Context, path string, b *book.Book) (n int, err error) {
	d := &Drainer{o: DrainOptions{Spool: path, Book: b, Logger: slog.Default(), Now: time.Now}, judge: NewJudge()}
	return d.DrainAll(ctx)
}

// DrainOptions say where clicks come from and where they go.
type DrainOptions struct {
	Spool      string           // path of the recorder's file
	Recorder   *Recorder        // deletes what was delivered; nil: the drain does, from outside
	Book       *book.Book       // takes the clicks; nil: they go to Stream
	Stream     *Stream          // takes the clicks when there is no book, brings those of other gateways when there is; nil: none
	Every      time.Duration    // between two passes; 0: 1 s
	Settle     time.Duration    // clicks younger than this wait for the next pass, so that bursts are seen whole; 0: 2 s, negative: none
	KeepClicks time.Duration    // raw clicks in the book older than this are deleted; 0: kept for ever
	Logger     *slog.Logger     // nil: slog.Default()
	Now        func() time.Time // nil: time.Now
}

// Drainer judges spooled clicks and moves them on. No answer to a visitor waits for it.
type Drainer struct {
	o     DrainOptions
	mu    sync.Mutex // one pass at a time
	judge *Judge

	lag     atomic.Int64 // of the oldest click that is still spooled, in ns
	backlog atomic.Int64
	fault   atomic.Pointer[Fault]

	collectFault atomic.Pointer[Fault] // its own: a Redis that is away does not hold up the spool
}

// NewDrainer makes a drainer; [Drainer.Run] starts it.
func NewDrainer(o DrainOptions) *Drainer {
	if o.Every <= 0 {
		o.Every = time.Second
	}
	if o.Settle == 0 {
		o.Settle = burstWindow
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Stream != nil {
		o.Stream.now = o.Now
	}
	return &Drainer{o: o, judge: NewJudge()}
}

// Lag is the age of the oldest click that is still spooled, and about how many are.
func (d *Drainer) Lag() (age time.Duration, clicks int64) {
	return time.Duration(d.lag.Load()), d.backlog.Load()
}

// Fault is nil while clicks move on.
func (d *Drainer) Fault() *Fault { return d.fault.Load() }

// CollectFault is nil while the clicks of other gateways come in, or none are waited for.
func (d *Drainer) CollectFault() *Fault { return d.collectFault.Load() }

// Run drains until ctx ends, and returns when what it began is over.
func (d *Drainer) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() {
		d.repeat(ctx, d.o.Every, func() error {
			_, err := d.drain(ctx, max(d.o.Settle, 0), true)
			return err
		}, &d.fault)
	})
	if d.o.Book != nil && d.o.Stream != nil {
		wg.Go(func() {
			d.repeat(ctx, d.o.Every, func() error {
				before, _ := d.o.Stream.Refused()
				_, err := d.o.Stream.Collect(ctx, d.o.Book)
				if now, why := d.o.Stream.Refused(); now > before {
					d.o.Logger.Warn("entries of the click stream are refused: no gateway of this program made them",
						"entries", now-before, "newest", why)
				}
				return err
			}, &d.collectFault)
		})
	}
	if d.o.Book != nil && d.o.KeepClicks > 0 {
		var deleteFault atomic.Pointer[Fault]
		wg.Go(func() {
			d.repeat(ctx, time.Hour, func() error {
				_, err := d.o.Book.ForgetClicks(ctx, d.o.Now().Add(-d.o.KeepClicks))
				return err
			}, &deleteFault)
		})
	}
	wg.Wait()
}

// repeat runs fn at once and then after each pause, until ctx ends. It logs when fn begins to fail
// and when it works again, not each failure in between.
func (d *Drainer) repeat(ctx context.Context, pause time.Duration, fn func() error, fault *atomic.Pointer[Fault]) {
	for {
		err := fn()
		switch f := fault.Load(); {
		case ctx.Err() != nil:
			return
		case err != nil && f == nil:
			fault.Store(&Fault{d.o.Now(), err})
			d.o.Logger.Warn("clicks do not move on; they are safe in the spool", "err", err)
		case err == nil && f != nil:
			fault.Store(nil)
			d.o.Logger.Info("clicks move on again", "after", d.o.Now().Sub(f.Since).String())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// DrainAll moves on everything that is spooled now, however young it is.
func (d *Drainer) DrainAll(ctx context.Context) (delivered int, err error) {
	return d.drain(ctx, 0, false)
}

// drain moves on what is older than settle. A paced drain rests after each
// batch for three times as long as that took, so that visitors keep the machine while much waits.
func (d *Drainer) drain(ctx context.Context, settle time.Duration, paced bool) (delivered int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	src, err := openSpoolReader(ctx, d.o.Spool)
	if err != nil || src == nil {
		return 0, err
	}
	defer src.close()
	defer d.measure(src)
	if d.o.Book == nil && d.o.Stream == nil {
		return 0, nil
	}
	now := d.o.Now()
	for {
		began := time.Now()
		b, err := src.read(ctx, now.Add(-settle))
		if err != nil || b.last == 0 {
			return delivered, err
		}
		d.judge.Classify(b.clicks)
		n, err := d.deliver(ctx, b.clicks)
		delivered += n
		if err == nil {
			err = d.removeDelivered(ctx, src, b)
		}
		if err != nil || !b.more {
			return delivered, err
		}
		if !paced {
			continue
		}
		select {
		case <-ctx.Done():
			return delivered, ctx.Err()
		case <-time.After(min(3*time.Since(began), time.Second)):
		}
	}
}

func (d *Drainer) deliver(ctx context.Context, clicks []book.Click) (int, error) {
	if len(clicks) == 0 {
		return 0, nil
	}
	if d.o.Book != nil {
		return d.o.Book.AddClicks(ctx, clicks)
	}
	return len(clicks), d.o.Stream.Send(ctx, clicks)
}

// removeDelivered deletes a batch that was delivered; what could not be read moves to the table
// "unreadable".
func (d *Drainer) removeDelivered(ctx context.Context, src *spoolReader, b spoolBatch) error {
	remove := func(c *sql.Conn) error {
		for _, seq := range b.unreadable {
			_, err := c.ExecContext(ctx, "INSERT OR IGNORE INTO unreadable (seq, body) SELECT seq, body FROM click WHERE seq = ?", seq)
			if err != nil {
				return err
			}
		}
		_, err := c.ExecContext(ctx, "DELETE FROM click WHERE seq BETWEEN ? AND ?", b.first, b.last)
		return err
	}
	if len(b.unreadable) > 0 {
		d.o.Logger.Error("some spooled clicks cannot be read; they are kept in the spool's table \"unreadable\"",
			"spool", d.o.Spool, "clicks", len(b.unreadable), "first", b.unreadable[0])
	}
	var err error
	if d.o.Recorder != nil {
		err = d.o.Recorder.Do(ctx, remove)
	} else {
		err = src.write(ctx, remove)
	}
	if err != nil {
		return fmt.Errorf("deleting delivered clicks from %s: %w", d.o.Spool, err)
	}
	return nil
}

func (d *Drainer) measure(src *spoolReader) {
	oldest, clicks := src.oldest(context.Background())
	d.backlog.Store(clicks)
	if clicks == 0 {
		d.lag.Store(0)
		return
	}
	d.lag.Store(int64(max(d.o.Now().Sub(oldest), 0)))
}

// maxCounted bounds the waiting clicks that are counted; more are estimated by their numbers.
const maxCounted = 100_000

// spoolReader reads a spool, beside the recorder or in another process.
type spoolReader struct {
	db   *sql.DB
	conn *sql.Conn
	node string
}

// spoolBatch is a run of clicks that lie one behind the other in the spool.
type spoolBatch struct {
	clicks      []book.Click
	unreadable  []int64
	first, last int64 // numbers, both inclusive; last 0: there is nothing
	more        bool
}

// openSpoolReader opens the spool at path without making it; nil when there is none, or none
// that a recorder has finished making.
func openSpoolReader(ctx context.Context, path string) (s *spoolReader, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	fail := func(err error) (*spoolReader, error) {
		return nil, fmt.Errorf("reading the click spool %s: %w", path, err)
	}
	db, err := sql.Open("sqlite", spoolURL(path, "rw", DurabilityNormal, 5*time.Second))
	if err != nil {
		return fail(err)
	}
	s = &spoolReader{db: db}
	if s.conn, err = db.Conn(ctx); err != nil {
		db.Close()
		return fail(err)
	}
	var made int
	if err = s.conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'meta'").Scan(&made); err == nil && made == 1 {
		err = s.conn.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = 'node'").Scan(&s.node)
	}
	if s.node == "" {
		s.close()
		if err == nil || errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		return fail(err)
	}
	return s, nil
}

func (s *spoolReader) close() {
	s.conn.Close()
	s.db.Close()
}

// read returns the oldest clicks that were made before until, at most drainBatch.
func (s *spoolReader) read(ctx context.Context, until time.Time) (b spoolBatch, err error) {
	rows, err := s.conn.QueryContext(ctx, "SELECT seq, body FROM click ORDER BY seq LIMIT ?", drainBatch)
	if err != nil {
		return b, fmt.Errorf("reading the click spool: %w", err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var seq int64
		var body sql.RawBytes
		if err := rows.Scan(&seq, &body); err != nil {
			return b, fmt.Errorf("reading the click spool: %w", err)
		}
		c, err := Decode(body)
		if err != nil {
			b.unreadable = append(b.unreadable, seq)
		} else {
			if c.At.After(until) {
				return b, nil
			}
			c.Node, c.Seq = s.node, seq
			b.clicks = append(b.clicks, c)
		}
		if n++; n == 1 {
			b.first = seq
		}
		b.last = seq
	}
	b.more = n == drainBatch
	return b, rows.Err()
}

func (s *spoolReader) write(ctx context.Context, fn func(*sql.Conn) error) error {
	if _, err := s.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := fn(s.conn)
	if err == nil {
		_, err = s.conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		s.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	}
	return err
}

// oldest is when the oldest spooled click was made, and about how many there are.
func (s *spoolReader) oldest(ctx context.Context) (at time.Time, clicks int64) {
	var first, last sql.NullInt64
	var body []byte
	ends := s.conn.QueryRowContext(ctx, "SELECT (SELECT MIN(seq) FROM click), (SELECT MAX(seq) FROM click)")
	if ends.Scan(&first, &last) != nil || !first.Valid {
		return time.Time{}, 0
	}
	if s.conn.QueryRowContext(ctx, "SELECT body FROM click WHERE seq = ?", first.Int64).Scan(&body) == nil {
		if c, err := Decode(body); err == nil {
			at = c.At
		}
	}
	if clicks = last.Int64 - first.Int64 + 1; clicks > drainBatch {
		// Where the file was opened anew the numbers leap. To count very many takes too long.
		var n int64
		err := s.conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM click LIMIT ?)", maxCounted).Scan(&n)
		if err == nil && n < maxCounted {
			clicks = n
		}
	}
	return at, clicks
}
