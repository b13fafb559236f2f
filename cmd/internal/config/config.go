// Package config is lull's configuration: its keys with their help and
// defaults, how a file is read, and what must hold.
//
// A key is written down once, as a field with its toml name and its help; the
// sample file, `lull config show` and the reference page come from there.
package config

import (
	"os"
	"time"

	"lull/store"
)

// Config is the whole configuration. Field order is the order of the
// reference.
type Config struct {
	Hostname      string   `toml:"hostname" help:"our name in SMTP, in Received lines and in the identity of digests; default: the machine's"`
	State         string   `toml:"state" help:"folder of the queue, its lock and the admin socket (mode 0700)"`
	Listen        []string `toml:"listen" help:"doors where mail is taken in: HOST:PORT, unix:PATH (any local user), or systemd:NAME (socket activation); before it, as needed, tls: (TLS from the first byte), lmtp: (RFC 2033), proxy: (the PROXY protocol)"`
	Proxies       []string `toml:"proxies" help:"addresses or CIDR of the proxies that name, at doors with proxy:, the client that they speak for"`
	Networks      []string `toml:"networks" help:"clients that may send, as addresses or CIDR; all others are refused, but for users and local sockets"`
	Users         string   `toml:"users" help:"file of lines NAME:HASH (bcrypt or argon2id): who may send from anywhere after AUTH over TLS; SIGHUP reads it anew"`
	QualifyDomain string   `toml:"qualify_domain" help:"domain of addresses without one, such as root; default: hostname"`
	Outbox        string   `toml:"outbox" help:"with no smarthost: folder with a Maildir for each reader; default: STATE/outbox"`
	Spool         string   `toml:"spool" help:"folder in which our sendmail leaves mail while lull is away; default: STATE/spool, which only lull's own user can reach"`

	Window     Duration `toml:"window" help:"the hour that all bounds are about; every default below that is a time scales with it"`
	Schedule   string   `toml:"schedule" help:"when digests leave: a cron line in UTC, or @every 1h; default: each window, on the hour"`
	Budget     int      `toml:"budget" help:"most mails from the gate to one reader in any window"`
	Notices    int      `toml:"notices" help:"how many of the budget may be first notices"`
	PassBudget int      `toml:"pass_budget" help:"most mails passed as they are to one reader in any window; 0 is no bound"`
	LateAfter  Duration `toml:"late_after" help:"older mail is told in the late part of a digest, and never announced"`
	GiveUp     Duration `toml:"give_up" help:"how long mail is tried before it bounces or a reader is suspended"`
	Retain     Duration `toml:"retain" help:"how long told and passed mail is kept"`
	Trash      Duration `toml:"trash" help:"how long purged mail can be restored"`
	Reserve    Size     `toml:"reserve" help:"free space of the file system that intake leaves alone"`
	MaxState   Size     `toml:"max_state" help:"most bytes that the queue's file may have; 0 is no bound"`

	Log   string `toml:"log" help:"log lines on standard error: text or json"`
	Level string `toml:"log_level" help:"debug, info, warn or error"`

	Limits    Limits      `toml:"limits"`
	TLS       TLS         `toml:"tls"`
	Smarthost []Smarthost `toml:"smarthost"`
	Release   Release     `toml:"release_check"`
	Digest    Digest      `toml:"digest"`
	Reader    []Reader    `toml:"reader"`
	Rule      []Rule      `toml:"rule"`

	lines map[string]int // of each key in the file
	file  string
}

// Limits of what one client, one message, or all of them may take.
type Limits struct {
	Message          Size     `toml:"message" help:"largest message"`
	Recipients       int      `toml:"recipients" help:"most recipients of one message"`
	Connections      int      `toml:"connections" help:"most connections at a time"`
	PerHost          int      `toml:"per_host" help:"most connections of one address, or of one /64 of IPv6"`
	Data             Size     `toml:"data" help:"most bytes of messages in memory, over all connections"`
	Hops             int      `toml:"hops" help:"most Received lines of a message: more is a loop"`
	Idle             Duration `toml:"idle" help:"longest pause of a client inside a message"`
	Session          Duration `toml:"session" help:"longest connection"`
	SenderDomains    []string `toml:"sender_domains" help:"if set, the only domains that senders may have"`
	RecipientDomains []string `toml:"recipient_domains" help:"if set, the only domains that recipients may have"`
}

// TLS names the certificate of our own doors.
type TLS struct {
	Certificate string `toml:"certificate" help:"PEM file with the certificate and its chain; offers STARTTLS. Read anew when it changes, and on SIGHUP"`
	Key         string `toml:"key" help:"PEM file with its key, readable by lull alone"`
}

