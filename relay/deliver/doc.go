// Package deliver takes mail out of lull: over SMTP to the mail server
// ([Smarthost]), or into Maildirs ([Outbox]).
//
// One call of [Sender.Send] is one attempt, and every attempt ends in exactly
// one [store.Outcome]. What it turns on is the last octet of the final dot:
//
//   - it was never handed to the connection: refused. Nothing can arrive.
//   - it was, and a reply came: delivered, or rejected.
//   - it was, and no reply came: unknown. The mail server may have taken the
//     mail (RFC 1047), so the caller must count on both.
//
// What a reply means for the mail is decided in one place, [verdict], for
// every stage of the dialogue and every code.
package deliver
