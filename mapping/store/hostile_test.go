package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"carryover/mapping"
	"carryover/mapping/store"
	"carryover/mapping/store/storetest"
)

// liar stands before a real Redis and answers some commands by itself.
type liar struct {
	t        *testing.T
	listener net.Listener
	truth    *redis.Client
	lie      func(command []string, w io.Writer) bool // false: the real Redis answers
	asked    atomic.Int64                             // commands, those of a connection's beginning left out
	wg       sync.WaitGroup
}

// startLiar answers in the place of the Redis at url.
func startLiar(t *testing.T, url string, lie func(command []string, w io.Writer) bool) *liar {
	t.Helper()
	opt, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	opt.Protocol = 2
	l := &liar{t: t, truth: redis.NewClient(opt), lie: lie}
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	l.wg.Go(func() {
		for {
			conn, err := l.listener.Accept()
			if err != nil {
				return
			}
			l.wg.Go(func() { l.serve(conn) })
		}
	})
	t.Cleanup(func() { l.listener.Close(); l.wg.Wait(); l.truth.Close() })
	return l
}

func (l *liar) url() string { return "redis://" + l.listener.Addr().String() }

func (l *liar) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		command, err := readCommand(in)
		if err != nil {
			return
		}
		switch name := strings.ToLower(command[0]); {
		case name == "hello":
			io.WriteString(conn, "-ERR unknown command\r\n")
			continue
		case name == "client":
			io.WriteString(conn, "+OK\r\n")
			continue
		}
		l.asked.Add(1)
		if l.lie(command, conn) {
			continue
		}
		args := make([]any, len(command))
		for i := range command {
			args[i] = command[i]
		}
		raw := redis.NewRawCmd(context.Background(), args...)
		if err := l.truth.Process(context.Background(), raw); err != nil {
			return
		}
		if _, err := conn.Write(raw.Val()); err != nil {
			return
		}
	}
}

func readCommand(in *bufio.Reader) ([]string, error) {
	number := func() (int, error) {
		line, err := in.ReadString('\n')
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(strings.TrimSpace(line[1:]))
	}
	n, err := number()
	command := make([]string, n)
	for i := 0; i < n && err == nil; i++ {
		var size int
		if size, err = number(); err == nil {
			text := make([]byte, size+2)
			_, err = io.ReadFull(in, text)
			command[i] = string(text[:size])
		}
	}
	return command, err
}

// answer is the lie that gives text to one command.
func answer(name, text string) func([]string, io.Writer) bool {
	return func(command []string, w io.Writer) bool {
		if !strings.EqualFold(command[0], name) {
			return false
		}
		io.WriteString(w, text)
		return true
	}
}

// endless is the lie that answers one command with text for ever.
func endless(name, head, text string) func([]string, io.Writer) bool {
	return func(command []string, w io.Writer) bool {
		if !strings.EqualFold(command[0], name) {
			return false
		}
		io.WriteString(w, head)
		block := strings.Repeat(text, 1+(1<<16)/len(text))
		for {
			if _, err := io.WriteString(w, block); err != nil {
				return true
			}
		}
	}
}

