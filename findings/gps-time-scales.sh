#!/usr/bin/env bash
# Two libraries between GPS time and UTC: npm gps-time 1.0.8 is half a second off for each time with a fraction of a second, PyPI gps-timemachine 1.1.5 a day for
# moments in the first hour.
#
# Expected (IS-GPS-200, section 20.3.3.5.2.4): GPS time and UTC differ by whole seconds, 18 since January 2017. The fraction of a second, and the day but for
#           the last 18 seconds of a day in UTC, are the same.
# Seen:     gps-time takes each fraction for the sign of a leap second: times from .001 to .999 in Unix time are 0.5 s late in GPS time, those of
#           whole seconds are right, as is the way back. gps-timemachine rounds 12:59.9997 to the next second and goes on to the next day, too, from
#           00:00:59 to 00:59:00, where the hour is 0; one minute later, and from one o'clock on, it is right.
# So:       a position stamped in milliseconds is where the boat was half a second before.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts gps-time@1.0.8 >/dev/null 2>&1
python3 -m venv env >/dev/null
env/bin/pip install -q --disable-pip-version-check gps-timemachine==1.1.5 >/dev/null 2>&1

cat >try.js <<'JS'
const { toGPSMS, toUnixMS } = require('gps-time');
const EPOCH = Date.UTC(1980, 0, 6);
for (const unix of [1600000000000, 1600000000001, 1600000000250, 1600000000500, 1600000000999, 1600000001000]) {
  const right = unix - EPOCH + 18000;
  console.log('Unix', unix, '| GPS', right, '| toGPSMS', toGPSMS(unix), 'off by', toGPSMS(unix) - right, '| toUnixMS off by', toUnixMS(right) - unix);
}
JS
node try.js | tee seen
cat >try.py <<'PY'
import datetime
import logging
from gps_timemachine import gps
logging.disable(logging.CRITICAL)
gps.urlopen = lambda *_, **__: (_ for _ in ()).throw(gps.URLError('the table of the package is used'))
for time in (1258.9997, 1259.9994, 1259.9997, 5859.9997, 11259.9997, 121259.9997):
    print(f'2026-11-07 at {time:011.4f} of GPS time | gps-timemachine | {gps.gps_to_utc(datetime.date(2026, 11, 7), time)}')
PY
env/bin/python try.py | tee -a seen
cat >expected <<'TEXT'
Unix 1600000000000 | GPS 1284035218000 | toGPSMS 1284035218000 off by 0 | toUnixMS off by 0
Unix 1600000000001 | GPS 1284035218001 | toGPSMS 1284035218501 off by 500 | toUnixMS off by 0
Unix 1600000000250 | GPS 1284035218250 | toGPSMS 1284035218750 off by 500 | toUnixMS off by 0
Unix 1600000000500 | GPS 1284035218500 | toGPSMS 1284035219000 off by 500 | toUnixMS off by 0
Unix 1600000000999 | GPS 1284035218999 | toGPSMS 1284035219499 off by 500 | toUnixMS off by 0
Unix 1600000001000 | GPS 1284035219000 | toGPSMS 1284035219000 off by 0 | toUnixMS off by 0
2026-11-07 at 001258.9997 of GPS time | gps-timemachine | 2026-11-07 00:12:41
2026-11-07 at 001259.9994 of GPS time | gps-timemachine | 2026-11-07 00:12:41.999000
2026-11-07 at 001259.9997 of GPS time | gps-timemachine | 2026-11-08 00:12:42
2026-11-07 at 005859.9997 of GPS time | gps-timemachine | 2026-11-08 00:58:42
2026-11-07 at 011259.9997 of GPS time | gps-timemachine | 2026-11-07 01:12:42
2026-11-07 at 121259.9997 of GPS time | gps-timemachine | 2026-11-07 12:12:42
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
