package admin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"syscall"
)

// ErrAway is returned when no daemon answers.
var ErrAway = errors.New("the daemon is not there")

// Client asks a daemon.
type Client struct {
	socket string
	http   *http.Client
}

// NewClient finds the daemon of a state folder. Nothing is connected yet.
func NewClient(folder string) *Client {
	socket := filepath.Join(folder, SocketName)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &Client{socket: socket, http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableCompression: true}}}
}

// Close lets go of the connection.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Selection is what a list shows.
type Selection struct {
	Page
	Filter string
	// More narrows by what only some lists know: by, reader, digest, operation, ended, trash.
	More map[string]string
}

func (s Selection) query() string {
	q := url.Values{}
	for name, value := range s.More {
		q.Set(name, value)
	}
	if s.Filter != "" {
		q.Set("filter", s.Filter)
	}
	if s.After != "" {
		q.Set("after", s.After)
	}
	if s.Limit > 0 {
		q.Set("limit", strconv.Itoa(s.Limit))
	}
	if s.Count {
		q.Set("count", "1")
	}
	return "?" + q.Encode()
}

// Lines is a list as it arrives.
type Lines[T any] struct {
	all func(yield func(T, error) bool) (more int)
	// More is how many lines the page left out, once All has ended: if the page
	// counts, so many ([CountMost]: or more), else 1 for "some".
	More int
}

// All yields the lines, and the fault that ended them early, if any.
func (l *Lines[T]) All() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) { l.More = l.all(yield) }
}

// Status asks for the whole at a glance.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return one[Status](ctx, c, http.MethodGet, "/v1/status", nil)
}

// Copies lists copies, in order of acceptance.
func (c *Client) Copies(ctx context.Context, s Selection) *Lines[Copy] {
	return many[Copy](ctx, c, "/v1/copies"+s.query())
}

// Incidents lists incidents, in order of opening; with a filter those that
// have a copy which it selects.
func (c *Client) Incidents(ctx context.Context, s Selection) *Lines[Incident] {
	return many[Incident](ctx, c, "/v1/incidents"+s.query())
}

// Group counts copies by one of Groupings.
func (c *Client) Group(ctx context.Context, by string, s Selection) *Lines[Group] {
	s.More = maps.Clone(s.More)
	if s.More == nil {
		s.More = make(map[string]string)
	}
	s.More["by"] = by
	return many[Group](ctx, c, "/v1/group"+s.query())
}

// Show tells all about a copy, or about each copy of a message.
func (c *Client) Show(ctx context.Context, id string) *Lines[Detail] {
	return many[Detail](ctx, c, "/v1/copies/"+url.PathEscape(id))
}

// Raw writes a message as it was received.
func (c *Client) Raw(ctx context.Context, id string, w io.Writer) error {
	return c.copyTo(ctx, "/v1/raw/"+url.PathEscape(id), w)
}

// Why explains a copy, or each copy of a message.
func (c *Client) Why(ctx context.Context, id string) *Lines[Why] {
	return many[Why](ctx, c, "/v1/why/"+url.PathEscape(id))
}

// Forecast tells what one reader gets, or all ("").
func (c *Client) Forecast(ctx context.Context, reader string, p Page) *Lines[Forecast] {
	return many[Forecast](ctx, c, "/v1/forecast"+Selection{Page: p, More: map[string]string{"reader": reader}}.query())
}

// Change holds, releases or purges, or shows what that would do.
func (c *Client) Change(ctx context.Context, change Change) (Changed, error) {
	return one[Changed](ctx, c, http.MethodPost, "/v1/change", change)
}

// Undo takes an operation back.
func (c *Client) Undo(ctx context.Context, operation string) (Changed, error) {
	return one[Changed](ctx, c, http.MethodPost, "/v1/operations/"+url.PathEscape(operation)+"/undo", struct{}{})
}

// Operations lists operations, oldest first; if asked for, those alone whose
// copies are in the trash.
func (c *Client) Operations(ctx context.Context, trash bool, p Page) *Lines[Operation] {
	s := Selection{Page: p}
	if trash {
		s.More = map[string]string{"trash": "1"}
	}
	return many[Operation](ctx, c, "/v1/operations"+s.query())
}

