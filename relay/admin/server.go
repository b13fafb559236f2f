package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"lull/store"
)

// SocketName is the socket's name in the state folder.
const SocketName = "lull.sock"

// Store is what the operators' commands need of a store.
type Store interface {
	store.Reads
	Operate(ctx context.Context, o store.Operate) (store.Operation, error)
	Undo(ctx context.Context, u store.Undo) (store.Operation, error)
}

// Previewer composes what a reader's digest would be now, as a mail with its
// header. Nothing is cut and no slot is taken. store.ErrNothing: it is empty.
type Previewer interface {
	Preview(ctx context.Context, reader string, now time.Time) (mail []byte, err error)
}

// Forecaster tells what each reader gets if nothing changes; reader "" is all.
type Forecaster interface {
	Forecast(ctx context.Context, reader string, now time.Time) ([]Forecast, error)
}

// Sender sends a reader's digest now. It takes a slot: store.ErrNoSlot when
// none is free.
type Sender interface {
	SendNow(ctx context.Context, reader string, now time.Time) (Sent, error)
}

// Config is what a server needs to know, and to call.
type Config struct {
	Store      Store
	Previewer  Previewer
	Forecaster Forecaster
	Sender     Sender
	Importer   Importer
	// Explain tells the steps that gave a message its signature.
	Explain func(body []byte) []string
	// Live is asked for each status.
	Live func() Live
	// Wake is called after an operation, so that what is due is looked at anew.
	Wake func()
	// Event, if set, is told of each request that changed something, and of
	// each that failed by a fault of ours.
	Event func(Event)
	Term  uint64
}

// Event is one request worth a line in the log.
type Event struct {
	Request   string
	By        string
	Operation string
	Copies    int
	Err       error
}

// Server answers the operators' commands.
type Server struct {
	cfg  Config
	http *http.Server
}

// New returns a server that is not serving yet.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg}
	s.http = &http.Server{
		Handler:           s.routes(),
		ConnContext:       withCaller,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    2 << 20, // filters of up to 1 MiB travel in the address
	}
	return s
}

// Listen opens the socket in the state folder, which must be the caller's own
// and locked: a socket that is there is a dead one and is removed.
func Listen(folder string) (net.Listener, error) {
	path := filepath.Join(folder, SocketName)
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("the path %s is longer than the %d bytes that a unix socket may have; choose a shorter state folder", path, maxSocketPath)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing the old admin socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	// The folder's 0700 keeps others out until this is done.
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	return l, nil
}

// maxSocketPath is Linux's limit of sun_path, less the final zero.
const maxSocketPath = 107

// Serve answers until Shutdown; it returns nil then.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin socket: %w", err)
	}
	return nil
}

// Shutdown ends the server: requests under way finish until ctx ends, then
// they are cut off.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		_ = s.http.Close()
	}
	return err
}

// handler is a request's work; an error that it returns is answered in one place.
type handler func(w http.ResponseWriter, r *http.Request) error

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]handler{
		"GET /v1/status":                s.status,
		"GET /v1/copies":                s.copies,
		"GET /v1/copies/{id}":           s.show,
		"GET /v1/raw/{id}":              s.raw,
		"GET /v1/why/{id}":              s.why,
		"GET /v1/incidents":             s.incidents,
		"GET /v1/group":                 s.group,
		"GET /v1/forecast":              s.forecast,
		"POST /v1/change":               s.change,
		"GET /v1/operations":            s.operations,
		"POST /v1/operations/{id}/undo": s.undo,
		"GET /v1/rules":                 s.rules,
		"POST /v1/rules/{verb}":         s.changeRule,
		"POST /v1/rules/test":           s.testRule,
		"GET /v1/digest/preview":        s.preview,
		"POST /v1/digest/send":          s.send,
		"GET /v1/import":                s.importKnown,
		"POST /v1/import":               s.importMessage,
		"GET /v1/verify":                s.verify,
		"GET /v1/bound":                 s.bound,
	} {
		mux.HandleFunc(pattern, s.answering(h))
	}
	return mux
}

func (s *Server) answering(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	}
}

func (s *Server) event(e Event) {
	if s.cfg.Event != nil {
		s.cfg.Event(e)
	}
}
