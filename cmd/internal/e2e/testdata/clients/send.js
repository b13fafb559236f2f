// Sends each mail that a line of JSON names; answers each with a line.
const fs = require('fs')
const readline = require('readline')
const nodemailer = require(process.argv[3])

const transport = nodemailer.createTransport({ host: '127.0.0.1', port: Number(process.argv[2]), secure: false, ignoreTLS: true })

async function main () {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const errand = JSON.parse(line)
    let answer = ''
    try {
      const sent = await transport.sendMail({
        envelope: { from: errand.from, to: errand.to, use8BitMime: true, dsn: errand.dsn },
        raw: fs.readFileSync(errand.file)
      })
      if (sent.rejected.length > 0) answer = 'rejected ' + sent.rejected
    } catch (e) {
      answer = String(e)
    }
    console.log(JSON.stringify(answer))
  }
}

main()
