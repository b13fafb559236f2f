package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this binary answer to the name lull, too: scripts and tests
// run the real program.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lull": main})
}

// TestScripts runs the conversations of operators with a real daemon. Beside
// the usual commands of testscript a script has:
//
//	serve NAME ARGS…      start lull serve, wait until it takes mail; $NAME is its address
//	stop NAME             SIGTERM, and wait; fails unless it ends well
//	kill9 NAME            SIGKILL, and wait
//	hangup NAME           SIGHUP
//	mail ADDRESS N FROM TO FILE   send a mail N times; {n} in FROM and FILE counts
//	rc N COMMAND…         run a command that must end with exit code N
//	until ARGS…           run lull ARGS until it succeeds and its output matches
//	                      the pattern that follows "--", at most 20 s
//	has NAMES…            each line of the last output is a JSON object with these names
//	field VAR NAME        set VAR from the first line of the last output
//	total NAME OP N       compare the sum of a number over the lines
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Values["daemons"] = map[string]*exec.Cmd{}
			env.Defer(func() { endAll(env.Values["daemons"].(map[string]*exec.Cmd)) })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": serveCmd, "stop": stopCmd, "kill9": killCmd, "hangup": hangupCmd, "mail": mailCmd,
			"until": untilCmd, "rc": rcCmd, "has": hasCmd, "field": fieldCmd, "total": totalCmd,
		},
	})
}

func endAll(daemons map[string]*exec.Cmd) {
	for _, d := range daemons {
		if d.ProcessState == nil {
			_ = d.Process.Kill()
			_ = d.Wait()
		}
	}
}

func daemons(ts *testscript.TestScript) map[string]*exec.Cmd {
	return ts.Value("daemons").(map[string]*exec.Cmd)
}

func serveCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: serve NAME ARGS…")
	}
	name := args[0]
	log, err := os.OpenFile(ts.MkAbs(name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	ts.Check(err)
	defer log.Close()
	began, err := log.Seek(0, 2)
	ts.Check(err)
	c := exec.Command("lull", append([]string{"serve", "--listen", "127.0.0.1:0"}, args[1:]...)...)
	c.Dir, c.Stderr = ts.MkAbs("."), log
	ts.Check(c.Start())
	daemons(ts)[name] = c
	listening := regexp.MustCompile(`msg="taking mail in" listen=\[([^\]]+)\]`)
	if !eventually(func() bool {
		b, err := os.ReadFile(log.Name())
		ts.Check(err)
		m := listening.FindSubmatch(b[began:])
		if m != nil {
			ts.Setenv(name, string(m[1]))
		}
		return m != nil
	}) {
		ts.Fatalf("%s does not take mail: see %s", name, ts.ReadFile(name+".log"))
	}
}

// eventually asks until the answer is yes, at most 20 s.
func eventually(yes func() bool) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-tick.C {
		if yes() {
			return true
		}
	}
	return false
}

func daemonOf(ts *testscript.TestScript, args []string) *exec.Cmd {
	if len(args) != 1 || daemons(ts)[args[0]] == nil {
		ts.Fatalf("which daemon? %q", args)
	}
	return daemons(ts)[args[0]]
}

func stopCmd(ts *testscript.TestScript, neg bool, args []string) {
	d := daemonOf(ts, args)
	ts.Check(d.Process.Signal(syscall.SIGTERM))
	if err := d.Wait(); (err != nil) != neg {
		ts.Fatalf("%s ended with %v: %s", args[0], err, ts.ReadFile(args[0]+".log"))
	}
}

func killCmd(ts *testscript.TestScript, _ bool, args []string) {
	d := daemonOf(ts, args)
	ts.Check(d.Process.Kill())
	_ = d.Wait()
}

func hangupCmd(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(daemonOf(ts, args).Process.Signal(syscall.SIGHUP))
}

func mailCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 5 {
		ts.Fatalf("usage: mail ADDRESS N FROM TO FILE")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	text := strings.ReplaceAll(ts.ReadFile(args[4]), "\n", "\r\n")
	err = sendMany(args[0], n, args[2], strings.Split(args[3], ","), text)
	if (err != nil) != neg {
		ts.Fatalf("sending: %v", err)
	}
	if err != nil {
		ts.Logf("%v", err)
	}
}

