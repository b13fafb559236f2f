package sendmail

import "reflect"

// Purpose is what the program is for.
const Purpose = "Give a message on standard input to lull; when lull does not answer, or asks to come again, leave it in a spool from which lull takes it."

// Listing is what mailq lists.
const Listing = "Of each message that waits: how long, its size, its id and sender, and below them its recipients; as Exim's mailq prints it, which scripts read. First come those of the spool, which the daemon has not taken yet, then those of the daemon.\n\nAn entry of the spool that nobody can take is marked *** failed ***. It waits for a person: the last line says where it is and what to do."

// UsualFile is read if neither -C nor $LULL_SENDMAIL names another.
const UsualFile = "/etc/lull/sendmail.conf"

// Settings are what an administrator may set. All keys are optional.
type Settings struct {
	Server   string `toml:"server" help:"where the daemon takes mail in: HOST:PORT, or unix:PATH"`
	Spool    string `toml:"spool" help:"folder for mail that the daemon could not take at once: the same as the daemon's key spool"`
	State    string `toml:"state" help:"the daemon's state folder, for mailq"`
	Domain   string `toml:"domain" help:"domain of addresses that have none; default: that of /etc/mailname, else the hostname"`
	Hostname string `toml:"hostname" help:"our name in SMTP, Received and Message-ID; default: the machine's"`
}

// Defaults are the settings that count without a file.
func Defaults() Settings {
	return Settings{Server: "127.0.0.1:2525", Spool: "/var/spool/lull", State: "/var/lib/lull"}
}

// Key is one key of the settings.
type Key struct{ Name, Default, Help string }

// Keys are all keys of the settings.
func Keys() []Key {
	v := reflect.ValueOf(Defaults())
	keys := make([]Key, v.NumField())
	for i := range keys {
		f := v.Type().Field(i)
		keys[i] = Key{f.Tag.Get("toml"), v.Field(i).String(), f.Tag.Get("help")}
	}
	return keys
}
