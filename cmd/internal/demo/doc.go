// Package demo replays the mail storm of 2019-10-07 through the real SMTP
// server, the real store and the real engine, driven through the day by a clock
// of its own, and compares what each reader got with and without lull.
//
// The timeline is the incident report's; who wrote what to whom follows what
// the hosts of that time were configured to send. The mails are made here, by
// seed, so that every run is the same.
package demo
