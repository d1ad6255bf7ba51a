#!/usr/bin/env bash
# Four packages for the firmware files that are sent to devices over MQTT: PyPI ihextools 1.2.0 has addresses of records as code, and writes lines that are too
# long; npm nrf-intel-hex 1.4.0 does not reach the upper half of the memory. PyPI ihexsrec 0.1.9 and npm intel-hex 0.2.0 differ in smaller matters. Beside hexformat 0.4.0.
#
# Expected (Intel, Hexadecimal Object File Format Specification, revision A, 1988, "Extended Linear Address Record", "Extended Segment Address Record"): the
#           address of an octet is (linear base + offset + index) modulo 4 G, or segment base + (offset + index) modulo 64 K. ("Start Segment Address
#           Record", "Start Linear Address Record") Types 03 and 05 have registers, no data. (Motorola, M68000 Family Programmer's Reference Manual, appendix
#           C.2) S7 ends a block of S3 records, S9 one of S1 records.
# Seen:     ihextools returns the values of records 02, 03 and 05 with the code, ignores the segment, ors the address with the base, so that octets behind a
#           boundary of 64 K have the address of the ones 64 K before, and leaves out gaps. It writes an offset of five digits behind 0FFF8. nrf-intel-hex
#           throws an error from 80000000 on, where some microcontrollers have their flash. intel-hex and ihexsrec go on behind the segment;
#           ihexsrec ends S3 records with S9, and loses a start in a segment in S records.
# So:       the image that is hashed, signed or flashed has four octets too many behind the code.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts intel-hex@0.2.0 nrf-intel-hex@1.4.0 >/dev/null 2>&1
python3 -m venv env >/dev/null
env/bin/pip install -q --disable-pip-version-check ihextools==1.2.0 ihexsrec==0.1.9 hexformat==0.4.0 >/dev/null 2>&1

cat >try.js <<'JS'
const intelHex = require('intel-hex');
const MemoryMap = require('nrf-intel-hex');
const text = require('fs').readFileSync(process.argv[2], 'latin1');
const attempt = (work) => { try { return work(); } catch (error) { return `throws ${error.constructor.name}`; } };
const places = (octets) => [...octets.entries()].filter(([, octet]) => octet !== 0xff).map(([address, octet]) => `${address.toString(16)}=${octet.toString(16)}`).join(' ');
console.log('   intel-hex |', text.includes('80000') ? 'not tried' : attempt(() => places(intelHex.parse(text, 0x21000).data)));
console.log('   nrf-intel-hex |', attempt(() => [...MemoryMap.fromHex(text)].map(([address, octets]) => `${address.toString(16)}=${Buffer.from(octets).toString('hex')}`).join(' ')));
JS
cat >try.py <<'PY'
import subprocess
from hexformat.intelhex import IntelHex
from ihexsrec import IHEXSREC, IntelHexCodec
from ihextools.ihex import iHex


