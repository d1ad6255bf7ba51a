#!/usr/bin/env bash
# Two libraries for the grid locators in which trackers of radio amateurs send their position: PyPI maidenhead 1.8.0 has nearly every field wrong, names the next
# square for positions near its edge, and puts the North Pole to the South Pole; npm @hamset/maidenhead-locator 0.2.1 has letters that do not exist.
#
# Expected (IARU Region 1, VHF Managers Handbook, "Locator system"): the fields AA to RR are 20 degrees of longitude by 10 of latitude, from 180 degrees west and the
#           South Pole; their squares 00 to 99 have 2 by 1 degrees, and the subsquares AA to XX 5 by 2.5 minutes. A position is in the square around it.
# Seen:     maidenhead with precision 1 has Munich in FM and Sydney in DC, instead of JN and QF. With more letters it rounds: -35.00048 is in the square that
#           begins at -35; 47.9999 degrees in that of 48. 90 degrees of latitude are row A. @hamset/maidenhead-locator gives SS00aa for 90 degrees
#           north and 180 degrees east, which its own other function rejects, as it does each locator of four letters.
# So:       an operator in JN is shown in FM, on the other side of the Atlantic.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts @hamset/maidenhead-locator@0.2.1 >/dev/null 2>&1
python3 -m venv env >/dev/null
env/bin/pip install -q --disable-pip-version-check maidenhead==1.8.0 >/dev/null 2>&1

cat >try.py <<'PY'
from decimal import Decimal
from maidenhead import to_location, to_maiden


def right(latitude, longitude, pairs):
    """The locator by integer division, from the first pair on."""
    values = [(Decimal(longitude) + 180) / 20, (Decimal(latitude) + 90) / 10]
    text = ''
    for pair, base in zip(range(pairs), (10, 24, 10, 24, 10)):
        digits = [int(value) for value in values]
        text += ''.join(str(digit) if pair % 2 else chr(ord('a' if pair == 2 else 'A') + digit) for digit in digits)
        values = [(value - digit) * base for value, digit in zip(values, digits)]
    return text


PLACES = {'Munich': ('48.14666', '11.60833'), 'Sydney': ('-33.8568', '151.2153'), 'Santiago': ('-35.00048', '-71.5'), 'near 48': ('47.9999', '11.6'), 'near 12': ('47.5', '11.9999'),
          'near the pole': ('89.9999', '0')}
for name, (latitude, longitude) in PLACES.items():
    for pairs in (1, 2, 3):
        seen = to_maiden(float(latitude), float(longitude), pairs)
        print(name, latitude, longitude, '| locator', right(latitude, longitude, pairs), '| maidenhead', seen, 'which is at', *(f'{value:g}' for value in to_location(seen)))
PY
env/bin/python try.py | tee seen
cat >try.mjs <<'JS'
import { WGS84ToMaidenhead, maidenheadToWGS84 } from '@hamset/maidenhead-locator';
for (const [lat, lng] of [[48.14666, 11.60833], [90, 0], [90, 180]]) {
  const seen = WGS84ToMaidenhead({ lat, lng });
  let back;
  try { const place = maidenheadToWGS84(seen); back = `which is at ${place.lat} ${place.lng}`; } catch (error) { back = `which throws ${error.constructor.name}`; }
  console.log(lat, lng, '| @hamset/maidenhead-locator', seen, back);
}
for (const locator of ['JN58TD', 'JN58']) {
  let seen;
  try { const place = maidenheadToWGS84(locator); seen = `${place.lat} ${place.lng.toFixed(3)}`; } catch (error) { seen = `throws ${error.constructor.name}`; }
  console.log(locator, '| @hamset/maidenhead-locator', seen);
}
JS
node try.mjs | tee -a seen
cat >expected <<'TEXT'
Munich 48.14666 11.60833 | locator JN | maidenhead FM which is at 30 -80
Munich 48.14666 11.60833 | locator JN58 | maidenhead JN58 which is at 48 10
Munich 48.14666 11.60833 | locator JN58td | maidenhead JN58td which is at 48.125 11.5833
Sydney -33.8568 151.2153 | locator QF | maidenhead DC which is at -70 -120
Sydney -33.8568 151.2153 | locator QF56 | maidenhead QF56 which is at -34 150
Sydney -33.8568 151.2153 | locator QF56od | maidenhead QF56od which is at -33.875 151.167
Santiago -35.00048 -71.5 | locator FF | maidenhead AB which is at -80 -180
Santiago -35.00048 -71.5 | locator FF44 | maidenhead FF45 which is at -35 -72
Santiago -35.00048 -71.5 | locator FF44gx | maidenhead FF44gx which is at -35.0417 -71.5
near 48 47.9999 11.6 | locator JN | maidenhead FM which is at 30 -80
near 48 47.9999 11.6 | locator JN57 | maidenhead JN58 which is at 48 10
near 48 47.9999 11.6 | locator JN57tx | maidenhead JN58ta which is at 48 11.5833
near 12 47.5 11.9999 | locator JN | maidenhead GL which is at 20 -60
near 12 47.5 11.9999 | locator JN57 | maidenhead JN67 which is at 47 12
near 12 47.5 11.9999 | locator JN57xm | maidenhead JN67am which is at 47.5 12
near the pole 89.9999 0 | locator JR | maidenhead AA which is at -90 -180
near the pole 89.9999 0 | locator JR09 | maidenhead JA00 which is at -90 0
near the pole 89.9999 0 | locator JR09ax | maidenhead JA00aa which is at -90 0
48.14666 11.60833 | @hamset/maidenhead-locator JN58td which is at 48.125 11.583333333333334
90 0 | @hamset/maidenhead-locator JS00aa which throws Error
90 180 | @hamset/maidenhead-locator SS00aa which throws Error
JN58TD | @hamset/maidenhead-locator 48.125 11.583
JN58 | @hamset/maidenhead-locator throws Error
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
