package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"
)

// server is an address and the application that answers there.
type server struct {
	app      *fiber.App
	listener net.Listener
	addr     atomic.Pointer[string] // read while Run is starting, too
}

// listen takes the address, which has a port from then on.
func (s *server) listen(address string) (err error) {
	if s.listener, err = net.Listen("tcp", address); err == nil {
		s.addr.Store(new(s.listener.Addr().String()))
	}
	return err
}

// serve answers until the server is shut.
func (s *server) serve() error {
	if err := s.app.Listener(s.listener); err != nil {
		return fmt.Errorf("gateway: serving %s: %w", s.listener.Addr(), err)
	}
	return nil
}

// shutDown closes the listener and waits for the requests that came over it.
func (s *server) shutDown(ctx context.Context) error {
	if s == nil || s.listener == nil {
		return nil
	}
	var err error
	if s.app != nil {
		err = s.app.ShutdownWithContext(ctx)
	}
	s.listener.Close() // also when it was never served
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("gateway: finishing requests: %w", err)
	}
	return nil
}

// address is where the server listens; empty before it does, and for no server.
func (s *server) address() string {
	if s == nil {
		return ""
	}
	if addr := s.addr.Load(); addr != nil {
		return *addr
	}
	return ""
}
