#!/usr/bin/env bash
# Two readers of Teltonika trackers, which send their records over TCP or MQTT: PyPI codecs-protocol 1.0.2 loses the sign of positions and records with
# a text, npm complete-teltonika-parser 0.3.4 cannot read codec 16.
#
# Expected (Teltonika, data sending protocols): longitude and latitude are numbers of 32 bits in two's complement, in 10^-7 degrees; the time is in
#           milliseconds. In codec 8 extended, elements of variable size follow those of 1, 2, 4 and 8 octets: their count, and for each an identifier and
#           a length, of two octets each, and the value. In codec 16, an octet for the generation type stands after the event, identifiers have two
#           octets and counts one.
# Seen:     codecs-protocol gives 358.8967296 as the longitude and 396.0967296 as the latitude of 70.6 W 33.4 S, and no milliseconds. It skips the
#           count of elements of variable size but not the elements, so the record after a vehicle identification number raises ValueError.
#           complete-teltonika-parser reads these as they were sent, and raises an error for a packet of codec 16, which it accepts by its number.
# So:       all vehicles south of the equator or west of Greenwich have positions that no map has, and a tracker that starts to send the
#           identification number of its vehicle is silent, and repeats the packet, since it gets no answer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q codecs-protocol==1.0.2
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts complete-teltonika-parser@0.3.4 >/dev/null 2>&1

cat >try.py <<'PY'
"""Writes packets to cases.json, and prints what codecs-protocol reads."""
import asyncio, json, struct
from codecs_protocol import Codec8, Codec8E

def crc16(data):
    value = 0
    for octet in data:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0xa001 if value & 1 else 0)
    return value

def packet(codec, records):
    body = bytes([codec, len(records)]) + b''.join(records) + bytes([len(records)])
    return (struct.pack('>II', 0, len(body)) + body + struct.pack('>I', crc16(body))).hex()

def position(longitude, latitude):
    return struct.pack('>QBiihHBH', 1700000000750, 0, round(longitude * 1e7), round(latitude * 1e7), 100, 90, 9, 50)

# One element of one octet (21, signal strength 4) and one of two octets (66, 12500 mV).
def record8(*place):
    return position(*place) + bytes([0, 2, 1, 21, 4, 1, 66]) + struct.pack('>H', 12500) + bytes(2)

def record8_extended(*place, text=b''):
    variable = struct.pack('>HHH', 1, 256, len(text)) + text if text else bytes(2)
    return position(*place) + struct.pack('>HHHHBHHH', 0, 3 if text else 2, 1, 21, 4, 1, 66, 12500) + bytes(4) + variable

def record16(*place):
    return position(*place) + struct.pack('>HBBBHBBHH', 0, 5, 2, 1, 21, 4, 1, 66, 12500) + bytes(2)

NORTH_EAST, SOUTH_WEST = (13.4, 52.5), (-70.6, -33.4)
CASES = {
    'codec 8': packet(8, [record8(*NORTH_EAST), record8(*SOUTH_WEST)]),
    'codec 8 extended': packet(0x8e, [record8_extended(*NORTH_EAST), record8_extended(*NORTH_EAST)]),
    'codec 8 extended, with a text': packet(0x8e, [record8_extended(*NORTH_EAST, text=b'12345678901234567'), record8_extended(*NORTH_EAST)]),
    'codec 16': packet(16, [record16(*NORTH_EAST)]),
}
json.dump(CASES, open('cases.json', 'w'))
for name, data in CASES.items():
    if name == 'codec 16':
        continue
    try:
        records, _ = asyncio.run((Codec8 if name == 'codec 8' else Codec8E)(data).decode_data())
        found = '; '.join(f'{record["timestamp"]} {record["longitude"]} {record["latitude"]}' for record in records['records'])
    except ValueError as error:
        found = type(error).__name__
    print('codecs-protocol |', name, '|', found)
PY
cat >try.js <<'JS'
const {ProtocolParser} = require('complete-teltonika-parser');
for (const [name, data] of Object.entries(require('./cases.json'))) {
  let found;
  try {
    found = new ProtocolParser(data).Content.AVL_Datas
      .map(({Timestamp, GPSelement}) => `${Timestamp.toISOString()} ${GPSelement.Longitude} ${GPSelement.Latitude}`).join('; ');
  } catch (error) {
    found = error.message;
  }
  console.log('complete-teltonika-parser |', name, '|', found);
}
JS
{ env/bin/python try.py; node try.js; } | tee seen
cat >expected <<'TEXT'
codecs-protocol | codec 8 | 14.11.2023 22:13:20 13.4 52.5; 14.11.2023 22:13:20 358.8967296 396.0967296
codecs-protocol | codec 8 extended | 14.11.2023 22:13:20 13.4 52.5; 14.11.2023 22:13:20 13.4 52.5
codecs-protocol | codec 8 extended, with a text | ValueError
complete-teltonika-parser | codec 8 | 2023-11-14T22:13:20.750Z 13.4 52.5; 2023-11-14T22:13:20.750Z -70.6 -33.4
complete-teltonika-parser | codec 8 extended | 2023-11-14T22:13:20.750Z 13.4 52.5; 2023-11-14T22:13:20.750Z 13.4 52.5
complete-teltonika-parser | codec 8 extended, with a text | 2023-11-14T22:13:20.750Z 13.4 52.5; 2023-11-14T22:13:20.750Z 13.4 52.5
complete-teltonika-parser | codec 16 | Length of substring was greater than the string length.
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "codecs-protocol 1.0.2, complete-teltonika-parser 0.3.4: as described"
