#!/usr/bin/env bash
# Readers of SML, which electricity meters send and gateways forward over MQTT, fail at valid telegrams: npm smartmeter-obis 4.0.0 (on
# open-sml 1.0.4), PyPI pysml 0.1.9 and smllib 1.7.
#
# Expected (SML, in BSI TR-03109-1, wired LMN interface, part b): the length byte of a number says how many bytes follow, 1 to 8, since leading
#           bytes may be left out. The sender doubles four bytes 1b in the data, and the receiver restores them. A value may be a boolean, a time
#           a local timestamp (choice 3). A number is multiplied by ten to the power of the scaler. An octet string is any bytes.
# Seen:     smartmeter-obis reports an error and no value of the telegram if one number has 6 or 7 bytes, or 5 if unsigned, if the data has four
#           bytes 1b, or if a time is a local timestamp. It does not scale a number above 2^53. pysml raises an error for the whole telegram if a
#           value is a boolean. smllib drops bytes of an octet string that are not UTF-8 if the rest are letters and digits: ff31ff32ff33 is 123.
# So:       with smartmeter-obis, a meter that leaves out leading bytes stops reporting when its counter outgrows four or five bytes, and any meter
#           as long as a number is 1b1b1b1b.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q pysml==0.1.9 smllib==1.7
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts smartmeter-obis@4.0.0 open-sml@1.0.4 >/dev/null 2>&1

cat >telegrams.py <<'PY'
"""Telegrams with the value of a counter (1.8.0), and of the power (16.7.0), which is always -250 W."""
ABSENT = b'\x01'

def checksum(data):
    crc = 0xffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 * (crc & 1)
    return (crc ^ 0xffff).to_bytes(2, 'little')

def number(kind, value, size):
    return bytes([kind << 4 | size + 1]) + value.to_bytes(size, 'big', signed=kind == 5)

def unsigned(value, size=1):
    return number(6, value, size)

def signed(value, size=1):
    return number(5, value, size)

def octets(data):
    return bytes([len(data) + 1]) + data

def items(*elements):
    return bytes([0x70 | len(elements)]) + b''.join(elements)

def message(tag, body):
    content = b'\x76' + octets(b'1') + unsigned(0) + unsigned(0) + items(unsigned(tag, 2), body)
    return content + b'\x63' + checksum(content) + b'\0'

def entry(obis, value, time=ABSENT, unit=unsigned(30), scaler=signed(-1)):
    return items(octets(bytes(obis)), ABSENT, time, unit, scaler, value, ABSENT)

def telegram(first):
    server = octets(bytes.fromhex('0a014d51540000000001'))
    values = items(first, entry([1, 0, 16, 7, 0, 255], signed(-2500, 4), unit=unsigned(27)))
    body = message(0x101, items(ABSENT, ABSENT, octets(b'f'), server, ABSENT, ABSENT))
    body += message(0x701, items(ABSENT, server, ABSENT, ABSENT, values, ABSENT, ABSENT)) + message(0x201, items(ABSENT))
    body = body.replace(b'\x1b' * 4, b'\x1b' * 8)
    fill = -len(body) % 4
    frame = bytes.fromhex('1b1b1b1b01010101') + body + bytes(fill) + bytes.fromhex('1b1b1b1b1a') + bytes([fill])
    return frame + checksum(frame)

COUNTER = [1, 0, 1, 8, 0, 255]
FIRST = {f'unsigned,{size}-bytes': entry(COUNTER, unsigned(200, size)) for size in range(4, 9)}
FIRST |= {f'signed,{size}-bytes': entry(COUNTER, signed(200, size)) for size in range(4, 9)}
FIRST |= {
    'number-1b1b1b1b': entry(COUNTER, unsigned(0x1b1b1b1b, 4)),
    'timestamp': entry(COUNTER, unsigned(200, 4), items(unsigned(2), unsigned(1700000000, 4))),
    'local-timestamp': entry(COUNTER, unsigned(200, 4), items(unsigned(3), items(unsigned(1700000000, 4), signed(60, 2), signed(0, 2)))),
    'above-2^53': entry(COUNTER, unsigned(10**16 + 1, 8)),
    'boolean': entry([1, 0, 96, 3, 10, 255], b'\x42\x01', ABSENT, ABSENT, ABSENT),
    'octets': entry([129, 129, 199, 130, 5, 255], octets(bytes.fromhex('ff31ff32ff33')), ABSENT, ABSENT, ABSENT),
}
for name, first in FIRST.items():
    print(name, telegram(first).hex())
