#!/usr/bin/env bash
# Five libraries for Intel HEX, the form in which firmware reaches devices over MQTT, put octets at wrong addresses: PyPI hexformat 0.4.0, ihextools 1.2.0,
# elli 1.0.2 and ihexsrec 0.1.9, and npm intel-hex 0.2.0.
#
# Expected (Intel, Hexadecimal Object File Format Specification, revision A, 1988): with an extended linear address, the octets of a record follow each other over
#           64 KiB (Extended Linear Address Record). With an extended segment address they wrap: after offset FFFF comes offset 0 of the same segment
#           (Extended Segment Address Record). An address field has four digits (General Record Format). Start addresses are registers, not data (Start Linear
#           Address Record, Start Segment Address Record). Addresses have 32 bits.
# Seen:     hexformat reads this correctly, but writes records over the end of a segment: of 70000 octets at 10008, its own reader finds eight at 10000. ihextools
#           reads the part of a record after 64 KiB 64 KiB too low, takes start addresses for data, ignores segments, and writes addresses of five digits. elli,
#           ihexsrec and intel-hex do not wrap in a segment. intel-hex throws for each file at 80000000 and above, also with its option for the first address.
# So:       a device is sent a firmware with eight octets elsewhere, or with an entry point as its last instruction; the checksum of each line is correct.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q hexformat==0.4.0 ihextools==1.2.0 elli==1.0.2 ihexsrec==0.1.9
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts intel-hex@0.2.0 >/dev/null 2>&1

cat >make.py <<'PY'
def record(kind, address, data=b''):
    octets = bytes([len(data), address >> 8, address & 255, kind, *data])
    return ':' + (octets + bytes([-sum(octets) & 255])).hex().upper()

DATA = bytes(range(1, 17))
FILES = {
    'linear': (record(4, 0, b'\x00\x01'), record(0, 0xfff8, DATA)),
    'segment': (record(2, 0, b'\x10\x00'), record(0, 0xfff8, DATA)),
    'start': (record(0, 0x100, DATA), record(5, 0, b'\x00\x00\x01\x01')),
    'high': (record(4, 0, b'\x9d\x00'), record(0, 0, DATA)),
}
for name, lines in FILES.items():
    with open(f'{name}.hex', 'w') as file:
        file.write('\n'.join((*lines, record(1, 0))) + '\n')
PY
cat >try.py <<'PY'
import io
from elli import Elli
from hexformat.intelhex import IntelHex
from ihexsrec import IHEXSREC
from ihextools import iHex

def with_hexformat(path):
    found = IntelHex.fromihexfile(path)
    return {start + index: octet for start, size in found.parts() for index, octet in enumerate(found.get(start, size))}

def with_elli(path):
    return Elli(path)._memory

def with_ihexsrec(path):
    return {start + index: octet for start, _, octets in IHEXSREC.load(path).image.iter_segments() for index, octet in enumerate(octets)}

def with_ihextools(path):
    found = iHex()
    found.load_ihex(path)
    return dict(pair for group in found._addr_groups for pair in group.get_u8_list())

def show(memory):
    runs = []
    for address in sorted(memory):
        if runs and address == runs[-1][0] + len(runs[-1][1]):
            runs[-1][1].append(memory[address])
        else:
            runs.append((address, [memory[address]]))
    return ', '.join(f'{address:X} {bytes(octets).hex()}' for address, octets in runs)

for name in 'linear', 'segment', 'start', 'high':
    for library, read in ('hexformat', with_hexformat), ('elli', with_elli), ('ihexsrec', with_ihexsrec), ('ihextools', with_ihextools):
        print(name, '|', library, '|', show(read(f'{name}.hex')))

firmware = bytes(index * 7 & 255 for index in range(70000))
image = IntelHex()
image.set(0x10008, bytearray(firmware))
written = io.StringIO()
image.toihexfh(written, variant=16)
written.seek(0)
again = IntelHex.fromihexfh(written)
print('70000 octets at 10008, written and read by hexformat |', ', '.join(f'{size} at {start:X}' for start, size in again.parts()),
      '|', 'equal' if bytes(again.get(0x10008, 70000)) == firmware else 'not equal')
image = iHex()
image.load_bytes(bytes(range(1, 33)), 0xfff8)
print('32 octets at FFF8, written by ihextools |', ' '.join(str(image).split()))
image = iHex()
image.load_ihex('start.hex')
print('start, binary of ihextools |', image.get_binary().hex())
PY
cat >try.js <<'JS'
const { readFileSync } = require('fs');
const { parse } = require('intel-hex');
for (const [name, first] of [['linear', 0x10000], ['segment', 0x10000], ['start', 0x100], ['high', 0x9d000000]]) {
  try {
    const { data } = parse(readFileSync(`${name}.hex`, 'latin1'), undefined, first);
    const from = [...data].findIndex((octet) => octet !== 255 && octet !== 0);
    console.log(`${name} | intel-hex | ${(first + from).toString(16).toUpperCase()} ${data.subarray(from).toString('hex')}`);
  } catch (error) {
    console.log(`${name} | intel-hex | throws ${error.constructor.name}`);
  }
}
JS
python3 make.py
{ env/bin/python try.py; node try.js; } | tee seen
cat >expected <<'TEXT'
linear | hexformat | 1FFF8 0102030405060708090a0b0c0d0e0f10
linear | elli | 1FFF8 0102030405060708090a0b0c0d0e0f10
linear | ihexsrec | 1FFF8 0102030405060708090a0b0c0d0e0f10
linear | ihextools | 10000 090a0b0c0d0e0f10, 1FFF8 0102030405060708
segment | hexformat | 10000 090a0b0c0d0e0f10, 1FFF8 0102030405060708
segment | elli | 1FFF8 0102030405060708090a0b0c0d0e0f10
segment | ihexsrec | 1FFF8 0102030405060708090a0b0c0d0e0f10
segment | ihextools | 0 1000, FFF8 0102030405060708090a0b0c0d0e0f10
start | hexformat | 100 0102030405060708090a0b0c0d0e0f10
start | elli | 100 0102030405060708090a0b0c0d0e0f10
start | ihexsrec | 100 0102030405060708090a0b0c0d0e0f10
start | ihextools | 0 00000101, 100 0102030405060708090a0b0c0d0e0f10
high | hexformat | 9D000000 0102030405060708090a0b0c0d0e0f10
high | elli | 9D000000 0102030405060708090a0b0c0d0e0f10
high | ihexsrec | 9D000000 0102030405060708090a0b0c0d0e0f10
high | ihextools | 9D000000 0102030405060708090a0b0c0d0e0f10
70000 octets at 10008, written and read by hexformat | 65536 at 10000, 4464 at 20008 | not equal
32 octets at FFF8, written by ihextools | :020000040000FA :10FFF8000102030405060708090A0B0C0D0E0F1071 :1010008001112131415161718191A1B1C1D1E1F2060 :00000001FF
start, binary of ihextools | 0102030405060708090a0b0c0d0e0f1000000101
linear | intel-hex | 1FFF8 0102030405060708090a0b0c0d0e0f10
segment | intel-hex | 1FFF8 0102030405060708090a0b0c0d0e0f10
start | intel-hex | 100 0102030405060708090a0b0c0d0e0f10
high | intel-hex | throws RangeError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
