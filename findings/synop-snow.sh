#!/usr/bin/env bash
# PyPI pymetdecoder-wmo 0.1.14, which reads and writes SYNOP, the reports of weather stations, reads the codes for "hardly any snow" as metres of it,
# and loses past weather and gusts when it writes what it read.
#
# Expected (WMO-No. 306, Manual on Codes, volume I.1, FM 12): in section 3, 4E'sss is the state of the ground and the depth of snow in cm (12.4.6),
#           whose code table 3889 goes from 001 to 996; 997 is less than 0.5 cm, 998 a cover that is not continuous, 999 a measurement that was
#           impossible. 7wwW1W2 is the present and the past weather (12.2.6.6), 911ff the highest gust (12.4.10).
# Seen:     997, 998 and 999 are 997, 998 and 999 cm, continuous and possible. A report with past weather 6 and 5 and a gust of 25 m/s is read
#           rightly; written again, it has 761// and two solidi in place of the gust, without an error; reading that gives no past weather, and an
#           error at the solidi. Temperatures, pressures, precipitation, clouds and depths up to 996 survive.
# So:       a station with a dusting of snow publishes a depth of ten metres, and a relay that reads and writes reports drops gusts.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q pymetdecoder-wmo==0.1.14

cat >try.py <<'PY'
import logging
from pymetdecoder.synop import SYNOP

logging.disable(logging.CRITICAL)
START = 'AAXX 30121 03772 41480 70508'
for depth in '001', '012', '996', '997', '998', '999':
    found = SYNOP().decode(f'{START} 10123 333 47{depth}')['ground_state_snow']['depth']
    print(depth, '|', found['depth'], found['unit'], '| less than:', found['quantifier'], '| continuous:', found['continuous'], '| impossible:', found['impossible'])
for groups in ('10123 21005 39876 40134 52012 76165 81234', '11023 29075 30009 40001 333 10150 21056 31012 47012 81656', '10123 333 91125'):
    report = f'{START} {groups}'
    found = SYNOP().decode(report)
    again = SYNOP().encode(found)
    print(groups, '| written again:', 'the same' if again == report else again.removeprefix(START + ' '))
    for name in 'past_weather', 'highest_gust':
        if name in found:
            values = lambda item: [item['value']] if 'value' in item else [value for part in item.values() if part for value in values(part)]
            try:
                reread = SYNOP().decode(again).get(name)
            except Exception as error:
                reread = error
            print('  ', name, *values(found[name]), '| read again:', reread)
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
001 | 1 cm | less than: None | continuous: True | impossible: False
012 | 12 cm | less than: None | continuous: True | impossible: False
996 | 996 cm | less than: None | continuous: True | impossible: False
997 | 997 cm | less than: None | continuous: True | impossible: False
998 | 998 cm | less than: None | continuous: True | impossible: False
999 | 999 cm | less than: None | continuous: True | impossible: False
10123 21005 39876 40134 52012 76165 81234 | written again: 10123 21005 39876 40134 52012 761// 81234
   past_weather 6 5 | read again: {'past_weather_1': None, 'past_weather_2': None}
11023 29075 30009 40001 333 10150 21056 31012 47012 81656 | written again: the same
10123 333 91125 | written again: 10123 333 //
   highest_gust 25 6 | read again: // is not a valid group
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "pymetdecoder-wmo 0.1.14: as described"
