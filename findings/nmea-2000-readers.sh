#!/usr/bin/env bash
# Two readers of NMEA 2000, the network of boats, report what a sensor does not know as measurements: PyPI pylibnmea2k 0.2.4 and n2k 0.5.0, beside
# PyPI nmea2000 2026.10.3, which reads with the definitions of canboat.
#
# Expected (NMEA 2000, as canboat documents its PGNs and field types): in a number of N bits, the largest value means that it is not available, the
#           one below it that it is out of range or invalid. The level of a tank (PGN 127505) and the humidity (130311, 130313) are signed, so 7FFF
#           and 7FFE are these values; so is the voltage of a battery (127508). The reference of a heading (127250) or course (129026) is 0 for true,
#           1 for magnetic. "Navigation terminated" (129283) has two bits, and 3 is not available. A message may have a speed and no course.
# Seen:     pylibnmea2k reads a tank without a level as 131.068 percent, a battery without a voltage as 327.67 V, an unknown humidity as 131.068
#           percent, an invalid heading as 15.48 degrees and an invalid depth as 42949672.94 m. Its headings and courses have no reference, and the
#           documentation says that they are true. A speed without a course, and a wind speed without an angle, give nothing. n2k also reads the
#           unknown humidity as 131.068 percent, the invalid heading as 6.5534 radians, the invalid depth alike, and ends the navigation if the field
#           is not available.
# So:       a compass that fails reports a plausible heading, and the fuel gauge without a sensor is full.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q pylibnmea2k==0.2.4 n2k==0.5.0 nmea2000==2026.10.3

cat >try.py <<'PY'
import logging
import pylibnmea2k
from n2k import messages
from n2k.message import Message
from nmea2000 import NMEA2000Decoder

logging.disable(logging.CRITICAL)
CASES = [
    ('tank, 50 percent', 127505, '01 d4 30 e8 03 00 00 ff', 'level', 'level_pct', 'fluid_level level'),
    ('tank, not available', 127505, '01 ff 7f ff ff ff ff ff', 'level', 'level_pct', 'fluid_level level'),
    ('battery, 12.6 V', 127508, '00 ec 04 9c ff ff ff 00', 'voltage', 'voltage_v', 'battery_status battery_voltage'),
    ('battery, not available', 127508, '00 ff 7f 9c ff ff ff 00', 'voltage', 'voltage_v', 'battery_status battery_voltage'),
    ('humidity, 48 percent', 130311, '00 01 3b 72 e0 2e f6 03', 'humidity', 'humidity_pct', 'environmental_parameters humidity'),
    ('humidity, not available', 130311, '00 41 3b 72 ff 7f f6 03', 'humidity', 'humidity_pct', 'environmental_parameters humidity'),
    ('humidity, not available', 130313, '00 00 00 ff 7f ff 7f ff', 'actualHumidity', None, 'humidity actual_humidity'),
    ('heading, 90 degrees magnetic', 127250, '00 5c 3d ff 7f ff 7f fd', 'heading', 'hdg_deg', 'heading heading'),
    ('heading, invalid', 127250, '00 fe ff ff 7f ff 7f fc', 'heading', 'hdg_deg', 'heading heading'),
    ('depth, invalid', 128267, '00 fe ff ff ff ff 7f ff', 'depth', 'depth_m', 'water_depth depth_below_transducer'),
    ('speed, no course', 129026, '00 fc ff ff d2 04 ff ff', 'sog', 'sog_kn', 'cog_sog_rapid sog'),
    ('wind speed, no angle', 130306, '00 d2 04 ff ff fa ff ff', 'windSpeed', 'speed_ms', 'wind_speed wind_speed'),
    ('navigation, going on', 129283, '00 01 18 fc ff ff ff ff', 'navigationTerminated', None, 'cross_track_error navigation_terminated'),
    ('navigation, not available', 129283, '00 c1 18 fc ff ff ff ff', 'navigationTerminated', None, 'cross_track_error navigation_terminated'),
]
plain = lambda value: round(value, 4) if isinstance(value, float) else value
decoder = NMEA2000Decoder()
for name, pgn, data, field, attribute, other in CASES:
    line = f'12:00:00.000 R {2 << 26 | pgn << 8 | 35:08X} {data.upper()}'
    reference = [part.value for part in decoder.decode(line).fields if part.id == field]
    found = pylibnmea2k.decode(line) if attribute else None
    parse, member = other.split()
    third = getattr(getattr(messages, 'parse_n2k_' + parse)(Message(pgn=pgn, data=bytearray.fromhex(data))), member)
    print(f'{pgn} {name}: nmea2000 {plain(reference[0]) if reference else None}', *(
        [f'| pylibnmea2k {plain(getattr(found, attribute)) if found else "nothing"}'] if attribute else []), f'| n2k {plain(third)}')
print('fields of a heading:', *pylibnmea2k.Heading.__slots__, '| of a course:', *pylibnmea2k.CogSog.__slots__)
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
127505 tank, 50 percent: nmea2000 50.0 | pylibnmea2k 50.0 | n2k 50.0
127505 tank, not available: nmea2000 None | pylibnmea2k 131.068 | n2k None
127508 battery, 12.6 V: nmea2000 12.6 | pylibnmea2k 12.6 | n2k 12.6
127508 battery, not available: nmea2000 None | pylibnmea2k 327.67 | n2k None
130311 humidity, 48 percent: nmea2000 48.0 | pylibnmea2k 48.0 | n2k 48.0
130311 humidity, not available: nmea2000 None | pylibnmea2k 131.068 | n2k 131.068
130313 humidity, not available: nmea2000 None | n2k 131.068
127250 heading, 90 degrees magnetic: nmea2000 1.5708 | pylibnmea2k 90.0002 | n2k 1.5708
127250 heading, invalid: nmea2000 None | pylibnmea2k 15.4822 | n2k 6.5534
128267 depth, invalid: nmea2000 None | pylibnmea2k 42949672.94 | n2k 42949672.94
129026 speed, no course: nmea2000 12.34 | pylibnmea2k nothing | n2k 12.34
130306 wind speed, no angle: nmea2000 12.34 | pylibnmea2k nothing | n2k 12.34
129283 navigation, going on: nmea2000 No | n2k False
129283 navigation, not available: nmea2000 None | n2k True
fields of a heading: pgn priority source hdg_deg | of a course: pgn priority source cog_deg sog_kn
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
