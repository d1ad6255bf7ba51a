#!/usr/bin/env bash
# npm posixtz 1.0.0, which turns the local times of devices into times with an offset, has a wrong offset for many of the POSIX TZ strings that devices
# are configured with, and for one that it writes itself.
#
# Expected (POSIX.1-2017, Base Definitions, section 8.3, TZ): std is three or more letters, or letters, digits and signs in angle brackets; the offset behind it
#           is hh[:mm[:ss]], is added to the local time to get UTC, and may have one or two digits without a sign. The rule is the start and the end of
#           summer time, in this order also where summer is at the turn of the year. Days are Jn, n or Mm.w.d.
# Seen:     of two digits only the last is the offset, the first counts as part of the abbreviation: HST10 (Hawaii) is +00:00, SST11 -01:00. Digits in
#           angle brackets are taken for the offset: <+11>-11 is -01:00, and <+0545>-5:45 (Nepal), which formatPosixTZ writes, is -05:00. Minutes
#           are dropped: IST-5:30 (India) is +05:00. South of the equator it is never summer. Rules with Jn throw TypeError.
# So:       readings from Hawaii are ten hours off, those from Sydney are one hour off from October to April.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts posixtz@1.0.0 moment@2.30.1 moment-timezone@0.5.48 >/dev/null 2>&1

cat >try.js <<'JS'
const { formatLocalDateWithOffset, formatPosixTZ } = require('posixtz');
const ZONES = [['CET-1CEST,M3.5.0,M10.5.0/3', '+01:00', '+02:00'], ['EST5EDT,M3.2.0,M11.1.0', '-05:00', '-04:00'], ['HST10', '-10:00', '-10:00'], ['SST11', '-11:00', '-11:00'],
  ['MST7', '-07:00', '-07:00'], ['IST-5:30', '+05:30', '+05:30'], ['NST3:30NDT,M3.2.0,M11.1.0', '-03:30', '-02:30'], ['<-03>3', '-03:00', '-03:00'],
  ['<+11>-11', '+11:00', '+11:00'], ['<-12>12', '-12:00', '-12:00'], ['<+0545>-5:45', '+05:45', '+05:45'], ['AEST-10AEDT,M10.1.0,M4.1.0/3', '+11:00', '+10:00'],
  ['NZST-12NZDT,M9.5.0,M4.1.0/3', '+13:00', '+12:00'], ['CET-1CEST,J85,J298', '+01:00', '+02:00']];
for (const [zone, winter, summer] of ZONES) {
  const seen = ['2026-01-15T12:00:00', '2026-07-15T12:00:00'].map((time) => {
    try { return formatLocalDateWithOffset(time, zone).slice(19); } catch (error) { return `throws ${error.constructor.name}`; }
  });
  console.log(zone, '| January', seen[0], 'expected', winter, '| July', seen[1], 'expected', summer);
}
console.log('written for Asia/Kathmandu:', formatPosixTZ('Asia/Kathmandu', 2026));
JS
node try.js | tee seen
cat >expected <<'TEXT'
CET-1CEST,M3.5.0,M10.5.0/3 | January +01:00 expected +01:00 | July +02:00 expected +02:00
EST5EDT,M3.2.0,M11.1.0 | January -05:00 expected -05:00 | July -04:00 expected -04:00
HST10 | January +00:00 expected -10:00 | July +00:00 expected -10:00
SST11 | January -01:00 expected -11:00 | July -01:00 expected -11:00
MST7 | January -07:00 expected -07:00 | July -07:00 expected -07:00
IST-5:30 | January +05:00 expected +05:30 | July +05:00 expected +05:30
NST3:30NDT,M3.2.0,M11.1.0 | January -03:00 expected -03:30 | July -03:00 expected -02:30
<-03>3 | January -03:00 expected -03:00 | July -03:00 expected -03:00
<+11>-11 | January -01:00 expected +11:00 | July -01:00 expected +11:00
<-12>12 | January -02:00 expected -12:00 | July -02:00 expected -12:00
<+0545>-5:45 | January -05:00 expected +05:45 | July -05:00 expected +05:45
AEST-10AEDT,M10.1.0,M4.1.0/3 | January +10:00 expected +11:00 | July +10:00 expected +10:00
NZST-12NZDT,M9.5.0,M4.1.0/3 | January +12:00 expected +13:00 | July +12:00 expected +12:00
CET-1CEST,J85,J298 | January throws TypeError expected +01:00 | July throws TypeError expected +02:00
written for Asia/Kathmandu: <+0545>-5:45
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
