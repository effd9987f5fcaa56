package storetest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// RedisServer is a redis-server of one test: on a free port of the loopback, with a
// folder of its own, ended by its process id when the test ends.
type RedisServer struct {
	t      testing.TB
	port   int
	dir    string
	args   []string
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd was waited for
}

// StartRedis starts a redis-server and returns its URL. It keeps what it holds over Stop
// and Restart. args are added to its command line ("--requirepass", "secret"). A machine
// without redis-server fails the test.
func StartRedis(t testing.TB, args ...string) (url string, r *RedisServer) {
	t.Helper()
	r = &RedisServer{t: t, dir: t.TempDir(), args: args}
	t.Cleanup(r.end)
	var err error
	// Another process may take the port between the choice and its use.
	for range 5 {
		r.port = freePort(t)
		if err = r.start(); err == nil {
			return r.URL(), r
		}
	}
	t.Fatal(err)
	return "", nil
}

// URL is where the server listens, without any password.
func (r *RedisServer) URL() string { return "redis://" + r.Addr() + "/0" }

// Addr is its host and port.
func (r *RedisServer) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)) }

// Stop ends the server in an orderly way; what it holds is saved for Restart.
func (r *RedisServer) Stop() {
	r.t.Helper()
	r.signal(syscall.SIGCONT)
	r.signal(syscall.SIGTERM)
	r.wait()
}

// Kill ends the server at once. A Restart begins with what the last Stop saved.
func (r *RedisServer) Kill() {
	r.t.Helper()
	r.signal(syscall.SIGKILL)
	r.wait()
}

// Restart starts the stopped server again, on the same port.
func (r *RedisServer) Restart() {
	r.t.Helper()
	if err := r.start(); err != nil {
		r.t.Fatal(err)
	}
}

// Pause makes the server hang: connections are taken, nothing is answered.
func (r *RedisServer) Pause() {
	r.t.Helper()
	r.signal(syscall.SIGSTOP)
}

// Resume ends a Pause.
func (r *RedisServer) Resume() {
	r.t.Helper()
	r.signal(syscall.SIGCONT)
}

func (r *RedisServer) start() error {
	logName := filepath.Join(r.dir, "redis.log")
	// A save point that is never reached makes an orderly end save, and nothing else.
	args := append([]string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(r.port), "--dir", r.dir, "--logfile", logName,
		"--daemonize", "no", "--save", "86400 1000000000", "--appendonly", "no",
	}, r.args...)
	cmd := exec.Command("redis-server", args...)
	// The server ends with the test process, however that ends.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("redis-server cannot be started: %w (install it: apt-get install redis-server)", err)
	}
	exited := make(chan struct{})
	go func() {
		cmd.Wait()
		close(exited)
	}()
	r.cmd, r.exited = cmd, exited
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		select {
		case <-exited:
			log, _ := os.ReadFile(logName)
			r.cmd = nil
			return fmt.Errorf("redis-server ended at once: %s", log)
		default:
		}
		if r.answers() {
			return nil
		}
	}
	return fmt.Errorf("redis-server on port %d does not answer", r.port)
}

// answers says whether the server has loaded its data and takes commands.
func (r *RedisServer) answers() bool {
	conn, err := net.DialTimeout("tcp", r.Addr(), time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.HasPrefix(line, "+PONG") || strings.HasPrefix(line, "-NOAUTH")
}

func (r *RedisServer) signal(s syscall.Signal) {
	r.t.Helper()
	if r.cmd == nil {
		r.t.Fatal("the redis-server is not running")
	}
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatalf("redis-server: %v", err)
	}
}

func (r *RedisServer) wait() {
	r.t.Helper()
	select {
	case <-r.exited:
		r.cmd = nil
	case <-time.After(30 * time.Second):
		r.t.Fatal("the redis-server does not end")
	}
}

func (r *RedisServer) end() {
	if r.cmd != nil {
		r.cmd.Process.Kill()
		<-r.exited
		r.cmd = nil
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
