package config

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Key is one key of the configuration, as documentation shows it.
type Key struct {
	Key     string `json:"key"`
	Value   string `json:"value"`   // in the notation of the file
	Default string `json:"default"` // likewise, "" for none
	Help    string `json:"help"`
	Line    int    `json:"line,omitempty"` // in the file, 0 where it says nothing
}

// Keys are all keys with their present values, in the order of the reference.
// What may be given several times is listed as often as it was.
func (c Config) Keys() []Key {
	given := keysOf("", reflect.ValueOf(c))
	usual := Defaults(time.Duration(c.Window))
	usual.complete()
	defaults := map[string]string{}
	for _, k := range keysOf("", reflect.ValueOf(usual)) {
		defaults[k.Key] = k.Value
	}
	for i := range given {
		given[i].Default = defaults[given[i].Key]
		given[i].Line = c.lines[given[i].Key]
	}
	return given
}

func keysOf(path string, v reflect.Value) []Key {
	var keys []Key
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Tag.Get("toml")
		if name == "" {
			continue
		}
		key := strings.TrimPrefix(path+"."+name, ".")
		switch value := v.Field(i); {
		case f.Tag.Get("help") != "":
			keys = append(keys, Key{Key: key, Value: literal(value), Help: f.Tag.Get("help")})
		case value.Kind() == reflect.Struct:
			keys = append(keys, keysOf(key, value)...)
		default:
			for n := range value.Len() {
				keys = append(keys, keysOf(fmt.Sprintf("%s[%d]", key, n), value.Index(n))...)
			}
		}
	}
	return keys
}

// literal is a value as TOML writes it.
func literal(v reflect.Value) string {
	if text, ok := v.Interface().(fmt.Stringer); ok {
		return strconv.Quote(text.String())
	}
	switch v.Kind() {
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = literal(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return fmt.Sprint(v.Interface())
}

// Write prints the effective values as a file that could be loaded again.
func (c Config) Write(w io.Writer) error {
	out := &strings.Builder{}
	table := ""
	for _, k := range c.Keys() {
		name := k.Key
		if dot := strings.LastIndex(name, "."); dot >= 0 {
			if head := name[:dot]; head != table {
				table = head
				out.WriteString("\n" + headerOf(head) + "\n")
			}
			name = name[dot+1:]
		}
		note := ""
		if k.Line > 0 {
			note = fmt.Sprintf("  # line %d", k.Line)
		}
		fmt.Fprintf(out, "%s = %s%s\n", name, k.Value, note)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func headerOf(table string) string {
	if name, _, repeated := strings.Cut(table, "["); repeated {
		return "[[" + name + "]]"
	}
	return "[" + table + "]"
}

// Sample is a file with every key, its help, and its default commented out.
func Sample() string {
	out := &strings.Builder{}
	out.WriteString("# lull's configuration. Every key is optional; what is commented out is the default.\n")
	table := ""
	for _, k := range specimen().Keys() {
		name := k.Key
		if dot := strings.LastIndex(name, "."); dot >= 0 {
			if head := name[:dot]; head != table {
				table = head
				out.WriteString("\n" + commented(headerOf(head)) + "\n")
			}
			name = name[dot+1:]
		}
		fmt.Fprintf(out, "\n# %s\n#%s = %s\n", k.Help, name, k.Value)
	}
	return out.String()
}

// commented leaves plain tables in force, which are harmless when empty.
func commented(header string) string {
	if strings.HasPrefix(header, "[[") {
		return "#" + header
	}
	return header
}

// Reference is every key once, with the default.
func Reference() []Key {
	keys := specimen().Keys()
	for i := range keys {
		keys[i].Key = strings.ReplaceAll(keys[i].Key, "[0]", "[]")
		if k := keys[i].Key; k == "hostname" || k == "digest.from" || k == "outbox" || k == "spool" || k == "qualify_domain" {
			keys[i].Default = "" // its help says
		}
	}
	return keys
}

// specimen is the defaults with one of each that may be given several times.
func specimen() Config {
	c := Defaults(time.Hour)
	c.Hostname, c.QualifyDomain = "relay.example.org", "relay.example.org"
	c.Schedule, c.Outbox = scheduleOf(time.Hour), "lull-state/outbox"
	c.Spool = "lull-state/spool"
	c.Digest.From = "lull@relay.example.org"
	c.Smarthost = []Smarthost{{Addr: "mail.example.org:25", TLS: "opportunistic", MaxConnections: usualConnections, Timeout: Duration(5 * time.Minute), DotTimeout: Duration(10 * time.Minute)}}
	c.Reader = []Reader{{Name: "ops@example.org", Addresses: []string{"root@example.org"}, Schedule: "0 8-18 * * 1-5", Zone: "Europe/Berlin"}}
	c.Rule = []Rule{{Name: "tickets are for people", Class: "pass", Sender: "tickets@*"}}
	return c
}