// A Redis that is broken or hostile costs an error that says what it is: no memory, no process,
// and no more than a deadline of time.
func TestHostileRedis(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	e := publish(t, openRedis(t, url), bigMap(1, 100))
	f := func(what string, lie func([]string, io.Writer) bool, want error, words string) {
		t.Run(what, func(t *testing.T) {
			s := openRedis(t, startLiar(t, url, lie).url())
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			m, _, err := s.Load(ctx)
			runtime.ReadMemStats(&after)
			if m != nil || err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), words) {
				t.Errorf("%v, want %v with %q", err, want, words)
			}
			if ctx.Err() != nil {
				t.Errorf("it took 30 seconds: %v", err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 300<<20 {
				t.Errorf("it used %d MB", used>>20)
			}
		})
	}
	// Lengths, for every kind of thing that is asked.
	for _, name := range []string{"ping", "get", "hmget", "hlen", "hscan"} {
		f(name+": a string of 2^63-1 bytes", answer(name, "$9223372036854775807\r\n"), store.ErrReply, "a string of 9223372036854775807 bytes")
		f(name+": an array of 2 billion", answer(name, "*2000000000\r\n"), store.ErrReply, "an array of 2000000000 elements")
	}
	f("a string of 2^63 bytes", answer("get", "$9223372036854775808\r\n"), store.ErrReply, "a string of")
	f("a string of more digits than any number", answer("get", "$"+strings.Repeat("9", 400)+"\r\n"), store.ErrReply, "a string of")
	f("a string of 2 GB", answer("get", "$2147483648\r\n"), store.ErrReply, "a string of 2147483648 bytes")
	f("a string of -5 bytes", answer("get", "$-5\r\n"), store.ErrReply, `a length of "-5"`)
	f("a string of 1e3 bytes", answer("get", "$1e3\r\n"), store.ErrReply, `a length of "1e3"`)
	f("a length of nothing", answer("get", "$\r\n"), store.ErrReply, "")
	f("an array of -7", answer("hmget", "*-7\r\n"), store.ErrReply, "a length of")
	f("many large arrays in one", answer("hscan", "*2\r\n"+strings.Repeat("*200000\r\n", 2)), store.ErrReply, "elements")
	f("arrays in arrays", answer("hmget", strings.Repeat("*1\r\n", 100000)), store.ErrReply, "more than 8 deep")
	f("arrays in arrays for ever", endless("hscan", "", "*2\r\n"), store.ErrReply, "more than 8 deep")
	f("a line for ever", endless("get", "+", "a"), store.ErrReply, "a line of more than")
	f("strings for ever", endless("hscan", "*200000\r\n", "$4000000\r\n"+strings.Repeat("x", 4000000)+"\r\n"), store.ErrReply, "more than 33554432 bytes")
	for _, kind := range []string{"%2000000000", "~2000000000", ">2000000000", "|0", "=9000000000", "!9000000000", "(1", ",1", "#t", "_", "?"} {
		f("RESP 3: "+kind, answer("hmget", kind+"\r\n"), store.ErrReply, "this is no Redis")
	}
	f("RESP 3 attributes for ever", endless("get", "", "|0\r\n"), store.ErrReply, "this is no Redis")
	f("a web server", answer("ping", "HTTP/1.1 400 Bad Request\r\n\r\n"), store.ErrReply, "this is no Redis")
	f("a mail server", answer("ping", "220 mail.test ESMTP\r\n"), store.ErrReply, "this is no Redis")
	f("nothing but line ends", endless("ping", "", "\n"), store.ErrReply, "this is no Redis")

	// Answers of the right form that mean nothing.
	f("an end in the middle", func(command []string, w io.Writer) bool {
		if command[0] == "hscan" {
			io.WriteString(w, "*2\r\n$1\r\n0\r\n*2\r\n$100\r\nabc")
			w.(net.Conn).Close()
		}
		return command[0] == "hscan"
	}, nil, "does not answer")
	f("current is a word", answer("get", "$3\r\nabc\r\n"), store.ErrChecksum, `is "abc", which is no epoch`)
	f("current is a command of a terminal", answer("get", "$8\r\n\x1b[2J\x071\r\n\r\n"), store.ErrChecksum, `\x1b[2J`)
	for _, odd := range []string{"", "-1", "0", "01", "+1", "1 ", "1.0", "99999999999999999999", "1\n"} {
		f(fmt.Sprintf("current is %q", odd), answer("get", fmt.Sprintf("$%d\r\n%s\r\n", len(odd), odd)), store.ErrChecksum, "which is no epoch")
	}
	f("current is an epoch that is not there", answer("get", "$19\r\n9223372036854775807\r\n"), store.ErrChecksum, "it is the live one")
	f("current is a list", answer("get", "-WRONGTYPE Operation against a key\r\n"), store.ErrChecksum, "of another type")
	f("meta is a list", answer("hmget", "-WRONGTYPE Operation against a key\r\n"), store.ErrChecksum, "of another type")
	f("a table is a list", answer("hscan", "-WRONGTYPE Operation against a key\r\n"), store.ErrChecksum, "of another type")
	for _, name := range []string{"get", "hmget", "hscan"} { // what is a number is not taken for a length
		f(name+": a number", answer(name, ":7\r\n"), nil, "")
		f(name+": a large number", answer(name, ":9223372036854775807\r\n"), nil, "")
		f(name+": a status that is a number", answer(name, "+9223372036854775807\r\n"), nil, "")
	}
	f("meta is too long", answer("hmget", "*20\r\n"+strings.Repeat("$1\r\n7\r\n", 20)), store.ErrReply, "20 values")
	f("the tables have another size", answer("hlen", ":2000000000\r\n"), store.ErrChecksum, "2000000000 instead of")
	f("a scan of numbers", answer("hscan", "*2\r\n:0\r\n:0\r\n"), store.ErrReply, "")
	f("a scan of one thing", answer("hscan", "*1\r\n$1\r\n0\r\n"), nil, "")
	f("a scan of an odd number", answer("hscan", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n"), store.ErrReply, "")
	f("a scan that never ends", answer("hscan", "*2\r\n$1\r\n7\r\n*0\r\n"), store.ErrReply, "does not end")
	page := "*2\r\n$1\r\n7\r\n*2000\r\n" + strings.Repeat("$1\r\na\r\n$2000\r\n"+strings.Repeat("x", 2000)+"\r\n", 1000)
	f("a scan that never ends and brings much", answer("hscan", page), store.ErrReply, "does not end")
	f("entries of another map", answer("hscan", "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$2\r\n{}\r\n"), store.ErrChecksum, "")

	// What says too much of itself is not made room for: this meta is not signed, as none that an
	// attacker makes is.
	raw, ctx := rawClient(t, url), context.Background()
	unsigned, err := store.OpenRedis(url, "carrot")
	if err != nil {
		t.Fatal(err)
	}
	defer unsigned.Close()
	for field, value := range map[string]string{
		"partners": "9223372036854775807", "links": "-1", "ids": "1e9", "paths": "", "bytes": "9223372036854775807", "checksum": "\x1b[31m",
		"plan_id": "\x1b]0;owned\x07", "published_at": "yesterday\x1b[2J", "policy": strings.Repeat("[", 1<<20),
	} {
		good, err := raw.HGet(ctx, tableKey(e.ID, "meta"), field).Result()
		if err != nil {
			t.Fatal(err)
		}
		raw.HSet(ctx, tableKey(e.ID, "meta"), field, value)
		if _, _, err := unsigned.Load(ctx); !errors.Is(err, store.ErrChecksum) || strings.ContainsAny(err.Error(), "\x1b\x07") || len(err.Error()) > 1000 {
			t.Errorf("meta with %s = %.40q: %.2000q", field, value, fmt.Sprint(err))
		}
		raw.HSet(ctx, tableKey(e.ID, "meta"), field, good)
	}
	raw.HSet(ctx, tableKey(e.ID, "meta"), "junk", strings.Repeat("x", 8<<20)) // is not asked for
	if _, _, err := unsigned.Load(ctx); err != nil {
		t.Error(err)
	}
}

// A server that knows no AUTH repeats what it was sent; no error of ours does.
func TestPasswordIsNotRepeated(t *testing.T) {
	const password = "s3cr3t-of-the-redis"
	url, _ := storetest.StartRedis(t)
	for _, name := range []string{"auth", "ping"} {
		l := startLiar(t, url, func(command []string, w io.Writer) bool {
			if command[0] != name {
				return command[0] == "auth" && answer("auth", "+OK\r\n")(command, w)
			}
			fmt.Fprintf(w, "-ERR unknown command, with args beginning with: '%s' '%[1]s'\r\n", password)
			return true
		})
		s := openRedis(t, strings.Replace(l.url(), "redis://", "redis://user:"+password+"@", 1))
		err := s.Ping(context.Background())
		if err == nil || strings.Contains(err.Error(), password) || !strings.Contains(err.Error(), "beginning with: '****") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An answer that trickles in is waited for no longer than the deadline says.
func TestTricklingRedis(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	publish(t, openRedis(t, url), bigMap(1, 10))
	for _, name := range []string{"ping", "hscan"} {
		s := openRedis(t, startLiar(t, url, func(command []string, w io.Writer) bool {
			if command[0] != name {
				return false
			}
			for tick := range time.Tick(20 * time.Millisecond) {
				_ = tick
				if _, err := io.WriteString(w, "*"); err != nil {
					return true
				}
			}
			return true
		}).url())
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		began := time.Now()
		_, _, err := s.Load(ctx)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 20*time.Second {
			t.Errorf("%s: after %v: %v", name, time.Since(began), err)
		}
	}
}

// Who floods the channel of changes makes a gateway ask a few times a second, and no more.
func TestFloodedChannel(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	first := storetest.Publish(t, openRedis(t, url), 1)
	message := fmt.Sprintf("*3\r\n$7\r\nmessage\r\n$%d\r\n%schanged\r\n$1\r\n9\r\n", len(prefix)+7, prefix)
	l := startLiar(t, url, endless("subscribe", fmt.Sprintf("*3\r\n$9\r\nsubscribe\r\n$%d\r\n%schanged\r\n:1\r\n", len(prefix)+7, prefix), message))
	f := storetest.Follow(t, openRedis(t, l.url()), 0)
	f.Expect(first.ID)
	before, began := l.asked.Load(), time.Now()
	<-time.After(time.Second)
	asked := float64(l.asked.Load()-before) / time.Since(began).Seconds()
	if asked > 300 { // two commands for each of 50 polls and 20 messages
		t.Errorf("it asked %.0f times a second", asked)
	}
	second := storetest.Publish(t, openRedis(t, url), 2)
	f.Expect(second.ID)
	f.End()
}

// What somebody else wrote below the program's names is told as what it is, and publishing mends
// what it can.
func TestOddKeysInRedis(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	s, raw, ctx := openRedis(t, url), rawClient(t, url), context.Background()
	version := 0
	publishes := func(what string) {
		t.Helper()
		version++
		e, _, err := s.Publish(ctx, bigMap(version, 5), "", nil)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			return
		}
		if _, got, err := s.Load(ctx); err != nil || got.ID != e.ID {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
	says := func(what string, err error, words string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, want %q", what, err, words)
		}
	}
	publishes("the first")
	for _, current := range []string{"abc", "9223372036854775807", "-3"} {
		raw.Set(ctx, prefix+"current", current, 0)
		_, _, err := s.Load(ctx)
		if words := "epoch 9223372036854775807: no such epoch is kept, though it is the live one"; current[0] == '9' {
			says(current, err, words)
		} else {
			says(current, err, "stands something other than a carryover writes: "+prefix+"current is \""+current+"\", which is no epoch; "+
				"\"carryover map publish\" mends it")
		}
		publishes("current is " + current)
	}
	raw.Del(ctx, prefix+"current")
	raw.LPush(ctx, prefix+"current", "x")
	_, _, err := s.Load(ctx)
	says("current is a list", err, prefix+"current is of another type")
	publishes("current is a list")

	raw.ZAdd(ctx, prefix+"epochs", redis.Z{Score: 1e6, Member: "\x1b[2J"}, redis.Z{Score: 1e6, Member: "007"})
	_, err = s.Epochs(ctx)
	says("odd names", err, "which is no epoch")
	if strings.Contains(fmt.Sprint(err), "\x1b") {
		t.Errorf("%q", err)
	}
	publishes("odd names")
	raw.ZRem(ctx, prefix+"epochs", "\x1b[2J", "007")

	for _, next := range []string{"abc", "9223372036854775807"} {
		raw.Set(ctx, prefix+"next", next, 0)
		_, _, err = s.Publish(ctx, bigMap(100, 5), "", nil)
		says("next is "+next, err, prefix+"next does not count")
		raw.Del(ctx, prefix+"next")
		publishes("next is gone")
	}
	raw.Del(ctx, prefix+"epochs")
	raw.Set(ctx, prefix+"epochs", "x", 0)
	_, _, err = s.Publish(ctx, bigMap(101, 5), "", nil)
	says("epochs is a string", err, prefix+"epochs is of another type")
	raw.Del(ctx, prefix+"epochs")
	publishes("epochs is gone")
	_, live, err := s.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	raw.Del(ctx, tableKey(live.ID, "partners"))
	raw.Set(ctx, tableKey(live.ID, "partners"), "x", 0)
	_, _, err = s.Load(ctx)
	says("a table is a string", err, "of another type")
	publishes("a table is a string")
}

// An entry that no store could give back is refused before it is published.
func TestEntryIsTooLarge(t *testing.T) {
	url, _ := storetest.StartRedis(t)
	s := openRedis(t, url)
	m := bigMap(1, 5)
	m.Links = []mapping.Link{{Code: "long", Destination: "https://carrot.test/?" + strings.Repeat("x", 1<<20)}}
	if _, _, err := s.Publish(context.Background(), m, "", nil); err == nil || !strings.Contains(err.Error(), "hold an entry of") {
		t.Errorf("%.200v", err)
	}
	m.Links = nil
	for i := range 100 { // large ones that are allowed come back, a few at a time
		m.Links = append(m.Links, mapping.Link{Code: strconv.Itoa(i), Destination: "https://carrot.test/?" + strings.Repeat("x", 300<<10)})
	}
	publish(t, s, m)
	if got, _, err := s.Load(context.Background()); err != nil || len(got.Links) != 100 {
		t.Errorf("%v", err)
	}
}