// sendMany sends a mail n times over one connection; {n} counts from 1, {date}
// is now.
func sendMany(address string, n int, from string, to []string, text string) error {
	c, err := smtp.Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	for i := range n {
		fill := strings.NewReplacer("{n}", strconv.Itoa(i+1), "{date}", time.Now().UTC().Format(time.RFC1123Z))
		if err := sendOne(c, fill.Replace(from), to, fill.Replace(text)); err != nil {
			return fmt.Errorf("mail %d: %w", i+1, err)
		}
	}
	return c.Quit()
}

func sendOne(c *smtp.Client, from string, to []string, text string) error {
	if err := c.Mail(from); err != nil {
		return err
	}
	for _, r := range to {
		if err := c.Rcpt(r); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	return w.Close()
}

func rcCmd(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if (got == want) == neg {
		ts.Fatalf("%s ended with %d, expected %d\n%s%s", strings.Join(args[1:], " "), got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

func untilCmd(ts *testscript.TestScript, neg bool, args []string) {
	split := slices.Index(args, "--")
	if neg || split < 0 || len(args) != split+2 {
		ts.Fatalf("usage: until ARGS… -- PATTERN")
	}
	pattern := regexp.MustCompile(`(?m)` + args[split+1])
	var err error
	if !eventually(func() bool {
		err = ts.Exec("lull", args[:split]...)
		return err == nil && pattern.MatchString(ts.ReadFile("stdout"))
	}) {
		ts.Fatalf("lull %s never gave %s: %v\n%s", strings.Join(args[:split], " "), pattern, err, ts.ReadFile("stdout"))
	}
}

// objects are the lines of the last output.
func objects(ts *testscript.TestScript) []map[string]any {
	var list []map[string]any
	lines := bufio.NewScanner(strings.NewReader(ts.ReadFile("stdout")))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.UseNumber()
		var v map[string]any
		if err := d.Decode(&v); err != nil {
			ts.Fatalf("not a JSON object: %s", lines.Text())
		}
		list = append(list, v)
	}
	if len(list) == 0 {
		ts.Fatalf("no output")
	}
	return list
}

func hasCmd(ts *testscript.TestScript, neg bool, names []string) {
	for _, v := range objects(ts) {
		for _, name := range names {
			value, ok := v[name]
			if ok == neg {
				ts.Fatalf("%s: there %v in %v", name, ok, v)
			}
			if id := name == "id" || name == "message" || name == "operation" || name == "incident"; id && ok {
				if _, isText := value.(string); !isText {
					ts.Fatalf("id %s is no string: %v", name, value)
				}
			}
		}
	}
}

func fieldCmd(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: field VAR NAME")
	}
	v, ok := objects(ts)[0][args[1]]
	if !ok {
		ts.Fatalf("no %s", args[1])
	}
	ts.Setenv(args[0], fmt.Sprint(v))
}

func totalCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: total NAME OP N")
	}
	sum := 0.0
	for _, v := range objects(ts) {
		n, err := strconv.ParseFloat(fmt.Sprint(v[args[0]]), 64)
		if err != nil {
			ts.Fatalf("%s is no number: %v", args[0], v[args[0]])
		}
		sum += n
	}
	want, err := strconv.ParseFloat(args[2], 64)
	ts.Check(err)
	holds := map[string]bool{"==": sum == want, "<=": sum <= want, ">=": sum >= want, ">": sum > want}
	if holds[args[1]] == neg {
		ts.Fatalf("the sum of %s is %v, expected %s %v", args[0], sum, args[1], want)
	}
}

// TestScriptsCoverEveryCommand: a command without a script is one that nobody
// has tried.
func TestScriptsCoverEveryCommand(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	for name := range documents(tree(&session{screen: &screen{}})) {
		command, ok := strings.CutSuffix(strings.TrimPrefix(name, "man/"), ".1")
		if !ok || command == "lull" || command == "lull-serve" || command == "lull-demo" || command == "lull-mailq" {
			continue // every script serves; the demo and mailq have tests of their own
		}
		words := strings.ReplaceAll(command, "-", " ")
		if !strings.Contains(all.String(), words) && !strings.Contains(all.String(), "until "+strings.TrimPrefix(words, "lull ")) {
			t.Errorf("no script runs `%s`", words)
		}
	}
}
