package dsn

import "bytes"

// original is what of the mail is returned: the whole, or its header.
type original struct {
	kind string
	text []byte
}

// returned keeps to RET (RFC 3461 section 4.3): the whole only of a mail that
// failed and whose sender did not ask for the header, and only if it is small.
func (r Report) returned() original {
	most := r.MaxReturn
	if most == 0 {
		most = DefaultMaxReturn
	}
	if r.Action == Failed && r.Message.Envelope.Ret != "HDRS" && len(r.Original) <= most {
		return original{"message/rfc822", r.Original}
	}
	head := headerOf(r.Original)
	if len(head) > most {
		head = head[:bytes.LastIndexByte(head[:most], '\n')+1]
	}
	return original{"text/rfc822-headers", head}
}

// headerOf is all before the first empty line.
func headerOf(mail []byte) []byte {
	for at := 0; at < len(mail); {
		n := bytes.IndexByte(mail[at:], '\n') + 1
		if n == 0 {
			return mail
		}
		if len(bytes.TrimRight(mail[at:at+n], "\r\n")) == 0 {
			return mail[:at]
		}
		at += n
	}
	return mail
}
