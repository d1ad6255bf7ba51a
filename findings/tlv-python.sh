#!/usr/bin/env bash
# Three Python libraries for records of tag, length and value: PyPI uttlv 0.7.1 joins a value of 128 bytes or more with all that follows, tlv8 0.10.0 (Apple
# HomeKit) loses what comes after an unknown record and makes negative numbers positive, pytlv 0.71 (chip cards) writes nothing after an empty value.
#
# Expected (uttlv's README): the length is by default as short as its value needs, and can be of any size; parse_array reads what to_byte_array writes. (X.690,
#           8.1.3.5) 81h and 82h say that one or two bytes of length follow, and are no part of it. (tlv8's README) Integers are little-endian; entries
#           of unknown type are silently ignored. (EMV book 3, annex B2) Lengths from 128 on are 81h and the length; a value may be empty.
# Seen:     uttlv takes the length of 200 bytes, 81C8, for 33224, and an empty value at the end for nothing; both are its own bytes. tlv8 fills -200 in four bytes
#           with zeros, and reads 65336; behind an entry that it does not know it reads no more. pytlv cannot read a certificate, and writes its length B0
#           without 81.
# So:       a device that learns a new record loses the old ones.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps uttlv==0.7.1 tlv8==0.10.0 pytlv==0.71 >/dev/null 2>&1

cat >try.py <<'PY'
import tlv8
from pytlv.TLV import TLV as Card
from uttlv import TLV

for first, second in (bytes(127), b'next'), (bytes(128), b'next'), (bytes(200), b'next'), (bytes(300), b'next'), (b'first', b''):
    written = TLV()
    written[1], written[2] = first, second
    data = written.to_byte_array()
    found = TLV()
    found.parse_array(data)
    print(f'uttlv | 1: {len(first)} bytes, 2: {len(second)} bytes | {data[:4].hex()}... | ' + ', '.join(f'{tag}: {len(found[tag])} bytes' for tag in found))
known = {1: tlv8.DataType.INTEGER, 2: tlv8.DataType.INTEGER}
for extra in [], [tlv8.Entry(9, b'new')]:
    data = tlv8.encode([tlv8.Entry(1, 23)] + extra + [tlv8.Entry(2, 2345)])
    print(f'tlv8 | {data.hex()} | ' + ', '.join(f'{entry.type_id}: {entry.data}' for entry in tlv8.decode(data, known)))
for value in 200, -200:
    data = tlv8.encode([tlv8.Entry(1, value, tlv8.DataType.INTEGER, 4)])
    print(f'tlv8 | {value} in 4 bytes | {data.hex()} | {tlv8.decode(data, known)[0].data}')
print('pytlv | 5A 12, 82 empty, 9F36 0001 | ' + Card(['5A', '82', '9F36']).build({'5A': '12', '82': '', '9F36': '0001'}))
certificate = '00' * 0xb0
print('pytlv | 9F46, 176 bytes | ' + Card(['9F46']).build({'9F46': certificate})[:8] + '...')
try:
    found = Card(['9F46']).parse('9F4681B0' + certificate)
    print(f'pytlv | 9F4681B0... | {len(found["9F46"]) // 2} bytes')
except ValueError as error:
    print(f'pytlv | 9F4681B0... | {type(error).__name__}')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
uttlv | 1: 127 bytes, 2: 4 bytes | 017f0000... | 1: 127 bytes, 2: 4 bytes
uttlv | 1: 128 bytes, 2: 4 bytes | 01818000... | 1: 134 bytes
uttlv | 1: 200 bytes, 2: 4 bytes | 0181c800... | 1: 206 bytes
uttlv | 1: 300 bytes, 2: 4 bytes | 0182012c... | 1: 306 bytes
uttlv | 1: 5 bytes, 2: 0 bytes | 01056669... | 1: 5 bytes
tlv8 | 01011702022909 | 1: 23, 2: 2345
tlv8 | 01011709036e657702022909 | 1: 23
tlv8 | 200 in 4 bytes | 0104c8000000 | 200
tlv8 | -200 in 4 bytes | 010438ff0000 | 65336
pytlv | 5A 12, 82 empty, 9F36 0001 | 5A0112
pytlv | 9F46, 176 bytes | 9F46B000...
pytlv | 9F4681B0... | ValueError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
