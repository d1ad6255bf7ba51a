#!/usr/bin/env bash
# Two npm decoders of AIS, which receivers of ships' positions forward over MQTT, lose turns and interleaved messages, and an encoder invents a
# position: ais-stream-decoder 2.1.2 and ggencoder 1.0.10, beside PyPI pyais 2.9.4.
#
# Expected (ITU-R M.1371-5, annex 8): in messages 1 to 3, the rate of turn is coded as 4.733 times the square root of the degrees per minute, with the
#           sign of the direction, so 20 is 17.9 degrees per minute to starboard and -20 the same to port. "Not available" is coded as rate of turn
#           -128, speed 1023, longitude 181 degrees, latitude 91 degrees, course 3600, heading 511, and, in message 5, hour 24 and minute 60.
#           A VDM sentence has at most 82 characters; longer messages take several with one sequential message identifier (IEC 61162-1), and
#           sentences of other messages may come between them.
# Seen:     ais-stream-decoder takes the square root again: 20 is 2.06, and each turn to port is null, the same as "not available".
#           Of two messages of type 5 whose sentences alternate, pyais reads both, ais-stream-decoder none, and ggencoder the second one.
#           ggencoder decodes speed 102.3, course 360 and heading 511 where they are not available. Its encoder writes position 0 N 0 E, rate of turn 0,
#           speed 0 and course 0 if these are not given, and a time of arrival of 00:00; a message 5 is one sentence of 90 characters.
# So:       a map shows ships of which only the identity is known in the Gulf of Guinea, and a port with two busy channels has ships without names.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q pyais==2.9.4
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts ais-stream-decoder@2.1.2 ggencoder@1.0.10 >/dev/null 2>&1

cat >write.py <<'PY'
"""Writes sentences, built bit by bit, to cases.json, and prints what pyais reads."""
import json
from pyais.stream import IterMessages

def number(value, size):
    return format(value & (1 << size) - 1, f'0{size}b')

def text(value, size):
    return ''.join(number(ord(character), 6) for character in value.ljust(size, '@'))

