package config

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// decode puts the values of a file into the configuration. Unlike the TOML
// library it goes on after a fault, and knows the line of each.
func decode(values map[string]any, c *Config, faults *Faults) {
	d := decoder{lines: c.lines}
	d.table("", values, reflect.ValueOf(c).Elem())
	faults.List = append(faults.List, d.faults...)
}

type decoder struct {
	lines  map[string]int
	faults []Fault
}

func (d *decoder) fault(key, format string, args ...any) {
	d.faults = append(d.faults, Fault{Key: key, Line: lineOf(d.lines, key), Problem: fmt.Sprintf(format, args...)})
}

func (d *decoder) table(path string, values map[string]any, into reflect.Value) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		key := name
		if path != "" {
			key = path + "." + name
		}
		field, ok := fieldOf(into, name)
		if !ok {
			d.fault(key, "there is no such key%s", meant(name, into.Type()))
			continue
		}
		d.value(key, values[name], field)
	}
}

func (d *decoder) value(key string, v any, into reflect.Value) {
	if u, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(key, v, u)
		return
	}
	switch into.Kind() {
	case reflect.Struct:
		table, ok := v.(map[string]any)
		if !ok {
			d.fault(key, "must be a table: [%s]", key)
			return
		}
		d.table(key, table, into)
	case reflect.Slice:
		d.list(key, v, into)
	default:
		if reflect.TypeOf(v).ConvertibleTo(into.Type()) && sameKind(v, into) {
			into.Set(reflect.ValueOf(v).Convert(into.Type()))
			return
		}
		d.fault(key, "must be %s, not %v", kind(into), v)
	}
}

func (d *decoder) text(key string, v any, into encoding.TextUnmarshaler) {
	text := ""
	switch v := v.(type) {
	case string:
		text = v
	case int64:
		text = strconv.FormatInt(v, 10)
	}
	if err := into.UnmarshalText([]byte(text)); err != nil {
		d.fault(key, "%v", err)
	}
}

func (d *decoder) list(key string, v any, into reflect.Value) {
	elements := reflect.ValueOf(v)
	if elements.Kind() != reflect.Slice {
		if into.Type().Elem().Kind() == reflect.Struct {
			d.fault(key, "must be written as [[%s]]", key)
			return
		}
		d.fault(key, `must be a list: ["…", "…"]`)
		return
	}
	list := reflect.MakeSlice(into.Type(), elements.Len(), elements.Len())
	for i := range elements.Len() {
		d.value(fmt.Sprintf("%s[%d]", key, i), elements.Index(i).Interface(), list.Index(i))
	}
	into.Set(list)
}

func sameKind(v any, into reflect.Value) bool {
	k := reflect.TypeOf(v).Kind()
	return k == into.Kind() || k == reflect.Int64 && into.CanInt()
}

func kind(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	}
	return `a text in "quotes"`
}

func fieldOf(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("toml") == name {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// meant suggests the keys that a misspelt one may stand for.
func meant(name string, t reflect.Type) string {
	var near, all []string
	for i := range t.NumField() {
		known := t.Field(i).Tag.Get("toml")
		if known == "" {
			continue
		}
		all = append(all, known)
		if distance(name, known) <= min(2, len(known)/2) { // "foo" is not meant for "log"
			near = append(near, known)
		}
	}
	if len(near) > 0 {
		return "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return "; there are " + strings.Join(all, ", ")
}

// distance counts the letters to add, drop or change between two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// linesOf finds the line of each key and table of a file that is valid TOML.
func linesOf(text string) map[string]int {
	header := regexp.MustCompile(`^\s*\[(\[?)\s*([^\[\]]+?)\s*\]`)
	assign := regexp.MustCompile(`^\s*([A-Za-z0-9_."-]+)\s*=`)
	lines, count, table := map[string]int{}, map[string]int{}, ""
	for i, line := range strings.Split(text, "\n") {
		if m := header.FindStringSubmatch(line); m != nil {
			table = m[2]
			if m[1] != "" {
				table = fmt.Sprintf("%s[%d]", m[2], count[m[2]])
				count[m[2]]++
			}
			lines[table] = i + 1
			table += "."
		} else if m := assign.FindStringSubmatch(line); m != nil {
			lines[table+strings.ReplaceAll(m[1], `"`, "")] = i + 1
		}
	}
	return lines
}

// lineOf is the line of a key, or of what it is a part of.
func lineOf(lines map[string]int, key string) int {
	for key != "" {
		if line, ok := lines[key]; ok {
			return line
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return 0
}
