package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"lull/store"
)

// changeRule adds, extends or ends a standing rule; each is an operation.
func (s *Server) changeRule(w http.ResponseWriter, r *http.Request) error {
	c, err := read[RuleChange](r)
	if err != nil {
		return err
	}
	now := time.Now()
	verb := r.PathValue("verb")
	if verb == "split" || verb == "merge" {
		if c, err = s.correction(r.Context(), verb, c, now); err != nil {
			return err
		}
		verb = "add"
	}
	rule, kind, err := ruleChange(verb, c, now)
	if err != nil {
		return err
	}
	o := store.Operate{
		ID: newID("o", now), Term: s.cfg.Term, At: now, Kind: kind,
		By: author(r), Reason: strings.TrimSpace(c.Reason), Filter: rule.Filter, Rule: &rule,
	}
	rule.By, rule.Reason, rule.Operation = o.By, o.Reason, o.ID
	op, err := s.cfg.Store.Operate(r.Context(), o)
	if errors.Is(err, store.ErrNotFound) {
		return &Fault{NotFound, "no rule that stands has the id " + rule.ID + "; `lull rules` lists them" + ruleHint(rule.ID)}
	}
	if err != nil {
		return err
	}
	changed := changedOf(op)
	if err := s.entitleMoves(r.Context(), changed.Moves, now); err != nil {
		return err
	}
	if changed.Release, err = s.letsGo(r, op); err != nil {
		return err
	}
	return s.done(w, r, string(op.Kind), changed)
}

// ruleHint helps who took an id of another kind for that of a rule.
func ruleHint(id string) string {
	switch {
	case strings.HasPrefix(id, "o"):
		return "; " + id + " looks like an operation: `lull undo " + id + "` takes it back with the rule that it left"
	case strings.HasPrefix(id, "i"):
		return "; " + id + " looks like an incident: `lull rule split` and `lull rule merge` correct those"
	}
	return ""
}

// entitleMoves gives moves the titles of their incidents.
func (s *Server) entitleMoves(ctx context.Context, moves []Move, now time.Time) error {
	for k := range moves {
		m := &moves[k]
		for id, tell := range map[string]func(store.Incident){
			m.From: func(i store.Incident) { m.FromTitle = i.Title },
			m.To:   func(i store.Incident) { m.ToTitle, m.ToKey = i.Title, keyBeside(i) },
		} {
			i, err := s.cfg.Store.Incident(ctx, id, now)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			tell(i)
		}
	}
	return nil
}

// keyBeside is an incident's key where it says more than its signature.
func keyBeside(i store.Incident) string {
	if i.Key == i.Signature {
		return ""
	}
	return i.Key
}

// letsGo is the command that releases what an ended rule still holds, "" for
// other operations. A rule that ends by itself needs none.
func (s *Server) letsGo(r *http.Request, op store.Operation) (string, error) {
	if op.Kind != store.OpEnd {
		return "", nil
	}
	for rule, err := range s.cfg.Store.Rules(r.Context()) {
		if err != nil {
			return "", err
		}
		if rule.ID == op.Rule && rule.Kind == store.RuleHold {
			return "lull undo " + rule.Operation, nil
		}
	}
	return "", nil
}

func ruleChange(verb string, c RuleChange, now time.Time) (store.Rule, store.OpKind, error) {
	if strings.TrimSpace(c.Reason) == "" {
		return store.Rule{}, "", usage("a change of rules needs --reason: it is what the record of operations will tell your colleagues")
	}
	switch verb {
	case "add":
		rule, err := newRule(c, now)
		return rule, store.OpRule, err
	case "extend":
		if c.For <= 0 {
			return store.Rule{}, "", usage("how long the rule stands from now is missing: --for 6h")
		}
		return store.Rule{ID: c.ID, Expires: now.Add(c.For)}, store.OpExtend, nil
	case "rm":
		return store.Rule{ID: c.ID, Expires: now}, store.OpEnd, nil
	}
	return store.Rule{}, "", usage(fmt.Sprintf("rules can be added, extended and removed, incidents split and merged, not %q", verb))
}

func newRule(c RuleChange, now time.Time) (store.Rule, error) {
	f, err := wanted(c.Filter, c.All)
	if err != nil {
		return store.Rule{}, err
	}
	if tells, err := standing(f); err != nil || len(tells.Keys()) != len(f.Keys()) {
		return store.Rule{}, cmp.Or(err, usage("--id, --incident and --fate tell nothing about mail to come; use others, such as --from or --subject"))
	}
	rule := store.Rule{ID: newID("r", now), Kind: store.RuleKind(c.Kind), Filter: f.Fixed(now).String(), Created: now, Key: c.Key}
	if c.For < 0 {
		return rule, usage("--for must be a length of time, such as 6h")
	}
	if c.Key != "" && rule.Kind != store.RuleGroup && knownKind(rule.Kind) {
		return rule, usage(fmt.Sprintf("--key is for group rules alone; a %s rule takes a filter", rule.Kind))
	}
	if c.For > 0 {
		rule.Expires = now.Add(c.For)
	}
	switch rule.Kind {
	case store.RuleHold, store.RulePurge:
		if c.For <= 0 {
			return rule, usage("a rule that keeps mail from its readers must end some day: give --for, such as --for 6h")
		}
	case store.RuleSilence:
	case store.RuleGroup:
		if c.Key == "" {
			return rule, usage("a grouping rule needs --key, the incident key that it maps to, such as --key '{signature} {object}'")
		}
		if err := f.CheckKey(c.Key); err != nil {
			return rule, usage("--key: " + err.Error())
		}
	default:
		return rule, usage(fmt.Sprintf("there are no rules of kind %q; there are hold, purge, silence, group (`lull rule add silence --subject …`)", c.Kind))
	}
	if c.Key != "" && rule.Kind != store.RuleGroup {
		return rule, usage("--key is for grouping rules alone")
	}
	return rule, nil
}

func knownKind(k store.RuleKind) bool {
	return k == store.RuleHold || k == store.RulePurge || k == store.RuleSilence || k == store.RuleGroup
}
