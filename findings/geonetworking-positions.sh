#!/usr/bin/env bash
# PyPI v2xflexstack 0.11.2, an implementation of ETSI C-ITS, with which road-side units and gateways exchange messages of vehicles, cannot place anything
# west of Greenwich or south of the equator.
#
# Expected (ETSI EN 302 636-4-1 V1.4.1, GeoNetworking): latitude and longitude of a position vector and of a geographical area are signed integers
#           of 32 bits in 1/10 microdegree, the speed is a signed integer of 15 bits in 0.01 m/s (9.5.2, 9.5.3, 9.8.5). The timestamp is the time of the
#           position in milliseconds (9.5.2).
# Seen:     Oslo is written and read back. Porto (41.15, -8.61) and Santiago cannot be written, nor can a vehicle that moves backwards, and a short position
#           vector of Porto neither: each raises an error. A long position vector that another station wrote has
#           the longitude 420.8867296 for Porto, and the speed 327.18 m/s for -0.50. So does the area of a GeoBroadcast. A position of
#           12:00:00.900 gets the timestamp of 12:00:00.000.
# So:       a test in central Europe passes, and in Portugal, Spain, Ireland, Britain or America nothing is sent.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q v2xflexstack==0.11.2

cat >try.py <<'PY'
import struct
from flexstack.geonet.gbc_extended_header import GBCExtendedHeader
from flexstack.geonet.gn_address import GNAddress
from flexstack.geonet.position_vector import LongPositionVector, ShortPositionVector

def attempt(work):
    try:
        return work()
    except Exception:
        return 'raises an error'

PLACES = ('Oslo', 59.91, 10.75, 14.0), ('Porto', 41.15, -8.61, 14.0), ('Santiago', -33.45, -70.66, 14.0), ('Oslo, backwards', 59.91, 10.75, -0.5)
for name, latitude, longitude, speed in PLACES:
    fix = {'lat': latitude, 'lon': longitude, 'speed': speed, 'track': 90.0, 'time': '2026-11-30T12:00:00.900Z'}
    vector = LongPositionVector().refresh_with_tpv_data(fix)
    short = ShortPositionVector(latitude=round(latitude * 10 ** 7), longitude=round(longitude * 10 ** 7))
    print('write', name, '| long', attempt(lambda: vector.encode()[12:].hex()), '| short', attempt(lambda: short.encode()[12:].hex()))
    other = GNAddress().encode() + struct.pack('>Iii', 0, round(latitude * 10 ** 7), round(longitude * 10 ** 7)) + struct.pack('>HH', 0x8000 | round(speed * 100) & 0x7fff, 900)
    read = LongPositionVector.decode(other)
    area = bytes(4) + other + struct.pack('>iiHHHH', round(latitude * 10 ** 7), round(longitude * 10 ** 7), 100, 100, 0, 0)
    found = GBCExtendedHeader.decode(area)
    print('read', name, '| long', read.latitude / 10 ** 7, read.longitude / 10 ** 7, read.s / 100, 'm/s | area', found.latitude / 10 ** 7, found.longitude / 10 ** 7)
whole, part = (LongPositionVector().refresh_with_tpv_data({'lat': 0, 'lon': 0, 'speed': 0, 'track': 0, 'time': f'2026-11-30T12:00:00.{digits}Z'}).tst.msec for digits in ('000', '900'))
print('900 ms later, the timestamp is', part - whole, 'ms later')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
write Oslo | long 23b58a60066851e005780384 | short 23b58a60066851e0
read Oslo | long 59.91 10.75 14.0 m/s | area 59.91 10.75
write Porto | long raises an error | short raises an error
read Porto | long 41.15 420.8867296 14.0 m/s | area 41.15 420.8867296
write Santiago | long raises an error | short raises an error
read Santiago | long 396.0467296 358.8367296 14.0 m/s | area 396.0467296 358.8367296
write Oslo, backwards | long raises an error | short 23b58a60066851e0
read Oslo, backwards | long 59.91 10.75 327.18 m/s | area 59.91 10.75
900 ms later, the timestamp is 0 ms later
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "v2xflexstack 0.11.2: as described"
