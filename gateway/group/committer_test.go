package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errOdd = errors.New("odd")

// store is where the tests commit to: even numbers are stored and answered with their text, odd
// ones are refused one by one.
type store struct {
	*Committer[int, string]
	commits [][]int // the items of each
	late    []Answer[string]
	running atomic.Bool
	began   chan struct{} // a commit has; nil: nobody waits for it
	release chan struct{} // a commit waits for it; nil: none does
}

func newStore(o Options[int, string]) *store { return (&store{}).open(o) }

// newHeldStore is one whose commits begin and end when the test says so.
func newHeldStore(t *testing.T, o Options[int, string]) *store {
	s := (&store{began: make(chan struct{}), release: make(chan struct{})}).open(o)
	t.Cleanup(func() { s.end(t) })
	return s
}

func (s *store) open(o Options[int, string]) *store {
	o.Commit = s.commit
	o.Late = func(answers []Answer[string]) { s.late = append(s.late, answers...) }
	s.Committer = New(o)
	return s
}

// end lets all commits go and closes.
func (s *store) end(t interface{ Error(...any) }) {
	if s.release != nil {
		go func() { // those that still come
			for {
				select {
				case <-s.began:
				case s.release <- struct{}{}:
				case <-s.Done():
					return
				}
			}
		}()
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func (s *store) commit(items []int) []Answer[string] {
	if s.running.Swap(true) {
		panic("two commits at the same time")
	}
	defer s.running.Store(false)
	s.commits = append(s.commits, slices.Clone(items))
	if s.began != nil {
		s.began <- struct{}{}
		<-s.release
	}
	answers := make([]Answer[string], len(items))
	for i, n := range items {
		if answers[i].Result = fmt.Sprint(n); n%2 == 1 {
			answers[i] = Answer[string]{Err: errOdd}
		}
	}
	return answers
}

// submit hands in an item and gives the channel of its answer when it waits.
func (s *store) submit(n int) <-chan Answer[string] {
	answer := make(chan Answer[string], 1)
	before := s.Waiting()
	go func() {
		r, err := s.Submit(context.Background(), n)
		answer <- Answer[string]{r, err}
	}()
	for s.Waiting() == before {
		time.Sleep(10 * time.Microsecond)
	}
	return answer
}

// occupy has n committed, and returns while that goes on.
func (s *store) occupy(n int) <-chan Answer[string] {
	answer := make(chan Answer[string], 1)
	go func() {
		r, err := s.Submit(context.Background(), n)
		answer <- Answer[string]{r, err}
	}()
	<-s.began
	return answer
}

func is(t *testing.T, answer <-chan Answer[string], result string, err error) {
	t.Helper()
	if a := <-answer; a.Result != result || !errors.Is(a.Err, err) {
		t.Errorf("%q, %v; want %q, %v", a.Result, a.Err, result, err)
	}
}

// However many submit whatever, and whenever everybody is sent away: each item has one answer,
// its own; what was answered was committed once, what was refused never; each submitter's items
// are committed in its order; no batch is too large; and the end leaves nothing behind.
func TestEveryItemIsAnsweredOnce(t *testing.T) {
	errAway := errors.New("sent away")
	rapid.Check(t, func(t *rapid.T) {
		o := Options[int, string]{MaxBatch: rapid.IntRange(0, 5).Draw(t, "max batch"), MaxWaiting: rapid.IntRange(0, 6).Draw(t, "max waiting")}
		submitters, each := rapid.IntRange(1, 8).Draw(t, "submitters"), rapid.IntRange(1, 30).Draw(t, "items of each")
		fails := rapid.IntRange(0, 3).Draw(t, "fails")
		closeAfter := rapid.IntRange(0, submitters*each).Draw(t, "close after")
		s := newStore(o)
		var mu sync.Mutex
		answered := map[int]error{}
		var wg sync.WaitGroup
		for who := range submitters {
			wg.Go(func() {
				for i := range each {
					n := who*1000 + i
					r, err := s.Submit(context.Background(), n)
					mu.Lock()
					if _, twice := answered[n]; twice || err == nil && r != fmt.Sprint(n) || err != nil && r != "" || errors.Is(err, errOdd) && n%2 == 0 {
						t.Errorf("%d: %q, %v, twice %v", n, r, err, twice)
					}
					answered[n] = err
					over := len(answered) == closeAfter
					mu.Unlock()
					if over {
						wg.Go(func() { s.Close(context.Background()) })
					}
				}
			})
		}
		for range fails {
			s.Fail(errAway)
			time.Sleep(50 * time.Microsecond)
		}
		wg.Wait()
		s.end(t)
		if len(answered) != submitters*each || s.Waiting() != 0 {
			t.Fatalf("%d of %d answered, %d wait", len(answered), submitters*each, s.Waiting())
		}
		times, last := map[int]int{}, map[int]int{}
		for _, b := range s.commits {
			if len(b) == 0 || o.MaxBatch > 0 && len(b) > o.MaxBatch {
				t.Errorf("a batch of %d", len(b))
			}
			for _, n := range b {
				times[n]++
				if before, ok := last[n/1000]; ok && n <= before {
					t.Errorf("%d after %d", n, before)
				}
				last[n/1000] = n
			}
		}
		away := 0
		for n, err := range answered {
			stored := err == nil || errors.Is(err, errOdd)
			refused := errors.Is(err, ErrBusy) || errors.Is(err, ErrClosed)
			if stored && times[n] != 1 || refused && times[n] != 0 || times[n] > 1 || !stored && !refused && !errors.Is(err, errAway) {
				t.Errorf("%d was committed %d times and answered %v", n, times[n], err)
			}
			if errors.Is(err, errAway) && times[n] == 1 {
				away++
			}
			if o.MaxWaiting == 0 && errors.Is(err, ErrBusy) {
				t.Errorf("%d was refused without a bound", n)
			}
		}
		if away != len(s.late) {
			t.Errorf("%d were committed after their answer, %d are late", away, len(s.late))
		}
	})
}

// What comes while a commit lasts is committed next, in its order, in batches of the most that
// one takes.
func TestOrderAndBatches(t *testing.T) {
	s := newHeldStore(t, Options[int, string]{MaxBatch: 3})
	answers := []<-chan Answer[string]{s.occupy(0)}
	for n := 1; n <= 7; n++ {
		answers = append(answers, s.submit(n))
	}
	s.release <- struct{}{}
	for range 3 {
		<-s.began
		s.release <- struct{}{}
	}
	for n, answer := range answers {
		if n%2 == 1 {
			is(t, answer, "", errOdd)
		} else {
			is(t, answer, fmt.Sprint(n), nil)
		}
	}
	if got := fmt.Sprint(s.commits); got != "[[0] [1 2 3] [4 5 6] [7]]" {
		t.Errorf("%s", got)
	}
}

// The end commits what waits, refuses what comes after it, and may be waited for more than once.
func TestClose(t *testing.T) {
	s := newHeldStore(t, Options[int, string]{})
	first := s.occupy(0)
	second := s.submit(2)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if _, err := s.Submit(t.Context(), 4); !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	if s.Do(func() { t.Error("a task ran that was refused") }) {
		t.Error("a task was taken after the end")
	}
	s.release <- struct{}{}
	<-s.began
	s.release <- struct{}{}
	for range 2 {
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	is(t, first, "0", nil)
	is(t, second, "2", nil)
}

// Close finds what waits although nobody was woken for it.
func TestCloseWithoutASignal(t *testing.T) {
	s := newStore(Options[int, string]{})
	s.mu.Lock()
	b := &batch[int, string]{items: []int{8}, done: make(chan struct{})}
	s.batches, s.waiting = append(s.batches, b), 1
	s.mu.Unlock()
	s.end(t)
	select {
	case <-b.done:
		if b.answers[0].Result != "8" {
			t.Errorf("%+v", b.answers)
		}
	default:
		t.Error("an item that waited was forgotten")
	}
}

// Everybody who waits is sent away at once; what was being committed ends up late, the rest is
// never committed, and whoever comes afterwards is served.
func TestFail(t *testing.T) {
	s := newHeldStore(t, Options[int, string]{})
	errSlow := errors.New("slow")
	committing := s.occupy(0)
	waiting := []<-chan Answer[string]{s.submit(2), s.submit(4)}
	s.Fail(errSlow)
	is(t, committing, "", errSlow)
	for _, answer := range waiting {
		is(t, answer, "", errSlow)
	}
	next := s.submit(6)
	s.release <- struct{}{}
	<-s.began
	s.release <- struct{}{}
	is(t, next, "6", nil)
	s.end(t)
	s.Fail(errSlow) // nobody waits
	if got := fmt.Sprint(s.commits, s.late); got != "[[0] [6]] [{0 <nil>}]" {
		t.Errorf("%s", got)
	}
}

// Tasks are done between two commits, in their order.
func TestDo(t *testing.T) {
	s := newHeldStore(t, Options[int, string]{})
	first := s.occupy(0)
	var did []string
	for _, name := range []string{"a", "b"} {
		if !s.Do(func() { did = append(did, fmt.Sprintf("%s after %d", name, len(s.commits))) }) {
			t.Error("refused")
		}
	}
	second := s.submit(2)
	s.release <- struct{}{}
	<-s.began
	s.release <- struct{}{}
	is(t, first, "0", nil)
	is(t, second, "2", nil)
	s.end(t)
	if got := fmt.Sprint(did); got != "[a after 2 b after 2]" {
		t.Errorf("%s", got)
	}
}

// Whoever gives up waiting is let go, and its item is committed all the same.
func TestGivingUp(t *testing.T) {
	s := newHeldStore(t, Options[int, string]{MaxWaiting: 2})
	first := s.occupy(0)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, n := range []int{2, 4} {
		if _, err := s.Submit(gone, n); !errors.Is(err, context.Canceled) {
			t.Errorf("%d: %v", n, err)
		}
	}
	if _, err := s.Submit(t.Context(), 6); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	s.release <- struct{}{}
	<-s.began
	last := s.submit(8) // there is room again
	s.release <- struct{}{}
	<-s.began
	s.release <- struct{}{}
	is(t, first, "0", nil)
	is(t, last, "8", nil)
	if got := fmt.Sprint(s.commits); got != "[[0] [2 4] [8]]" {
		t.Errorf("%s", got)
	}
}
