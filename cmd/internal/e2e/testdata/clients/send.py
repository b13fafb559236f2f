"""Sends each mail that a line of JSON names; answers each with a line."""
import json, smtplib, sys

for line in sys.stdin:
    errand = json.loads(line)
    try:
        with open(errand["file"], "rb") as f:
            text = f.read()
        options = ["BODY=8BITMIME", *errand.get("mail", [])]
        if not all(a.isascii() for a in [errand["from"], *errand["to"]]):
            options.append("SMTPUTF8")
        with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as s:
            refused = s.sendmail(errand["from"], errand["to"], text, options, errand.get("rcpt", []))
        print(json.dumps(str(refused) if refused else ""), flush=True)
    except Exception as e:
        print(json.dumps(repr(e)), flush=True)
