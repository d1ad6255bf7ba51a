#!/usr/bin/env bash
# BSON and UBJSON libraries for Python that lose types and digits: PyPI bson-modern 1.1.0 cannot write bytes, bson 0.5.10, ibson 0.0.5 and lbson-py
# 0.1.0 change object identifiers, timestamps and extreme keys, simpleubjson 0.7.0 rounds numbers, beside PyPI pymongo 4.20.1.
#
# Expected (BSON specification 1.1): element type 05 is binary with a subtype, 07 an ObjectId of 12 octets, 0b a regular expression, 11 a timestamp of
#           64 bits, 12 an integer of 64 bits, ff and 7f the min key and the max key. (UBJSON specification, draft 12, value types) float32 is d,
#           float64 is D, and a number of Python is a float64.
# Seen:     bson-modern, which calls itself a drop-in replacement for bson, reads bytes and raises AttributeError when it writes them. bson and
#           bson-modern read an ObjectId as its hexadecimal digits; bson writes it back as 24 octets of binary. They and ibson read a timestamp as an
#           integer and write it back as type 12; a regular expression, min and max keys raise UnboundLocalError in bson and bson-modern. ibson
#           rejects an ObjectId and a regular expression, and cannot write the min and max keys that it read. lbson-py reads min and max keys as None
#           and writes them as null, and an ObjectId as a string. simpleubjson writes 0.1 as a float32, 0.10000000149011612; 1e300 is a float64.
# So:       documents that pass through such a program have other types than before, so that queries by identifier find nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
for library in pymongo==4.20.1 bson==0.5.10 bson-modern==1.1.0 ibson==0.0.5 lbson-py==0.1.0; do
  env/bin/pip install -q --target "${library%%=*}" "$library"
done
env/bin/pip install -q simpleubjson==0.7.0

cat >try.py <<'PY'
import struct, sys

name = sys.argv[1]
if name == 'pymongo':
    from bson import decode as read, encode as write
elif name.startswith('bson'):
    from bson import dumps as write, loads as read
elif name == 'ibson':
    from ibson import dumps as write, loads as read
else:
    from lbson import decode as read, encode as write

def document(kind, value):
    body = bytes([kind]) + b'a\0' + value + b'\0'
    return struct.pack('<i', len(body) + 4) + body

CASES = [
    ('int64', 0x12, struct.pack('<q', -5000000000)),
    ('bytes', 0x05, struct.pack('<i', 3) + b'\0abc'),
    ('ObjectId', 0x07, bytes(range(12))),
    ('regular expression', 0x0b, b'^x\0i\0'),
    ('timestamp', 0x11, struct.pack('<II', 3, 1700000000)),
    ('min key', 0xff, b''),
    ('max key', 0x7f, b''),
]
for label, kind, value in CASES:
    if name == 'lbson-py' and label == 'timestamp':
        continue
    data = document(kind, value)
    try:
        found = read(data)['a']
    except Exception as error:
        print(f'{name} {label}: reads {type(error).__name__}')
        continue
    try:
        again = bytes(write({'a': found}))
        result = 'the same' if again == data else f'type {again[4]:02x}, {len(again) - 8} octets for {len(data) - 8}'
    except Exception as error:
        result = type(error).__name__
    print(f'{name} {label}: reads {type(found).__name__}, writes {result}')
PY
cat >floats.py <<'PY'
import struct
import simpleubjson
for value in 0.1, 21.7, 1e300:
    data = bytes(simpleubjson.encode(value))
    kept = struct.unpack('>f' if data[:1] == b'd' else '>d', data[1:])[0]
    print('simpleubjson', value, 'written as', data[:1].decode(), data[1:].hex(), 'which is', kept)
PY
{
  for library in pymongo bson bson-modern ibson lbson-py; do PYTHONPATH=$library env/bin/python try.py "$library"; done
  env/bin/python floats.py
} | tee seen
cat >expected <<'TEXT'
pymongo int64: reads Int64, writes the same
pymongo bytes: reads bytes, writes the same
pymongo ObjectId: reads ObjectId, writes the same
pymongo regular expression: reads Regex, writes the same
pymongo timestamp: reads Timestamp, writes the same
pymongo min key: reads MinKey, writes the same
pymongo max key: reads MaxKey, writes the same
bson int64: reads int, writes the same
bson bytes: reads bytes, writes the same
bson ObjectId: reads bytes, writes type 05, 29 octets for 12
bson regular expression: reads UnboundLocalError
bson timestamp: reads int, writes type 12, 8 octets for 8
bson min key: reads UnboundLocalError
bson max key: reads UnboundLocalError
bson-modern int64: reads int, writes the same
bson-modern bytes: reads bytes, writes AttributeError
bson-modern ObjectId: reads bytes, writes AttributeError
bson-modern regular expression: reads UnboundLocalError
bson-modern timestamp: reads int, writes type 12, 8 octets for 8
bson-modern min key: reads UnboundLocalError
bson-modern max key: reads UnboundLocalError
ibson int64: reads int, writes the same
ibson bytes: reads bytes, writes the same
ibson ObjectId: reads BSONDecodeError
ibson regular expression: reads BSONDecodeError
ibson timestamp: reads int, writes type 12, 8 octets for 8
ibson min key: reads MinKey, writes BSONEncodeError
ibson max key: reads MaxKey, writes BSONEncodeError
lbson-py int64: reads int, writes the same
lbson-py bytes: reads bytes, writes the same
lbson-py ObjectId: reads str, writes type 02, 29 octets for 12
lbson-py regular expression: reads Pattern, writes type 0b, 6 octets for 5
lbson-py min key: reads NoneType, writes type 0a, 0 octets for 0
lbson-py max key: reads NoneType, writes type 0a, 0 octets for 0
simpleubjson 0.1 written as d 3dcccccd which is 0.10000000149011612
simpleubjson 21.7 written as d 41ad999a which is 21.700000762939453
simpleubjson 1e+300 written as D 7e37e43c8800759c which is 1e+300
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
