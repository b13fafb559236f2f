package deliver

// sevenBit converts a mail for a server without 8BITMIME (body) or SMTPUTF8.
func sevenBit(mail []byte, body bool) ([]byte, bool) { return mail, false }
