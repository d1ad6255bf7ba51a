#!/usr/bin/env bash
# PyPI nfm-dnp3 1.0.1, a DNP3 master that gateways between substations and MQTT can use, reads events as other values, beside PyPI dnp3py 0.6.0.
#
# Expected (IEEE 1815-2012, annex A and tables 4-4 and 4-5): events have variations of their own. Analog input events (group 32) of variation 3 and 4 are a
#           flag octet, 32 or 16 bits and a time of 48 bits, those of variation 7 a flag octet, a float and a time; counter events (group 22) of variation 5
#           are a flag octet, 32 bits and a time. In a binary input event of variation 1 (group 2), bit 7 of the octet is the state, and bit 0 says
#           that the point is online. Qualifier 17 is a count and indices of one octet each, 28 of two octets each, before each object.
# Seen:     the flags of events of variation 3, 4 and 5 are read as part of the value: 1000 is 256001 or -6143. Variation 7 raises ValueError. A binary input
#           that goes off is reported as on. After the indexed objects of one header, those of the next are lost. With qualifier 28, index 3 is
#           768, and on is off. dnp3py gives the values that were sent. Static objects are read well by both.
# So:       values are right after an integrity poll and wrong with each event after it, plausibly so for a breaker.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q nfm-dnp3==1.0.1 dnp3py==0.6.0

cat >try.py <<'PY'
"""Answers a poll for class 1 of both masters with one object header or two, and prints what they report."""
import asyncio, logging, socket, struct, threading
from dnp3.master import DefaultSOEHandler, Master, MasterConfig, MasterTcpRunner
from dnp3py import DNP3Config, DNP3Master

logging.disable(logging.CRITICAL)

def crc(data):
    value = 0
    for octet in data:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0xa6bc if value & 1 else 0)
    return (value ^ 0xffff).to_bytes(2, 'little')

def frame(control, destination, source, data=b''):
    head = b'\x05\x64' + bytes([5 + len(data), control]) + struct.pack('<HH', destination, source)
    return head + crc(head) + b''.join(data[start:start + 16] + crc(data[start:start + 16]) for start in range(0, len(data), 16))

def serve(listener, objects):
    """An outstation for one connection, which has the objects as events of class 1."""
    stream, _ = listener.accept()
    file = stream.makefile('rb')
    while len(head := file.read(10)) == 10:
        outstation, master = struct.unpack('<HH', head[4:8])
        data, left = b'', head[2] - 5
        while left > 0:
            data += file.read(min(left, 16) + 2)[:-2]
            left -= 16
        if not data and head[3] & 15 == 0:
            stream.sendall(frame(0x00, master, outstation))
        elif data and data[2] == 1:
            stream.sendall(frame(0x44, master, outstation, b'\xc0' + bytes([0xc0 | data[1] & 15, 0x81, 0, 0]) + objects))

KINDS = ('binary_inputs', 'analog_inputs', 'counters')

def ask_nfm(port):
    master = DNP3Master(DNP3Config(port=port, confirm_required=False))
    try:
        master.open()
        result = master.read_class(1)
        return {(kind, point.index): point.value for kind in KINDS for point in getattr(result, kind)}
    except ValueError as error:
        return type(error).__name__
    finally:
        master.close()

async def ask_dnp3py(port):
    handler = DefaultSOEHandler()
    async with MasterTcpRunner(Master(MasterConfig(), handler=handler), port=port) as runner:
        await runner.class_poll(class_2=False, class_3=False)
    return {(kind, index): point.value for kind in KINDS for index, point in getattr(handler, kind).items()}

def show(found):
    if isinstance(found, str):
        return found
    return ', '.join(f'{kind} {index} {float(value) if kind == "analog_inputs" else value}' for (kind, index), value in found.items())

TIME = (1700000000000).to_bytes(6, 'little')

def event(group, variation, index, data, qualifier=0x17):
    prefix = b'\1' + bytes([index]) if qualifier == 0x17 else b'\1\0' + bytes([index, 0])
    return bytes([group, variation, qualifier]) + prefix + data