PY
cat >try.py <<'PY'
import sml
from smllib import SmlStreamReader

def smllib(data):
    reader = SmlStreamReader()
    reader.add(data)
    for message in reader.get_frame().parse_frame():
        yield from [entry.get_value() for entry in getattr(message.message_body, 'val_list', [])]

def pysml(data):
    for message in sml.SmlBase.find_frame(data)[1]:
        yield from [entry['value'] for entry in message['messageBody'].get('valList', [])]

for reader in smllib, pysml:
    for line in open('telegrams'):
        name, data = line.split()
        try:
            seen = list(reader(bytes.fromhex(data)))
        except Exception as error:
            seen = [type(error).__name__]
        print(reader.__name__, name, *seen)
PY
cat >try.js <<'JS'
const Protocol = require('smartmeter-obis/lib/protocols/SmlProtocol.js');
for (const line of require('fs').readFileSync('telegrams', 'utf8').trim().split('\n')) {
  const [name, data] = line.split(' ');
  const protocol = new Protocol({debug: 0}, (error, result) => {
    console.log('smartmeter-obis', name, error ? 'error' : Object.values(result).map((value) => value.valueToString()).join(' '));
  });
  protocol.handleMessage(Buffer.from(data, 'hex'));
}
JS
python3 telegrams.py >telegrams
{ env/bin/python try.py; node try.js; } | tee seen
cat >expected <<'TEXT'
smllib unsigned,4-bytes 20.0 -250.0
smllib unsigned,5-bytes 20.0 -250.0
smllib unsigned,6-bytes 20.0 -250.0
smllib unsigned,7-bytes 20.0 -250.0
smllib unsigned,8-bytes 20.0 -250.0
smllib signed,4-bytes 20.0 -250.0
smllib signed,5-bytes 20.0 -250.0
smllib signed,6-bytes 20.0 -250.0
smllib signed,7-bytes 20.0 -250.0
smllib signed,8-bytes 20.0 -250.0
smllib number-1b1b1b1b 45476124.3 -250.0
smllib timestamp 20.0 -250.0
smllib local-timestamp 20.0 -250.0
smllib above-2^53 1000000000000000.0 -250.0
smllib boolean True -250.0
smllib octets 123 -250.0
pysml unsigned,4-bytes 20.0 -250.0
pysml unsigned,5-bytes 20.0 -250.0
pysml unsigned,6-bytes 20.0 -250.0
pysml unsigned,7-bytes 20.0 -250.0
pysml unsigned,8-bytes 20.0 -250.0
pysml signed,4-bytes 20.0 -250.0
pysml signed,5-bytes 20.0 -250.0
pysml signed,6-bytes 20.0 -250.0
pysml signed,7-bytes 20.0 -250.0
pysml signed,8-bytes 20.0 -250.0
pysml number-1b1b1b1b 45476124.3 -250.0
pysml timestamp 20.0 -250.0
pysml local-timestamp 20.0 -250.0
pysml above-2^53 1000000000000000.1 -250.0
pysml boolean SmlParserError
pysml octets ff31ff32ff33 -250.0
smartmeter-obis unsigned,4-bytes 0.02 kWh -250 W
smartmeter-obis unsigned,5-bytes error
smartmeter-obis unsigned,6-bytes error
smartmeter-obis unsigned,7-bytes error
smartmeter-obis unsigned,8-bytes 0.02 kWh -250 W
smartmeter-obis signed,4-bytes 0.02 kWh -250 W
smartmeter-obis signed,5-bytes 0.02 kWh -250 W
smartmeter-obis signed,6-bytes error
smartmeter-obis signed,7-bytes error
smartmeter-obis signed,8-bytes 0.02 kWh -250 W
smartmeter-obis number-1b1b1b1b error
smartmeter-obis timestamp 0.02 kWh -250 W
smartmeter-obis local-timestamp error
smartmeter-obis above-2^53 10000000000000001 Wh -250 W
smartmeter-obis boolean true -250 W
smartmeter-obis octets ff31ff32ff33 -250 W
TEXT
diff expected seen
echo "as described"