// Smarthost is one mail server; the first that can be used is used.
type Smarthost struct {
	Addr     string `toml:"addr" help:"HOST:PORT of the mail server, or /PATH of a socket; with mx = true DOMAIN:PORT"`
	LMTP     bool   `toml:"lmtp" help:"speak LMTP (RFC 2033), as to a Dovecot"`
	MX       bool   `toml:"mx" help:"look up the mail exchangers of the domain"`
	TLS      string `toml:"tls" help:"none, opportunistic, required or verified; default: opportunistic"`
	Implicit bool   `toml:"implicit_tls" help:"TLS from the first byte (port 465)"`
	CA       string `toml:"ca" help:"PEM file with the authorities to trust; default: the system's"`
	Username string `toml:"username" help:"for AUTH PLAIN or LOGIN, over TLS or to this machine only"`
	Password string `toml:"password_file" help:"file that holds the password, readable by lull alone"`
	Source   string `toml:"source" help:"address to connect from"`

	MaxConnections int `toml:"max_connections" help:"most connections to it at a time, and so the most mails under way; one place is left to passed mail when digests take the others. A mail that waits 30s for a place goes to the next smarthost, if there is one"`

	Timeout    Duration `toml:"timeout" help:"longest wait for its greeting and for the answer to a command; to connect 30s are enough, for the answer to DATA 2m, for it to read anything of a message 3m, if this is not less"`
	DotTimeout Duration `toml:"dot_timeout" help:"longest wait for the answer to a whole message: one that comes later means that the message goes out twice (RFC 5321 section 4.5.3.2.6)"`
}

// Release says how lull learns whether mail really leaves the mail server. At
// most one of the ways may be set.
type Release struct {
	Command string   `toml:"command" help:"shell command that succeeds while the mail server lets mail out"`
	URL     string   `toml:"url" help:"address that answers 2xx while the mail server lets mail out"`
	Canary  bool     `toml:"canary" help:"send a mail to a sub-address of digest.from; the mail server must hand it back to lull"`
	Every   Duration `toml:"every" help:"how often to ask; default: a sixtieth of the window"`
	Timeout Duration `toml:"timeout" help:"no answer by then is a failure"`
}

// Digest is how digests look.
type Digest struct {
	From     string `toml:"from" help:"sender of digests; its domain must be one that the mail server lets us use; default: lull@HOSTNAME"`
	MaxBytes Size   `toml:"max_bytes" help:"largest digest"`
}

// Reader is whom a digest is for, where that is not simply each address.
type Reader struct {
	Name      string   `toml:"name" help:"address that the digest goes to"`
	Addresses []string `toml:"addresses" help:"recipients whose mail belongs to this reader, besides the name"`
	Schedule  string   `toml:"schedule" help:"this reader's own schedule"`
	Zone      string   `toml:"zone" help:"time zone of the schedule and of the times shown, such as Europe/Berlin; default: UTC"`
}

// Rule decides the class of what it matches, before all else; the first that
// matches counts.
type Rule struct {
	Name      string `toml:"name" help:"shown as the reason of the decision"`
	Class     string `toml:"class" help:"alert (into digests) or pass (relayed as it is)"`
	Sender    string `toml:"sender" help:"envelope sender, * for any text, <> for none"`
	Recipient string `toml:"recipient" help:"envelope recipient, * for any text"`
	From      string `toml:"from" help:"header From, * for any text"`
	Subject   string `toml:"subject" help:"regular expression in the subject"`
	Mark      string `toml:"mark" help:"mark of automation, such as list-id or x-cron-env"`
	Format    string `toml:"format" help:"known format, such as icinga or cron"`
	Client    string `toml:"client" help:"address or network of the client, or unix"`
}

// Defaults are the values that count without a file, for a window of the
// given length.
func Defaults(window time.Duration) Config {
	kept := store.DefaultLimits(window)
	return Config{
		Hostname: machine(), State: "lull-state", Listen: []string{"127.0.0.1:2525"},
		Networks: []string{"127.0.0.0/8", "::1/128"},
		Window:   Duration(window), Budget: 6, Notices: 4, PassBudget: 60,
		LateAfter: Duration(window), GiveUp: Duration(5 * 24 * window),
		Retain: Duration(kept.Retain), Trash: Duration(kept.Trash),
		Reserve: 256 << 20, MaxState: 0, Log: "text", Level: "info",
		Limits: Limits{
			Message: 50 << 20, Recipients: 1000, Connections: 1000, PerHost: 200, Data: 256 << 20, Hops: 50,
			Idle: Duration(3 * time.Minute), Session: Duration(time.Hour),
		},
		Release: Release{Every: Duration(max(window/60, time.Second)), Timeout: Duration(30 * time.Second)},
		Digest:  Digest{MaxBytes: 100_000},
	}
}

// machine is this machine's name, by which it knows itself: no server is asked.
func machine() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}