CASES = {
    'static analog 1000, binary on, counter 77': bytes.fromhex('1e01000505') + b'\1' + struct.pack('<i', 1000) + bytes.fromhex('010200030381 1405000707')
    + struct.pack('<I', 77),
    'event, analog 1000 (32.1)': event(32, 1, 5, b'\1' + struct.pack('<i', 1000)),
    'event, analog 1000 (32.3)': event(32, 3, 5, b'\1' + struct.pack('<i', 1000) + TIME),
    'event, analog 1000 (32.4)': event(32, 4, 5, b'\1' + struct.pack('<h', 1000) + TIME),
    'event, analog 21.5 (32.7)': event(32, 7, 5, b'\1' + struct.pack('<f', 21.5) + TIME),
    'event, counter 1000 (22.5)': event(22, 5, 7, b'\1' + struct.pack('<I', 1000) + TIME),
    'event, binary on (2.1)': event(2, 1, 3, b'\x81'),
    'event, binary off (2.1)': event(2, 1, 3, b'\x01'),
    'event, binary off (2.2)': event(2, 2, 3, b'\x01' + TIME),
    'events, binary on (2.2), analog 1000 (32.1)': event(2, 2, 3, b'\x81' + TIME) + event(32, 1, 5, b'\1' + struct.pack('<i', 1000)),
    'event, binary on (2.2), qualifier 28': event(2, 2, 3, b'\x81' + TIME, 0x28),
}
for name, objects in CASES.items():
    for package, ask in (('dnp3py', lambda port: asyncio.run(ask_dnp3py(port))), ('nfm-dnp3', ask_nfm)):
        with socket.create_server(('127.0.0.1', 0)) as listener:
            threading.Thread(target=serve, args=(listener, objects), daemon=True).start()
            print(package, '|', name, '|', show(ask(listener.getsockname()[1])))
PY
timeout 120 env/bin/python try.py | tee seen
cat >expected <<'TEXT'
dnp3py | static analog 1000, binary on, counter 77 | binary_inputs 3 True, analog_inputs 5 1000.0, counters 7 77
nfm-dnp3 | static analog 1000, binary on, counter 77 | binary_inputs 3 True, analog_inputs 5 1000.0, counters 7 77
dnp3py | event, analog 1000 (32.1) | analog_inputs 5 1000.0
nfm-dnp3 | event, analog 1000 (32.1) | analog_inputs 5 1000.0
dnp3py | event, analog 1000 (32.3) | analog_inputs 5 1000.0
nfm-dnp3 | event, analog 1000 (32.3) | analog_inputs 5 256001.0
dnp3py | event, analog 1000 (32.4) | analog_inputs 5 1000.0
nfm-dnp3 | event, analog 1000 (32.4) | analog_inputs 5 -6143.0
dnp3py | event, analog 21.5 (32.7) | analog_inputs 5 21.5
nfm-dnp3 | event, analog 21.5 (32.7) | ValueError
dnp3py | event, counter 1000 (22.5) | counters 7 1000
nfm-dnp3 | event, counter 1000 (22.5) | counters 7 256001
dnp3py | event, binary on (2.1) | binary_inputs 3 True
nfm-dnp3 | event, binary on (2.1) | binary_inputs 3 True
dnp3py | event, binary off (2.1) | binary_inputs 3 False
nfm-dnp3 | event, binary off (2.1) | binary_inputs 3 True
dnp3py | event, binary off (2.2) | binary_inputs 3 False
nfm-dnp3 | event, binary off (2.2) | binary_inputs 3 False
dnp3py | events, binary on (2.2), analog 1000 (32.1) | binary_inputs 3 True, analog_inputs 5 1000.0
nfm-dnp3 | events, binary on (2.2), analog 1000 (32.1) | binary_inputs 3 True
dnp3py | event, binary on (2.2), qualifier 28 | binary_inputs 3 True
nfm-dnp3 | event, binary on (2.2), qualifier 28 | binary_inputs 768 False
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "nfm-dnp3 1.0.1: as described"