def record(offset, kind, data=''):
    octets = bytes([len(data) // 2, offset >> 8, offset & 255, kind]) + bytes.fromhex(data)
    return f':{(octets + bytes([-sum(octets) & 255])).hex().upper()}'


def attempt(work):
    try:
        return work()
    except Exception as error:
        return f'raises {type(error).__name__}'


def ihextools():
    image = iHex()
    image.load_ihex('image.hex')
    return f'binary {image.get_binary().hex()}, words ' + ' '.join(f'{address:x}={word:08x}' for address, word in image.get_u32_list())


def hexformat():
    with open('image.hex') as file:
        image = IntelHex.fromihexfh(file)
    return ' '.join(f'{address:x}={bytes(octets).hex()}' for address, octets in image._parts)


def ihexsrec():
    with open('image.hex') as file:
        image = IntelHexCodec.parse_lines(file)
    return ' '.join(f'{start:x}={octets.hex()}' for start, _, octets in image.iter_segments())


END = record(0, 1)
CASES = {
    'code and start address': [record(0, 4, '0001'), record(0, 0, 'AABBCCDD'), record(0, 5, '00010000'), END],
    'code and start segment': [record(0, 0, 'AABBCCDD'), record(0, 3, '10000002'), END],
    'segment 1000': [record(0, 2, '1000'), record(0x10, 0, 'AABBCCDD'), END],
    'record across 64 K': [record(0, 4, '0001'), record(0xFFFC, 0, '0102030405060708'), END],
    'record across the end of a segment': [record(0, 2, '1000'), record(0xFFFE, 0, '01020304'), END],
    'gap': [record(0, 0, '01020304'), record(8, 0, '05060708'), END],
    'flash at 80000000': [record(0, 4, '8000'), record(0, 0, 'AABBCCDD'), END],
}
for title, lines in CASES.items():
    with open('image.hex', 'w') as file:
        file.write('\n'.join(lines) + '\n')
    print(title, flush=True)
    for read in (hexformat, ihexsrec, ihextools):
        print('  ', read.__name__, '|', attempt(read), flush=True)
    print(subprocess.run(['node', 'try.js', 'image.hex'], capture_output=True, text=True).stdout, end='', flush=True)
image = iHex()
image.load_bytes(bytes(range(32)), 0xFFF8)
print('ihextools writes 32 octets at FFF8 |', *str(image).split())
image = IHEXSREC()
image.write(0x08000000, b'\xAA\xBB')
print('ihexsrec writes S records at 8000000 |', *image.to_srec(header='')[1:])
image = IHEXSREC(IntelHexCodec.parse_lines(CASES['code and start segment']))
print('ihexsrec writes a start of 1000:0002 to S records |', *image.to_srec(header='')[1:])
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
code and start address
   hexformat | 10000=aabbccdd
   ihexsrec | 10000=aabbccdd
   ihextools | binary aabbccdd00010000, words 10000=aabbccdd 10000=00010000
   intel-hex | 10000=aa 10001=bb 10002=cc 10003=dd
   nrf-intel-hex | 10000=aabbccdd
code and start segment
   hexformat | 0=aabbccdd
   ihexsrec | 0=aabbccdd
   ihextools | binary aabbccdd10000002, words 0=aabbccdd 0=10000002
   intel-hex | 0=aa 1=bb 2=cc 3=dd
   nrf-intel-hex | 0=aabbccdd
segment 1000
   hexformat | 10010=aabbccdd
   ihexsrec | 10010=aabbccdd
   ihextools | binary 1000aabbccdd, words 0=1000aabb 12=ccdd0000
   intel-hex | 10010=aa 10011=bb 10012=cc 10013=dd
   nrf-intel-hex | 10010=aabbccdd
record across 64 K
   hexformat | 1fffc=0102030405060708
   ihexsrec | 1fffc=0102030405060708
   ihextools | binary 0102030405060708, words 1fffc=01020304 10000=05060708
   intel-hex | 1fffc=1 1fffd=2 1fffe=3 1ffff=4 20000=5 20001=6 20002=7 20003=8
   nrf-intel-hex | throws Error
record across the end of a segment
   hexformat | 10000=0304 1fffe=0102
   ihexsrec | 1fffe=01020304
   ihextools | binary 100001020304, words 0=10000102 10000=03040000
   intel-hex | 1fffe=1 1ffff=2 20000=3 20001=4
   nrf-intel-hex | throws Error
gap
   hexformat | 0=01020304 8=05060708
   ihexsrec | 0=01020304 8=05060708
   ihextools | binary 0102030405060708, words 0=01020304 8=05060708
   intel-hex | 0=1 1=2 2=3 3=4 8=5 9=6 a=7 b=8
   nrf-intel-hex | 0=01020304 8=05060708
flash at 80000000
   hexformat | 80000000=aabbccdd
   ihexsrec | 80000000=aabbccdd
   ihextools | binary aabbccdd, words 80000000=aabbccdd
   intel-hex | throws RangeError
   nrf-intel-hex | throws Error
ihextools writes 32 octets at FFF8 | :020000040000FA :10FFF800000102030405060708090A0B0C0D0E0F81 :101000800101112131415161718191A1B1C1D1E1F70 :00000001FF
ihexsrec writes S records at 8000000 | S30708000000AABB8B S9030000FC
ihexsrec writes a start of 1000:0002 to S records | S1070000AABBCCDDEA S9030000FC
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
