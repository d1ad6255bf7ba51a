#!/usr/bin/env bash
# Readers of pcapng that misread valid captures without an error: PyPI dpkt 1.9.8, scapy 2.8.0 and python-pcapng 2.1.1.
#
# Every capture below has one 42-byte frame at 1700000000.5, and some have a second frame a second later.
# Expected (the pcapng draft; Wireshark agrees): if_tsresol (4.2) belongs to one interface; a section begins with an empty list of
#           interfaces (4.1); if_tsoffset is added to each time; a snaplen of 0 means no limit; a Simple Packet Block (4.4) is a packet.
# Seen:     dpkt reads the times of all interfaces with the resolution of the first, ends at the second section, and skips Simple Packet Blocks.
#           scapy reads the second section with the interfaces of the first, ignores if_tsoffset, cuts a simple packet to 0 bytes if the
#           snaplen is 0, and gives it the time of the reading. python-pcapng ignores if_tsoffset.
# So:       a capture of several interfaces (mergecap, dumpcap -i a -i b) or of joined files has frames centuries away, or ends early.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q dpkt==1.9.8 scapy==2.8.0 python-pcapng==2.1.1

cat >try.py <<'PY'
import logging, struct, time, warnings
warnings.simplefilter('ignore')
logging.disable(logging.CRITICAL)
import dpkt, pcapng
from scapy.utils import PcapNgReader

def block(kind, body, order='<'):
    body += b'\0' * (-len(body) % 4)
    size = struct.pack(order + 'I', len(body) + 12)
    return struct.pack(order + 'I', kind) + size + body + size

def section(order='<'):
    return block(0x0A0D0D0A, struct.pack(order + 'IHHq', 0x1A2B3C4D, 1, 0, -1), order)

def interface(order='<', **options):
    body = struct.pack(order + 'HHI', 1, 0, 0)
    if 'resolution' in options:
        body += struct.pack(order + 'HHB3x', 9, 1, options['resolution'])
    if 'offset' in options:
        body += struct.pack(order + 'HHq', 14, 8, options['offset'])
    return block(1, body + (struct.pack(order + 'I', 0) if options else b''), order)

frame = bytes.fromhex('ffffffffffff00000000000108004500001c000000004011000001020304050607080001000200080000')

def packet(index, ticks, order='<'):
    head = struct.pack(order + 'IIIII', index, ticks >> 32, ticks & 0xffffffff, len(frame), len(frame))
    return block(6, head + frame, order)

START = 1_700_000_000
captures = {
    'two interfaces': section() + interface(resolution=6) + interface(resolution=9)
        + packet(1, START * 10**9 + 5 * 10**8) + packet(0, START * 10**6 + 1_500_000),
    'two sections': section() + interface(resolution=9) + packet(0, START * 10**9 + 5 * 10**8)
        + section('>') + interface('>') + packet(0, START * 10**6 + 1_500_000, '>'),
    'offset': section() + interface(resolution=6, offset=START) + packet(0, 500_000),
    'simple packet': section() + interface() + block(3, struct.pack('<I', len(frame)) + frame),
}

def with_dpkt(path):
    return [(float(at), len(data)) for at, data in dpkt.pcapng.Reader(open(path, 'rb'))]

def with_scapy(path):
    return [(float(item.time), len(bytes(item))) for item in PcapNgReader(path)]

def with_python_pcapng(path):
    blocks = [item for item in pcapng.FileScanner(open(path, 'rb')) if hasattr(item, 'packet_data')]
    return [(getattr(item, 'timestamp', None), len(item.packet_data)) for item in blocks]

began = time.time()
for name, content in captures.items():
    open('capture.pcapng', 'wb').write(content)
    for reader in (with_dpkt, with_scapy, with_python_pcapng):
        found = [('now' if at and abs(at - began) < 3600 else at, size) for at, size in reader('capture.pcapng')]
        print(name, '|', reader.__name__[5:], '|', found)
PY
venv/bin/python try.py | tee seen
cat >expected <<'TEXT'
two interfaces | dpkt | [(1700000000500.0, 42), (1700000001.5, 42)]
two interfaces | scapy | [(1700000000.5, 42), (1700000001.5, 42)]
two interfaces | python_pcapng | [(1700000000.5, 42), (1700000001.5, 42)]
two sections | dpkt | [(1700000000.5, 42)]
two sections | scapy | [(1700000000.5, 42), (1700000.0015, 42)]
two sections | python_pcapng | [(1700000000.5, 42), (1700000001.5, 42)]
offset | dpkt | [(1700000000.5, 42)]
offset | scapy | [(0.5, 42)]
offset | python_pcapng | [(0.5, 42)]
simple packet | dpkt | []
simple packet | scapy | [('now', 0)]
simple packet | python_pcapng | [(None, 42)]
TEXT
diff expected seen
echo "as described"
