#!/usr/bin/env bash
# npm rtp-parser 1.0.0, a reader of RTP, in which cameras and intercoms send sound and pictures, gives wrong sources and takes header and padding for payload.
#
# Expected (RFC 3550, 5.1): the contributing sources follow the twelve octets of the fixed header. If the bit P is set, the last octet counts the octets of padding at
#           the end, which are not payload, and it counts itself. (5.3.1) If the bit X is set, an extension follows the sources: 16 bits of a profile, the
#           number of words of 32 bits, and these words.
# Seen:     a source 01020304 is read from inside of the identifier of the sender, as is half of the second one. The payload of a packet with an extension begins
#           with it, and that of a packet with padding ends with it. The fixed header is right.
# So:       the speaker of a mixed call is another one, and the sound has a click at the begin or end of such packets.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts rtp-parser@1.0.0 >/dev/null 2>&1

cat >try.js <<'JS'
const { parseRtpPacket } = require('rtp-parser');
const packet = (bits, ...parts) => Buffer.from([bits.toString(16).padStart(2, '0'), '08', '0007', '000000a0', 'aabbccdd', ...parts].join(''), 'hex');
for (const [title, octets] of [
  ['plain', packet(0x80, 'd5d5d5d5')],
  ['one source', packet(0x81, '01020304', 'd5d5d5d5')],
  ['two sources', packet(0x82, '01020304', '05060708', 'd5d5d5d5')],
  ['extension of one word', packet(0x90, 'bede0001', '10ff0000', 'd5d5d5d5')],
  ['padding of four octets', packet(0xa0, 'd5d5d5d5', '00000004')],
]) {
  const { sequenceNumber, timestamp, ssrc, csrc, extension, padding, payload } = parseRtpPacket(octets);
  const hex = (number) => number.toString(16).padStart(8, '0');
  console.log(title, '|', sequenceNumber, timestamp, hex(ssrc), '| sources', csrc.map(hex).join(' ') || 'none', '| extension', extension, 'padding', padding, '| payload', payload.toString('hex'));
}
JS
node try.js | tee seen
cat >expected <<'TEXT'
plain | 7 160 aabbccdd | sources none | extension 0 padding 0 | payload d5d5d5d5
one source | 7 160 aabbccdd | sources bbccdd01 | extension 0 padding 0 | payload d5d5d5d5
two sources | 7 160 aabbccdd | sources bbccdd01 02030405 | extension 0 padding 0 | payload d5d5d5d5
extension of one word | 7 160 aabbccdd | sources none | extension 1 padding 0 | payload bede000110ff0000d5d5d5d5
padding of four octets | 7 160 aabbccdd | sources none | extension 0 padding 1 | payload d5d5d5d500000004
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "rtp-parser 1.0.0: as described"
