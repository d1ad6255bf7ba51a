#!/usr/bin/env bash
# npm node-pdu 2.1.1, which reads and writes the SMS of modems that gateways pass on over MQTT, writes validity periods that make the message unreadable, reads
# them as others, and takes the notice of a voice mail for Chinese.
#
# Expected (3GPP TS 23.038, section 4): coding group 1101 (D0 to DF) has text in the default alphabet, 1110 (E0 to EF) in UCS2; bit 3 says whether
#           messages wait. (23.038, section 6.2.1) 5F is the section sign; the alphabet has no degree sign and no grave accent. (3GPP TS 23.040, section
#           9.1.2.3) The semi-octets A and B are * and #. (23.040, sections 9.2.3.3 and 9.2.3.12.1) Bits 4 and 3 of the first octet say whether
#           there is a validity period. 144 to 167 are 12 hours and (period - 143) half hours, 168 to 196 (period - 166) days, 197 to 255 (period - 192) weeks.
#           (23.040, section 9.2.3.24) User data have at most 140 octets, which are 160 septets. (RFC 3339, section 5.6) A time ends in a zone as +05:30.
# Seen:     the first octet is 01, no validity period, and the period is there, so that a receiver takes it for the length of the text; from 90 days on it
#           has three hexadecimal digits, and 5 weeks are written as 9. Read, 12.5 hours are twelve days, 2 days one, 5 weeks one.
#           D8 is read as UCS2 and E0 as the default alphabet. Sender *100# is A100B, zones of half hours are +5.5:00. 5F is read as a grave accent,
#           and that is written as 5F; the degree sign is written as a blank. 100 brackets become one message of 200 septets.
# So:       the temperature in an alarm loses its unit, and an alarm with a validity period is not sent.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts node-pdu@2.1.1 >/dev/null 2>&1

cat >try.js <<'JS'
const { parse, Submit } = require('node-pdu');
const attempt = (work) => { try { return work(); } catch (error) { return `throws ${error.constructor.name}`; } };
const hex = (bytes) => Buffer.from(bytes).toString('hex').toUpperCase();
// Packs codes of seven bits, lowest bit first, as 23.038 section 6.1.2.1 has it.
const pack = (codes) => {
  const bits = codes.flatMap((code) => [...Array(7).keys()].map((bit) => (code >> bit) & 1));
  const bytes = [];
  bits.forEach((bit, at) => { bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (bit << (at & 7)); });
  return hex(bytes);
};
const TIME = '62117041000000';
const deliver = (dcs, length, data, { sender = '04812143', time = TIME } = {}) =>
  `0004${sender}00${dcs}${time}${length.toString(16).padStart(2, '0')}${data}`;
const text = 'call 1'.split('').map((letter) => letter.charCodeAt(0));
const READ = {
  'code 5F': deliver('00', 2, pack([0x5f, 0x35])),
  'voice mail waiting, stored (DCS D8)': deliver('D8', 6, pack(text)),
  'no more voice mail, stored (DCS D0)': deliver('D0', 6, pack(text)),
  'voice mail waiting, UCS2 (DCS E8)': deliver('E8', 4, '00480069'),
  'no more voice mail, UCS2 (DCS E0)': deliver('E0', 4, '00480069'),
};
for (const [title, pdu] of Object.entries(READ)) console.log(title, '|', attempt(() => JSON.stringify(parse(pdu).data.getText())));
console.log('sender *100# |', attempt(() => parse(deliver('00', 1, '41', { sender: '05811A00FB' })).address.phone));
for (const [title, zone] of [['+01:00', '40'], ['-03:00', '29'], ['+05:30', '22'], ['+05:45', '32'], ['+00:00', '00']]) {
  console.log('time zone', title, '|', attempt(() => parse(deliver('00', 1, '41', { time: `621170410000${zone}` })).serviceCenterTimeStamp.getIsoString()));
}
const submit = (period) => `0011000481214300${'00'}${period}0141`;
for (const [period, meaning] of [[0x8f, '12 h'], [0x90, '12.5 h'], [0xa7, '1 d'], [0xa8, '2 d'], [0xad, '7 d'], [0xc4, '30 d'], [0xc5, '5 weeks'], [0xff, '63 weeks']]) {
  console.log('read validity', period, 'which is', meaning, '|', attempt(() => `${parse(submit(period.toString(16))).validityPeriod.interval / 3600} h`));
}
for (const [days, title] of [[0.5, '12 h'], [2, '2 d'], [30, '30 d'], [35, '5 weeks'], [89, '89 d'], [90, '90 d'], [441, '63 weeks']]) {
  const message = new Submit('1234', 'x');
  message.validityPeriod.setInterval(days * 86400);
  console.log('write validity of', title, '|', attempt(() => message.toString()));
}
for (const content of ['21 °C', '`', '{a}']) {
  const pdu = new Submit('1234', content).toString();
  console.log('write', JSON.stringify(content), '| data coding', pdu.slice(16, 18), '| user data', pdu.slice(18));
}
const lines = new Submit('1234', '['.repeat(100)).toString().split('\n');
console.log('write 100 brackets | messages', lines.length, '| septets', parseInt(lines[0].slice(18, 20), 16));
JS
node try.js | tee seen
cat >expected <<'TEXT'
code 5F | "`5"
voice mail waiting, stored (DCS D8) | "鬍訁"
no more voice mail, stored (DCS D0) | "call 1"
voice mail waiting, UCS2 (DCS E8) | "Hi"
no more voice mail, UCS2 (DCS E0) | "@Δ£H"
sender *100# | A100B
time zone +01:00 | 2026-11-07T14:00:00+01:00
time zone -03:00 | 2026-11-07T14:00:00-03:00
time zone +05:30 | 2026-11-07T14:00:00+5.5:00
time zone +05:45 | 2026-11-07T14:00:00+5.75:00
time zone +00:00 | 2026-11-07T14:00:00-00:00
read validity 143 which is 12 h | 12 h
read validity 144 which is 12.5 h | 288.5 h
read validity 167 which is 1 d | 300 h
read validity 168 which is 2 d | 24 h
read validity 173 which is 7 d | 144 h
read validity 196 which is 30 d | 696 h
read validity 197 which is 5 weeks | 168 h
read validity 255 which is 63 weeks | 9912 h
write validity of 12 h | 0001000481214300008F0178
write validity of 2 d | 000100048121430000A80178
write validity of 30 d | 000100048121430000C40178
write validity of 5 weeks | 000100048121430000C90178
write validity of 89 d | 000100048121430000FF0178
write validity of 90 d | 0001000481214300001000178
write validity of 63 weeks | 00010004812143000025F0178
write "21 °C" | data coding 00 | user data 05B218083404
write "`" | data coding 00 | user data 015F
write "{a}" | data coding 00 | user data 051B54789302
write 100 brackets | messages 1 | septets 200
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