def sentences(bits, identifier='', channel='A', count=1):
    fill = -len(bits) % 6
    bits += '0' * fill
    values = [int(bits[start:start + 6], 2) for start in range(0, len(bits), 6)]
    payload = ''.join(chr(value + (48 if value < 40 else 56)) for value in values)
    size = -(-len(payload) // count)
    found = []
    for index in range(count):
        last = index == count - 1
        body = f'AIVDM,{count},{index + 1},{identifier},{channel},{payload[index * size:(index + 1) * size]},{fill if last else 0}'
        checksum = 0
        for character in body:
            checksum ^= ord(character)
        found.append(f'!{body}*{checksum:02X}')
    return found

def position(turn, speed, course, heading):
    fields = [(1, 6), (0, 2), (123456789, 30), (0, 4), (turn, 8), (speed, 10), (0, 1), (6000000, 28), (30000000, 27), (course, 12), (heading, 9)]
    return ''.join(number(*field) for field in fields + [(30, 6), (0, 2), (0, 3), (0, 1), (0, 19)])

def static(ship, name):
    fields = [(70, 8), (100, 9), (20, 9), (10, 6), (10, 6), (1, 4), (0, 4), (0, 5), (24, 5), (60, 6), (55, 8)]
    return (''.join(number(*field) for field in [(5, 6), (0, 2), (ship, 30), (0, 2), (0, 30)]) + text('CALL', 7) + text(name, 20)
            + ''.join(number(*field) for field in fields) + text('PORT', 20) + '00')

first, second = sentences(static(111111111, 'FIRST'), '1', 'A', 2), sentences(static(222222222, 'SECOND'), '2', 'B', 2)
cases = {
    'turn 20': sentences(position(20, 100, 900, 90)),
    'turn -20': sentences(position(-20, 100, 900, 90)),
    'turn 0': sentences(position(0, 100, 900, 90)),
    'not available': sentences(position(-128, 1023, 3600, 511)),
    'one after the other': first + second,
    'alternating': [first[0], second[0], first[1], second[1]],
}
json.dump(cases, open('cases.json', 'w'))
for name, lines in cases.items():
    for message in IterMessages([line.encode() for line in lines]):
        message = message.decode()
        seen = message.shipname if message.msg_type == 5 else [message.turn, message.speed, message.course, message.heading]
        if name != 'not available':
            print('pyais |', name, '|', seen)
PY
cat >read.js <<'JS'
const {AisDecode, AisEncode} = require('ggencoder');
const AisDecoder = require('ais-stream-decoder').default;
const cases = require('./cases.json');

for (const [name, lines] of Object.entries(cases)) {
  const session = {};
  for (const line of lines) {
    const message = new AisDecode(line, session);
    if (message.valid) {
      console.log('ggencoder |', name, '|', message.shipname || [message.rot, message.sog, message.cog, message.hdg].join(', '));
    }
  }
}
for (const fields of [{aistype: 1}, {aistype: 5, shipname: 'X', callsign: 'Y'}]) {
  const {nmea} = new AisEncode({mmsi: 123456789, ...fields});
  const message = new AisDecode(nmea, {});
  const {lon, lat, rot, sog, cog, hdg, etaHr, etaMin} = message;
  const seen = fields.aistype === 1 ? {lon, lat, rot, sog, cog, hdg} : {etaHr, etaMin, characters: nmea.length};
  console.log('ggencoder encodes |', JSON.stringify(fields), '|', JSON.stringify(seen));
}
(async () => {
  for (const [name, lines] of Object.entries(cases)) {
    const decoder = new AisDecoder({silent: true});
    const seen = [];
    decoder.on('data', text => {
      const {name, type, rateOfTurn, speedOverGround, courseOverGround, heading} = JSON.parse(text);
      seen.push(type === 5 ? name : JSON.stringify([rateOfTurn, speedOverGround, courseOverGround, heading]));
    });
    lines.forEach(line => decoder.write(line));
    await new Promise(done => { decoder.on('end', done); decoder.end(); });
    console.log('ais-stream-decoder |', name, '|', seen.join(', ') || 'nothing');
  }
})();
JS
{ env/bin/python write.py; node read.js; } | tee seen
cat >expected <<'TEXT'
pyais | turn 20 | [18.0, 10.0, 90.0, 90]
pyais | turn -20 | [-18.0, 10.0, 90.0, 90]
pyais | turn 0 | [0.0, 10.0, 90.0, 90]
pyais | one after the other | FIRST
pyais | one after the other | SECOND
pyais | alternating | FIRST
pyais | alternating | SECOND
ggencoder | turn 20 | 20, 10, 90, 90
ggencoder | turn -20 | -20, 10, 90, 90
ggencoder | turn 0 | 0, 10, 90, 90
ggencoder | not available | -128, 102.3, 360, 511
ggencoder | one after the other | FIRST
ggencoder | one after the other | SECOND
ggencoder | alternating | SECOND
ggencoder encodes | {"aistype":1} | {"lon":0,"lat":0,"rot":0,"sog":0,"cog":0,"hdg":511}
ggencoder encodes | {"aistype":5,"shipname":"X","callsign":"Y"} | {"etaHr":0,"etaMin":0,"characters":90}
ais-stream-decoder | turn 20 | [2.055638512394725,10,90,90]
ais-stream-decoder | turn -20 | [null,10,90,90]
ais-stream-decoder | turn 0 | [0,10,90,90]
ais-stream-decoder | not available | [null,null,null,null]
ais-stream-decoder | one after the other | FIRST, SECOND
ais-stream-decoder | alternating | nothing
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "ais-stream-decoder 2.1.2, ggencoder 1.0.10: as described"
