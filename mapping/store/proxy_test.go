package store_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy passes connections on until limit bytes were sent to the server, then cuts them
// all and takes no more: the network's view of a publisher that was killed.
type proxy struct {
	listener net.Listener
	target   string
	limit    int64 // below 0: none
	sent     atomic.Int64

	mu    sync.Mutex
	conns []net.Conn
	wg    sync.WaitGroup
}

func startProxy(t *testing.T, target string, limit int64) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target, limit: limit}
	p.wg.Go(p.serve)
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) serve() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.target)
		if err != nil {
			in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		p.wg.Go(func() {
			io.Copy(in, out)
			in.Close()
		})
		p.wg.Go(func() {
			p.send(out, in)
			out.Close()
		})
	}
}

// send copies what the client sends and cuts within the limit, also inside a command.
func (p *proxy) send(out, in net.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := in.Read(buf)
		if err != nil {
			return
		}
		total := p.sent.Add(int64(n))
		if p.limit >= 0 && total > p.limit {
			out.Write(buf[:max(0, int64(n)-(total-p.limit))])
			p.cut()
			return
		}
		if _, err := out.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) cut() {
	p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
}

func (p *proxy) close() {
	p.cut()
	p.wg.Wait()
}
