package admin

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

type callerKey struct{}

// withCaller keeps with a connection who is at its other end.
func withCaller(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, callerKey{}, caller(c))
}

// author is who sent a request, as operations record it.
func author(r *http.Request) string {
	by, _ := r.Context().Value(callerKey{}).(string)
	if by == "" {
		return "unknown"
	}
	return by
}

// caller names the process at the other end: "anna", or "anna as root" for
// one that changed its user since the login.
func caller(c net.Conn) string {
	cred, err := credentials(c)
	if err != nil {
		return ""
	}
	now := userName("/etc/passwd", cred.Uid)
	if login, ok := loginUser(cred.Pid); ok && login != cred.Uid {
		return userName("/etc/passwd", login) + " as " + now
	}
	return now
}

func credentials(c net.Conn) (*unix.Ucred, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return nil, net.ErrClosed
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return nil, err
	}
	var cred *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return nil, err
	}
	return cred, failed
}

// loginUser is the user that the process's session logged in as, which sudo
// and su leave as it is; false where none is recorded.
func loginUser(pid int32) (uint32, bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/loginuid")
	if err != nil {
		return 0, false
	}
	const unset = 1<<32 - 1
	uid, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	return uint32(uid), err == nil && uid != unset
}

// userName looks in the local file alone: a lookup through NSS may ask a
// directory server that does not answer, just when operators are needed.
func userName(file string, uid uint32) string {
	want := strconv.FormatUint(uint64(uid), 10)
	f, err := os.Open(file)
	if err != nil {
		return "uid " + want
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) > 2 && fields[2] == want {
			return fields[0]
		}
	}
	return "uid " + want
}
