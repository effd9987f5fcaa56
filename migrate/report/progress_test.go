package report

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unsafe"
)

// lines is a log without times: what it says is all that matters here.
func lines(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// pipe returns a file that is no terminal, and a function that closes it and returns
// what was written.
func pipe(t *testing.T) (*os.File, func() string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return w, func() string {
		w.Close()
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		return string(b)
	}
}

func TestProgressIntoAPipeIsALineEveryFiveSeconds(t *testing.T) {
	w, written := pipe(t)
	synctest.Test(t, func(t *testing.T) {
		p := New(w, lines(w))
		bar := p.Bar("reading contacts.csv", 1_000_000)
		time.Sleep(time.Second / 2) // so that nothing happens at the instant of a line
		for range 12 {
			bar.Add(1000)
			time.Sleep(time.Second)
		}
		bar.Done()
		bar.Done()

		unknown := p.Bar("counting \x1b[31mred.csv\r", 0)
		unknown.Add(60)
		time.Sleep(6 * time.Second)
		unknown.Done()

		exceeded := p.Bar("exceeded", 10)
		exceeded.Add(50)
		time.Sleep(6 * time.Second)
		exceeded.Done()

		short := p.Bar("short", 10)
		time.Sleep(4 * time.Second)
		short.Done()
		p.Logger().Info("after")
	})
	got := written()
	want := `msg="reading contacts.csv" done=5000 total=1000000 rate=1000
msg="reading contacts.csv" done=10000 total=1000000 rate=1000
msg="counting \\x1b[31mred.csv\\r" done=60 rate=12
msg=exceeded done=50 total=10 rate=10
msg=after
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if i := strings.IndexFunc(got, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }); i >= 0 {
		t.Errorf("a control character %q in %q", got[i], got)
	}
}

func TestProgressWithoutALogIsSilent(t *testing.T) {
	w, written := pipe(t)
	synctest.Test(t, func(t *testing.T) {
		bar := New(w, nil).Bar("reading", 10)
		time.Sleep(time.Minute)
		bar.Done()
	})
	if got := written(); got != "" {
		t.Errorf("wrote %q", got)
	}
}

// terminal opens a pseudo terminal of 80 columns and returns its inner side, and a
// function that closes it and returns what was written to it.
func terminal(t *testing.T) (*os.File, func() string) {
	t.Helper()
	outer, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	control := func(f *os.File, request uintptr, arg unsafe.Pointer) {
		t.Helper()
		raw, err := f.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var errno syscall.Errno
		raw.Control(func(fd uintptr) { _, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(arg)) })
		if errno != 0 {
			t.Fatal(errno)
		}
	}
	var unlock, number int32
	control(outer, syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	control(outer, syscall.TIOCGPTN, unsafe.Pointer(&number))
	inner, err := os.OpenFile("/dev/pts/"+Count(int(number)), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	size := [4]uint16{24, 80}
	control(inner, syscall.TIOCSWINSZ, unsafe.Pointer(&size))

	var all bytes.Buffer
	var reading sync.WaitGroup
	reading.Go(func() { // reading from a terminal that is closed ends with EIO
		if _, err := io.Copy(&all, outer); err != nil && !errors.Is(err, syscall.EIO) {
			t.Error(err)
		}
	})
	return inner, func() string {
		inner.Close()
		reading.Wait()
		outer.Close()
		return all.String()
	}
}

func TestProgressOnATerminalIsABarThatGoesAway(t *testing.T) {
	w, written := terminal(t)
	p := New(w, lines(w))
	log := p.Logger().With("who", "someone").WithGroup("g")
	bar := p.Bar("reading contacts.csv", 20_000)
	time.Sleep(3 * redraw) // the first is drawn before the second starts
	second := p.Bar("waits for its turn", 5)
	for i := range 10 {
		bar.Add(1900)
		time.Sleep(60 * time.Millisecond)
		if i%3 == 2 {
			log.Info("a line meanwhile", "i", i)
		}
	}
	bar.Add(5000) // more than there should be
	time.Sleep(2 * redraw)
	bar.Done()
	second.Add(1)
	time.Sleep(3 * redraw)
	second.Done()
	unknown := p.Bar("counting "+strings.Repeat("long", 30), 0)
	unknown.Add(12345)
	time.Sleep(3 * redraw)
	unknown.Done()
	p.Bar("short", 3).Done()
	got := written()

	for _, want := range []string{"reading contacts.csv 20,000/20,000", "waits for its turn 1/5", "12,345", "█"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q: %q", want, got)
		}
	}
	if strings.Contains(got, "short") {
		t.Errorf("a short step flickers: %q", got)
	}
	// What is left on the screen are the log lines, whole, and nothing of the bars.
	want := []string{`msg="a line meanwhile" who=someone g.i=2`, `msg="a line meanwhile" who=someone g.i=5`,
		`msg="a line meanwhile" who=someone g.i=8`, ""}
	if left := screen(got); strings.Join(left, "\n") != strings.Join(want, "\n") {
		t.Errorf("left on the screen:\n%q\nwant:\n%q", left, want)
	}
	for drawn := range strings.SplitSeq(got, "\r") {
		if n := columns(regexp.MustCompile("\x1b\\[[0-9]*K|\n").ReplaceAllString(drawn, "")); n > 80 {
			t.Errorf("%d columns, which a terminal of 80 breaks: %q", n, drawn)
		}
	}
}

// screen plays what a terminal was sent and returns the lines that are left.
func screen(s string) []string {
	done, line, at := []string{}, []rune{}, 0
	for len(s) > 0 {
		switch {
		case strings.HasPrefix(s, "\x1b[2K"):
			line, s = nil, s[4:]
			continue
		case strings.HasPrefix(s, "\x1b[0K"):
			line, s = line[:min(at, len(line))], s[4:]
			continue
		}
		r := []rune(s)[0]
		s = s[len(string(r)):]
		switch r {
		case '\n':
			done, line, at = append(done, strings.TrimRight(string(line), " ")), nil, 0
		case '\r':
			at = 0
		default:
			for len(line) <= at {
				line = append(line, ' ')
			}
			line[at] = r
			at++
		}
	}
	return append(done, strings.TrimRight(string(line), " "))
}
