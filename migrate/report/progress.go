package report

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"carryover/migrate"
)

const (
	redraw = 100 * time.Millisecond // on a terminal; a shorter step draws nothing
	relate = 5 * time.Second        // elsewhere; a shorter step logs nothing
)

// Progress shows how far a step is: a bar on a terminal, a log line every five seconds
// elsewhere. One bar is shown at a time; a step that starts while another is shown waits
// for its turn. A total that is not known, or is exceeded, is no error.
type Progress struct {
	w   *os.File // nil: no terminal
	log *slog.Logger

	mu    sync.Mutex // guards the terminal's line
	shown *step
}

var _ migrate.Progress = (*Progress)(nil)

// New shows progress on w when that is a terminal, and in log when it is not. Whoever
// logs to the same terminal takes [Progress.Logger].
func New(w *os.File, log *slog.Logger) *Progress {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := &Progress{log: log}
	if w != nil && term.IsTerminal(int(w.Fd())) {
		p.w = w
	}
	return p
}

// Bar starts a step. Until its Done a goroutine shows it.
func (p *Progress) Bar(label string, total int64) migrate.Bar {
	s := &step{progress: p, label: clip(visible(label), 40), total: max(total, 0), start: time.Now(), stop: make(chan struct{}),
		stopped: make(chan struct{})}
	go s.run()
	return s
}

// step is one step under way.
type step struct {
	progress *Progress
	label    string
	total    int64 // 0: not known
	start    time.Time
	done     atomic.Int64
	bar      *progressbar.ProgressBar // made when it is first drawn

	once    sync.Once
	stop    chan struct{}
	stopped chan struct{}
}

// Add moves the step on. Drawing is left to the step's goroutine, so this costs one
// atomic addition.
func (s *step) Add(n int64) { s.done.Add(n) }

// Done ends the step and takes its bar away: the closing table says what came of it.
// A second call does nothing.
func (s *step) Done() {
	s.once.Do(func() {
		close(s.stop)
		<-s.stopped
		s.progress.remove(s)
	})
}

func (s *step) run() {
	defer close(s.stopped)
	every, show := relate, s.logProgress
	if s.progress.w != nil {
		every, show = redraw, s.draw
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
			show()
		}
	}
}

// logProgress logs how far the step is.
func (s *step) logProgress() {
	done := s.done.Load()
	attrs := []slog.Attr{slog.Int64("done", done)}
	if s.total > 0 {
		attrs = append(attrs, slog.Int64("total", s.total))
	}
	rate := math.Round(float64(done) / time.Since(s.start).Seconds())
	s.progress.log.LogAttrs(context.Background(), slog.LevelInfo, s.label, append(attrs, slog.Int64("rate", int64(rate)))...)
}

// draw renders the bar, if it is this step's turn.
func (s *step) draw() {
	p := s.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown == nil {
		p.shown = s
	}
	if p.shown != s {
		return
	}
	if s.bar == nil {
		s.bar = s.newBar()
	}
	done := s.done.Load()
	text, at := s.label+" "+Count(done), done
	if s.total > 0 {
		text = fmt.Sprintf("%s %s/%s", s.label, Count(min(done, s.total)), Count(s.total))
		at = min(done, s.total-1) // at its maximum a bar takes itself for finished and draws no more
	}
	s.bar.Set64(at) // the errors of a bar are those of the terminal: nothing waits on them
	s.bar.Describe(text)
}

func (s *step) newBar() *progressbar.ProgressBar {
	most := s.total
	if most == 0 {
		most = -1 // not known: a spinner; a maximum of 0 is an error to progressbar
	}
	return progressbar.NewOptions64(most,
		progressbar.OptionSetWriter(s.progress.w),
		progressbar.OptionSetDescription(s.label),
		progressbar.OptionUseANSICodes(true), // clears to the end of the line: no flicker
		progressbar.OptionSetWidth(24),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionSetSpinnerChangeInterval(0), // it would draw from a goroutine of its own
	)
}

// remove takes the bar of a step off the line, if it is there.
func (p *Progress) remove(s *step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown == s {
		p.clear()
		p.shown = nil
	}
}

// clear empties the line of the bar. The mutex is held.
func (p *Progress) clear() {
	if p.shown != nil && p.shown.bar != nil {
		p.shown.bar.Clear()
	}
}

// Logger is the log of this progress for everyone else: each line takes the bar away
// before it is written, and the bar comes back below it.
func (p *Progress) Logger() *slog.Logger {
	if p.w == nil {
		return p.log
	}
	return slog.New(handler{p.log.Handler(), p})
}

// handler writes log lines between two drawings of a bar.
type handler struct {
	slog.Handler
	progress *Progress
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	h.progress.mu.Lock()
	defer h.progress.mu.Unlock()
	h.progress.clear()
	return h.Handler.Handle(ctx, r)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs), h.progress}
}

func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.progress}
}
