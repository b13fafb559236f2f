package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"lull/store"
)

// Import is a message out of another program's queue, but for its bytes.
type Import struct {
	Key    string   `json:"key"` // taken once
	From   string   `json:"from"`
	To     []string `json:"to"`
	Notify []string `json:"notify,omitempty"`
	Ret    string   `json:"ret,omitempty"`
	EnvID  string   `json:"envid,omitempty"`
	Host   string   `json:"host,omitempty"`
}

// Imported tells whether a message was, or would be, taken before.
type Imported struct {
	Known bool `json:"known"`
}

// Importer takes messages in that come from a file.
type Importer interface {
	// Known reports whether a key was taken before.
	Known(key string) bool
	// Import makes a message durable; store.ErrKnown says that it was.
	Import(ctx context.Context, m Import, body []byte) error
}

// importHeader carries the message's envelope, so that its bytes travel as
// they are.
const importHeader = "Lull-Import"

// importKnown answers for one key.
func (s *Server) importKnown(w http.ResponseWriter, r *http.Request) error {
	return answer(w, Imported{Known: s.cfg.Importer.Known(r.URL.Query().Get("key"))})
}

func (s *Server) importMessage(w http.ResponseWriter, r *http.Request) error {
	var m Import
	if err := json.Unmarshal([]byte(r.Header.Get(importHeader)), &m); err != nil || m.Key == "" {
		return usage("the request cannot be read; are lull and its daemon of one version?")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("reading the message: %w", err)
	}
	err = s.cfg.Importer.Import(r.Context(), m, body)
	if known := errors.Is(err, store.ErrKnown); known || err == nil {
		return answer(w, Imported{Known: known})
	}
	return err
}

// Known asks whether a message of that key was imported before.
func (c *Client) Known(ctx context.Context, key string) (bool, error) {
	i, err := one[Imported](ctx, c, http.MethodGet, "/v1/import?"+url.Values{"key": {key}}.Encode(), nil)
	return i.Known, err
}

// Import hands a message over; known says that it was there already.
func (c *Client) Import(ctx context.Context, m Import, body []byte) (known bool, err error) {
	envelope, err := json.Marshal(m)
	if err != nil {
		return false, fmt.Errorf("writing the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://lull/v1/import", bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("writing the request: %w", err)
	}
	req.Header.Set(importHeader, string(envelope))
	resp, err := c.send(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	var i Imported
	if err := json.NewDecoder(resp.Body).Decode(&i); err != nil {
		return false, fmt.Errorf("reading the answer: %w", c.unreachable(err))
	}
	return i.Known, nil
}
