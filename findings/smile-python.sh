#!/usr/bin/env bash
# PyPI newsmile 1.1, the reader and writer of Smile (binary JSON) for Python 3, cannot read objects that repeat a name, and turns numbers around.
#
# Expected (Smile format specification 1.0.4): names of properties that occurred before are references, 40 to 7F, if bit 0 of the header is set, which it is
#           by default ("High-level format", "Tokens: key mode"). A 32-bit float is five octets of 7 bits, big-endian, behind 28 ("Tokens: general"). The
#           length of a name outside of ASCII is in octets, 2 for C0; a long name, 34, ends at FC ("Tokens: key mode"). E8 is binary data in 7 bits an octet
#           ("Token class: Misc").
# Seen:     newsmile raises ValueError for [{"ab": 1}, {"ab": 2}], also as it wrote it itself. It reads the 32-bit 1.5 as 2.26e-41 and -2 as 1.7e-44, and
#           writes -0.1 as a 32-bit float with its octets in reverse, so others read -0.1 as another number, and itself as -0.10000000149011612. It
#           writes the length of the name "€" in characters, and cannot read it. A name of 70 characters becomes None. It rejects E8 as an unknown
#           token, and raises OverflowError when it writes 1e300.
# So:       a list of readings, which all have the same names, cannot be read at all; of one reading, the decimals are wrong.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q newsmile==1.1

cat >try.py <<'PY'
import struct
from newsmile import SmileDecoder, SmileEncoder

def groups(number, count):
    return bytes(number >> 7 * shift & 127 for shift in reversed(range(count)))

def single(value):
    return b'\x28' + groups(struct.unpack('>I', struct.pack('>f', value))[0], 5)

def double(value):
    return b'\x29' + groups(struct.unpack('>Q', struct.pack('>d', value))[0], 10)

def attempt(work):
    try:
        return repr(work())
    except Exception as error:
        return f'raises {type(error).__name__}: {error}'[:70]

header = b':)\n\x01'
given = {
    'list of 1 and 2': b'\xf8\xc2\xc4\xf9',
    'double 21.5': double(21.5),
    'object': b'\xfa\x81ab\xc2\xfb',
    'two objects with one name': b'\xf8\xfa\x81ab\xc2\xfb\xfa\x40\xc4\xfb\xf9',
    'single 1.5': single(1.5),
    'single -2': single(-2),
    'name of 70 characters': b'\xfa\x34' + b'k' * 70 + b'\xfc\xc2\xfb',
    'binary 01 ff': b'\xe8\x82\x00\x7f\x03',
}
for title, tokens in given.items():
    print('read', title, '|', attempt(lambda: SmileDecoder().decode(header + tokens)))
for value in [1, 2], {'ab': 1}, [{'ab': 1}, {'ab': 2}], -0.1, 1e300, {'€': 1}:
    print('write', value, '|', attempt(lambda: SmileEncoder().encode(value).hex(' ')))
    print('write and read', value, '|', attempt(lambda: SmileDecoder().decode(SmileEncoder().encode(value))))
print('-0.1 as a big-endian single is', single(-0.1).hex(' '))
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
read list of 1 and 2 | [1, 2]
read double 21.5 | 21.5
read object | {'ab': 1}
read two objects with one name | raises ValueError: Shared References not setted for keys
read single 1.5 | 2.2604345528023624e-41
read single -2 | 1.6815581571897805e-44
read name of 70 characters | {None: 1}
read binary 01 ff | raises ValueError: value: e8: unknown token
write [1, 2] | '3a 29 0a 01 f8 c2 c4 f9'
write and read [1, 2] | [1, 2]
write {'ab': 1} | '3a 29 0a 01 fa 81 61 62 c2 fb'
write and read {'ab': 1} | {'ab': 1}
write [{'ab': 1}, {'ab': 2}] | '3a 29 0a 01 f8 fa 81 61 62 c2 fb fa 40 c4 fb f9'
write and read [{'ab': 1}, {'ab': 2}] | raises ValueError: Shared References not setted for keys
write -0.1 | '3a 29 0a 01 28 4d 19 33 6e 0b'
write and read -0.1 | -0.10000000149011612
write 1e+300 | raises OverflowError: float too large to pack with f format
write and read 1e+300 | raises OverflowError: float too large to pack with f format
write {'€': 1} | '3a 29 0a 01 fa c0 e2 82 ac c2 fb'
write and read {'€': 1} | raises UnicodeDecodeError: 'utf-8' codec can't decode bytes in positio
-0.1 as a big-endian single is 28 0b 6e 33 19 4d
TEXT
diff expected seen
echo "as described"