// Rules lists the standing rules, oldest first; the ended ones too if asked for.
func (c *Client) Rules(ctx context.Context, ended bool, p Page) *Lines[Rule] {
	s := Selection{Page: p}
	if ended {
		s.More = map[string]string{"ended": "1"}
	}
	return many[Rule](ctx, c, "/v1/rules"+s.query())
}

// ChangeRule adds, extends or ends ("rm") a standing rule; split and merge add
// one that corrects the grouping of incidents.
func (c *Client) ChangeRule(ctx context.Context, verb string, change RuleChange) (Changed, error) {
	return one[Changed](ctx, c, http.MethodPost, "/v1/rules/"+url.PathEscape(verb), change)
}

// TestRule tells what a grouping rule, a split or a merge would have done.
func (c *Client) TestRule(ctx context.Context, change RuleChange) (RuleTested, error) {
	return one[RuleTested](ctx, c, http.MethodPost, "/v1/rules/test", change)
}

// Preview writes the mail that a reader's digest would be.
func (c *Client) Preview(ctx context.Context, reader string, w io.Writer) error {
	return c.copyTo(ctx, "/v1/digest/preview?"+url.Values{"reader": {reader}}.Encode(), w)
}

// Send sends a reader's digest now.
func (c *Client) Send(ctx context.Context, reader string) (Sent, error) {
	return one[Sent](ctx, c, http.MethodPost, "/v1/digest/send", Sending{Reader: reader})
}

// Verify recounts.
func (c *Client) Verify(ctx context.Context) (Verified, error) {
	return one[Verified](ctx, c, http.MethodGet, "/v1/verify", nil)
}

// Bound tells the most mails that each reader got in any window.
func (c *Client) Bound(ctx context.Context, p Page) *Lines[Bound] {
	return many[Bound](ctx, c, "/v1/bound"+Selection{Page: p}.query())
}

// do sends one request. The answer is a success; its body must be closed.
func (c *Client) do(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("writing the request: %w", err)
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://lull"+path, content)
	if err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	return c.send(req)
}

func (c *Client) send(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, faultIn(resp)
	}
	return resp, nil
}

// unreachable says why there was no answer, and what to do.
func (c *Client) unreachable(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: nothing listens on %s; start it with `lull serve`, or name its state folder with --state", ErrAway, c.socket)
	case errors.Is(err, fs.ErrPermission):
		return &Fault{Refused, "you may not enter " + filepath.Dir(c.socket) + "; run the command as the user that runs lull, or as root"}
	case errors.Is(err, context.Canceled):
		return err
	}
	return fmt.Errorf("%w: it broke off (%w); see its log", ErrAway, err)
}

func faultIn(resp *http.Response) error {
	var f Fault
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&f); err != nil || f.Text == "" {
		return &Fault{Internal, "the daemon answered " + resp.Status + "; are lull and its daemon of one version?"}
	}
	return &f
}

func one[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	var v T
	resp, err := c.do(ctx, method, path, body)
	if err != nil {
		return v, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		return v, fmt.Errorf("reading the answer: %w", c.unreachable(err))
	}
	return v, nil
}

func many[T any](ctx context.Context, c *Client, path string) *Lines[T] {
	return &Lines[T]{all: func(yield func(T, error) bool) int {
		var none T
		resp, err := c.do(ctx, http.MethodGet, path, nil)
		if err != nil {
			yield(none, err)
			return 0
		}
		defer resp.Body.Close()
		if goOn, err := decode(resp.Body, yield); err != nil || !goOn {
			if err != nil {
				yield(none, c.unreachable(err))
			}
			return 0
		}
		if text := resp.Trailer.Get(faultTrailer); text != "" {
			f := &Fault{Code: Internal, Text: text}
			_ = json.Unmarshal([]byte(text), f) // else the text must do
			yield(none, f)
			return 0
		}
		more, _ := strconv.Atoi(resp.Trailer.Get(moreTrailer))
		return more
	}}
}

// decode yields each line; goOn is false when the caller had enough.
func decode[T any](r io.Reader, yield func(T, error) bool) (goOn bool, err error) {
	d := json.NewDecoder(bufio.NewReaderSize(r, 64<<10))
	for {
		var v T
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			return true, nil
		} else if err != nil {
			return true, err
		}
		if !yield(v, nil) {
			return false, nil
		}
	}
}

func (c *Client) copyTo(ctx context.Context, path string, w io.Writer) error {
	resp, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}
