#!/usr/bin/env bash
# PyPI pyadsb 0.0.3, a decoder of ADS-B, which receivers of aircraft positions forward over MQTT, gives aircraft other names, turns most of them
# around and lets all of them sink, beside PyPI pyModeS 3.6.1.
#
# Expected (ICAO Doc 9871, Technical Provisions for Mode S Services and Extended Squitter, appendix A, registers 05, 08 and 09 hex; Annex 10, volume IV,
#           3.1.2.9.1.2): the first character of the identification is in the highest bits, letters are 1 for A to 26 for Z, 32 is a space. Direction
#           bits are 0 for east and north, and a vertical rate with the sign bit 0 is a climb. The subtype of a velocity has three bits; 4 is a
#           supersonic airspeed. The Q bit 0 of an altitude stands for Gillham code, in steps of 100 ft. The newer of an even and an odd position is
#           the current one.
# Seen:     "KLM1023 " is "YC6V_320": four letters are the parity, the rest is the end of the name, backwards and each letter the next one. Every track
#           of the four here is to the south-west, and every climb is a descent. Subtype 4 is not read. 3000 ft in Gillham code are 29400. A pair with the
#           odd message last gives the place of the even one, 1.6 km away.
# So:       the values look like aircraft, in range and with the right checksum.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q pyadsb==0.0.3 pyModeS==3.6.1

cat >try.py <<'PY'
import adsb, pyModeS

def message(text, *fields):
    """The extended squitter of the aircraft 4840D6 with these fields, as (number, bits), and its parity."""
    value = 0x8d4840d6
    for number, width in fields:
        value = value << width | number
    data = value << 24
    rest = data
    for bit in range(111, 23, -1):
        if rest >> bit & 1:
            rest ^= 0x1fff409 << bit - 24
    return text, (data | rest).to_bytes(14, 'big')

def name(text):
    return message(text, (4, 5), (0, 3), *((ord(letter) & 63, 6) for letter in text))

def velocity(text, subtype, west, east_west, south, north_south, down, rate):
    return message(text, (19, 5), (subtype, 3), (0, 5), (west, 1), (east_west, 10), (south, 1), (north_south, 10), (0, 1), (down, 1), (rate, 9), (0, 10))

def show(value):
    return 'none' if value is None else f'{value:.0f}'

for text, data in name('KLM1023 '), name('N172SP  '):
    theirs = pyModeS.decode(data.hex())
    print(f'name {text!r} | pyadsb', repr(adsb.Adsb.parse(data).data.callsign), '| pyModeS', repr(theirs['callsign']), theirs['crc_valid'])
VELOCITIES = (velocity('north-east, climbs', 1, 0, 101, 0, 101, 0, 17), velocity('south-east', 1, 0, 101, 1, 101, 1, 17), velocity('south-west', 1, 1, 101, 1, 101, 1, 17),
              velocity('north-west', 1, 1, 101, 0, 101, 0, 17), velocity('north, supersonic', 2, 0, 1, 0, 176, 0, 1))
for text, data in VELOCITIES:
    ours, theirs = adsb.Adsb.parse(data).data, pyModeS.decode(data.hex())
    print(text, '| pyadsb track', show(ours.heading()), 'speed', show(ours.speed()), 'rate', show(ours.altitude_rate()),
          '| pyModeS track', show(theirs['track']), 'speed', show(theirs['groundspeed']), 'rate', show(theirs['vertical_rate']))
text, data = velocity('airspeed, supersonic', 4, 1, 512, 1, 176, 0, 17)
theirs = pyModeS.decode(data.hex())
print(text, '| pyadsb', type(adsb.Adsb.parse(data).data).__name__, '| pyModeS heading', show(theirs['heading']), 'speed', show(theirs['airspeed']))
position = lambda text, code, altitude, odd, lat, lon: message(text, (code, 5), (0, 3), (altitude, 12), (0, 1), (odd, 1), (lat, 17), (lon, 17))
for text, data in position('38000 ft', 11, 0xc38, 0, 93000, 51372), position('3000 ft, Gillham code', 11, 0x260, 0, 93000, 51372):
    theirs = pyModeS.decode(data.hex())
    print('altitude', text, '| pyadsb', show(adsb.Adsb.parse(data).data.altitude()), '| pyModeS', theirs['altitude'])
even, odd = (bytes.fromhex(text) for text in ('8D40621D58C382D690C8AC2863A7', '8D40621D58C386435CC412692AD6'))
for first, second, text in (odd, even, 'odd, then even'), (even, odd, 'even, then odd'):
    tracker = adsb.Tracker()
    for data in first, second:
        tracker.process(adsb.Adsb.parse(data))
    place, = tracker.vehicles.values()
    theirs = pyModeS.decode([first.hex(), second.hex()], timestamps=[0, 1])[1]
    print(text, f'| pyadsb {place.lat:.4f} {place.lon:.4f} | pyModeS', f"{theirs['latitude']:.4f} {theirs['longitude']:.4f}")
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
name 'KLM1023 ' | pyadsb 'YC6V_320' | pyModeS 'KLM1023' True
name 'N172SP  ' | pyadsb '0EI#__QT' | pyModeS 'N172SP' True
north-east, climbs | pyadsb track 225 speed 141 rate -1024 | pyModeS track 45 speed 141 rate 1024
south-east | pyadsb track 225 speed 141 rate -1024 | pyModeS track 135 speed 141 rate -1024
south-west | pyadsb track 225 speed 141 rate -1024 | pyModeS track 225 speed 141 rate -1024
north-west | pyadsb track 225 speed 141 rate -1024 | pyModeS track 315 speed 141 rate 1024
north, supersonic | pyadsb track 180 speed 700 rate 0 | pyModeS track 0 speed 700 rate 0
airspeed, supersonic | pyadsb Unknown | pyModeS heading 180 speed 700
altitude 38000 ft | pyadsb 38000 | pyModeS 38000
altitude 3000 ft, Gillham code | pyadsb 29400 | pyModeS 3000
odd, then even | pyadsb 52.2572 3.9194 | pyModeS 52.2572 3.9194
even, then odd | pyadsb 52.2572 3.9194 | pyModeS 52.2658 3.9389
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "pyadsb 0.0.3: as described"
