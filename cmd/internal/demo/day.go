package demo

import "time"

// The incident's timeline (UTC), from its report.
type day struct {
	begin    time.Time // the replay starts: an ordinary early afternoon
	upgrade  time.Time // maintenance with expected background alerts
	outage   time.Time // NFS, DNS and LDAP break
	names    time.Time // DNS and LDAP are back
	machines time.Time // the VMs are back, their NFS clients hang
	reboot   time.Time // the mail host, hung on NFS, is rebooted
	purge    time.Time // an operator clears what is left of its queue
	end      time.Time
}

func october7() day {
	at := func(hour, minute int) time.Time { return time.Date(2019, 10, 7, hour, minute, 0, 0, time.UTC) }
	return day{
		begin: at(13, 0), upgrade: at(14, 0), outage: at(15, 45), names: at(16, 0),
		machines: at(16, 30), reboot: at(19, 6), purge: at(20, 15), end: at(22, 10),
	}
}

// broken reports whether home directories are out of reach: from the outage
// until hung clients are rebooted, fleet by fleet, after the mail host.
func (d day) broken(at time.Time) bool {
	return !at.Before(d.outage) && at.Before(d.repaired())
}

func (d day) repaired() time.Time { return d.reboot.Add(24 * time.Minute) }
