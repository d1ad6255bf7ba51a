#!/usr/bin/env bash
# PyPI fpcap 0.2.0, a reader of captures, gives times of pcapng files in another unit, adds octets to packets, and rejects captures of big-endian machines.
#
# Expected (pcapng draft): if_tsresol says the unit of the times of its interface, as a power of 10 or, if the top bit is set, of 2; if it is absent, microseconds
#           (4.2). A time is a number of these units (4.3). A Simple Packet Block has the original length, and the packet is padded to four octets (4.4).
#           A section has its own interfaces (4.1). (PCAP draft, file header) The magic number a1b2c3d4 is in the byte order of the machine that wrote, so a file may begin
#           with d4c3b2a1 or with a1b2c3d4.
# Seen:     of half a second past 1700000000, the attribute timestamp_microseconds is 500000 with microseconds, 500000000 with nanoseconds, and 512 with units
#           of 1/1024 s. In a second section with nanoseconds, the seconds are 3487918580. A simple packet of 5 octets has 8, of which 3 are
#           padding. A pcap file that begins with a1b2c3d4 raises RuntimeError, unsupported file type; the other order is read.
# So:       fractions of a second of a capture with nanoseconds are a thousand times too large.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q fpcap==0.2.0

cat >try.py <<'PY'
import struct
import fpcap

def block(kind, body):
    body += bytes(-len(body) % 4)
    length = struct.pack('<I', len(body) + 12)
    return struct.pack('<I', kind) + length + body + length

def section():
    return block(0x0A0D0D0A, struct.pack('<IHHq', 0x1A2B3C4D, 1, 0, -1))

def interface(resolution=None):
    option = b'' if resolution is None else struct.pack('<HHB3x', 9, 1, resolution) + bytes(4)
    return block(1, struct.pack('<HHI', 1, 0, 65535) + option)

def enhanced(time, data=b'abcde'):
    return block(6, struct.pack('<IIIII', 0, time >> 32, time & 0xFFFFFFFF, len(data), len(data)) + data)

def pcap(order):
    return struct.pack(order + 'IHHiIII', 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + struct.pack(order + 'IIII', 1700000000, 500000, 5, 5) + b'abcde'

half = 1700000000 * 2 + 1
captures = {
    'microseconds': section() + interface() + enhanced(half * 500_000),
    'microseconds, if_tsresol 6': section() + interface(6) + enhanced(half * 500_000),
    'nanoseconds': section() + interface(9) + enhanced(half * 500_000_000),
    '1/1024 s': section() + interface(0x8A) + enhanced(half * 512),
    'two sections': section() + interface() + enhanced(half * 500_000) + section() + interface(9) + enhanced(half * 500_000_000),
    'simple packet': section() + interface() + block(3, struct.pack('<I', 5) + b'abcde'),
    'pcap, little-endian': pcap('<'),
    'pcap, big-endian': pcap('>'),
}
for title, octets in captures.items():
    with open('capture', 'wb') as file:
        file.write(octets)
    try:
        for packet in fpcap.PacketReader('capture'):
            time = f'{packet.timestamp_seconds} s and {packet.timestamp_microseconds}'
            print(f'{title} | {time} | captured {packet.capture_length} of {packet.length} octets')
    except Exception as error:
        print(f'{title} | raises {type(error).__name__}: {error}')
PY
env/bin/python try.py 2>/dev/null | tee seen
cat >expected <<'TEXT'
microseconds | 1700000000 s and 500000 | captured 5 of 5 octets
microseconds, if_tsresol 6 | 1700000000 s and 500000 | captured 5 of 5 octets
nanoseconds | 1700000000 s and 500000000 | captured 5 of 5 octets
1/1024 s | 1700000000 s and 512 | captured 5 of 5 octets
two sections | 1700000000 s and 500000 | captured 5 of 5 octets
two sections | 3487918580 s and 0 | captured 5 of 5 octets
simple packet | 0 s and 0 | captured 8 of 5 octets
pcap, little-endian | 1700000000 s and 500000 | captured 5 of 5 octets
pcap, big-endian | raises RuntimeError: unsupported file type
TEXT
diff expected seen
echo "as described"
