#!/usr/bin/env bash
# PyPI iec60870-parser 0.1.1 rejects valid frames of IEC 60870-5-104 and 101, and misreads addresses and invalid times.
#
# Expected: the receive sequence number of an I frame acknowledges frames of the other side, so it stays the same while a station sends values to a
#           center that sends none (IEC 60870-5-104, 5.1). The single character E5 is a valid answer in FT1.2 (IEC 60870-5-2). In CP56Time2a, the
#           top bit of the minute marks the time as invalid, that of the hour is summer time (IEC 60870-5-101, 7.2.6.18). A type 13 object is a
#           3-octet address, a float of 4 octets and a quality octet (7.3.1.13).
# Seen:     T104Session accepts the first of three I frames of a station and calls the others corrupted, "receive sequence mismatch". E5 is
#           corrupted, "unknown FT1.2 start". An invalid time and a summer time are read as the same valid time. In a frame with two objects of
#           type 13, of which it decodes no values, the second has address 11272192 instead of 4002, with status VALID.
# So:       a gateway that publishes by address over MQTT loses all values but the first of a session, or publishes under addresses that
#           no device has.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q iec60870-parser==0.1.1

cat >try.py <<'PY'
import struct
from iec60870.parser import FrameStream, T104Session, decode_cp56time2a, parse_frame

def frame(sent, received, kind, objects):
    asdu = bytes([kind, len(objects), 3, 0, 1, 0]) + b''.join(address.to_bytes(3, 'little') + value for address, value in objects)
    return bytes([0x68, 4 + len(asdu)]) + (sent << 1).to_bytes(2, 'little') + (received << 1).to_bytes(2, 'little') + asdu

session = T104Session()
for sent in range(3):
    result = session.parse(frame(sent, 0, 1, [(100, b'\1')]))
    print('I frame, sent', sent, 'received 0:', result.status.value, result.error)
for name, data in ('FT1.2 fixed frame', '1049014a16'), ('FT1.2 single character', 'e5'):
    print(name + ':', *[(result.status.value, result.error) for result in FrameStream(protocol='t101').feed(bytes.fromhex(data))])
for name, data in ('time', '24770f0cfd0b1a'), ('time, invalid', '24778f0cfd0b1a'), ('time, summer', '24770f8cfd0b1a'):
    print(name + ':', *decode_cp56time2a(bytes.fromhex(data)).values())
floats = [(4001, struct.pack('<f', 21.5) + b'\0'), (4002, struct.pack('<f', -3.25) + b'\0')]
for name, kind, objects in ('two objects of type 1', 1, [(4001, b'\1'), (4002, b'\0')]), ('two objects of type 13', 13, floats):
    result = parse_frame(frame(0, 0, kind, objects), protocol='t104')
    print(name + ':', result.status.value, *[found['ioa'] for found in result.fields['asdu']['information_objects']])
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
I frame, sent 0 received 0: VALID None
I frame, sent 1 received 0: CORRUPTED receive sequence mismatch
I frame, sent 2 received 0: CORRUPTED receive sequence mismatch
FT1.2 fixed frame: ('VALID', None)
FT1.2 single character: ('CORRUPTED', 'unknown FT1.2 start')
time: 500 30 15 12 29 11 2026
time, invalid: 500 30 15 12 29 11 2026
time, summer: 500 30 15 12 29 11 2026
two objects of type 1: VALID 4001 4002
two objects of type 13: VALID 4001 11272192
TEXT
diff expected seen
echo "as described"
