// Parses mails with mailparser; prints one JSON object a file.
const fs = require("fs"), crypto = require("crypto"), { simpleParser } = require("mailparser");

(async () => {
  for (const path of process.argv.slice(2)) {
    const m = await simpleParser(fs.readFileSync(path), { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true });
    const files = {};
    for (const a of m.attachments) files[a.filename] = crypto.createHash("sha256").update(a.content).digest("hex");
    console.log(JSON.stringify({ subject: m.subject, messageId: m.messageId, date: m.date.getTime() / 1000,
      from: m.from.value.map((a) => a.address), to: m.to.value.map((a) => a.address).filter(Boolean),
      text: m.text || "", html: m.html || "", files, defects: [] }));
  }
})();
