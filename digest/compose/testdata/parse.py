# Parses mails with Python's email package; prints one JSON object a file.
import email, email.policy, hashlib, json, sys

for path in sys.argv[1:]:
    with open(path, "rb") as f:
        m = email.message_from_binary_file(f, policy=email.policy.default)
    def body(kind):
        part = m.get_body(preferencelist=(kind,))
        return part.get_content().replace("\r\n", "\n") if part else ""
    defects = [str(d) for p in m.walk() for d in p.defects]
    files = {a.get_filename(): hashlib.sha256(a.get_content()).hexdigest() for a in m.iter_attachments()}
    print(json.dumps({"subject": str(m["subject"]), "messageId": str(m["message-id"]), "date": m["date"].datetime.timestamp(),
        "from": [a.addr_spec for a in m["from"].addresses], "to": [a.addr_spec for a in m["to"].addresses],
        "text": body("plain"), "html": body("html"), "files": files, "defects": defects}))
