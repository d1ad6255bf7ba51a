#!/usr/bin/env bash
# Readers of NMEA 0183, which boats and vehicles forward over MQTT, report 0 for what the receiver does not know: npm nmea-simple 3.3.0 and nmea
# 0.1.2, and PyPI pynmea2 1.19.0, beside npm gps 0.9.0 and PyPI pynmeagps 1.1.8.
#
# Expected (NMEA 0183, null fields): a field with no characters between its commas means that the value is not available.
# Seen:     for a receiver without a fix, nmea-simple gives latitude, longitude, altitude, speed and course as 0, pynmea2 latitude and longitude as
#           0.0, and nmea altitude, speed and course as 0. For a receiver that stands still and has no course, nmea-simple and nmea give the course
#           0, which is north, and for a satellite in view that is not tracked a signal of 0 dB. gps gives null, pynmeagps an empty text.
# So:       on a map, each start of the receiver is a trip to 0 degrees north, 0 degrees east, and a boat at anchor points to the north.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts nmea-simple@3.3.0 nmea@0.1.2 gps@0.9.0 >/dev/null 2>&1
python3 -m venv env
env/bin/pip install -q pynmea2==1.19.0 pynmeagps==1.1.8

cat >sentences.py <<'PY'
from functools import reduce
for sentence in (
    'GPGGA,123519,,,,,0,00,,,M,,M,,',
    'GPRMC,123519,V,,,,,,,230326,,,N',
    'GPVTG,,T,,M,0.00,N,0.00,K,A',
    'GPGSV,1,1,01,21,05,359,',
    'GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,',
):
    print(f'${sentence}*{reduce(lambda sum, char: sum ^ ord(char), sentence, 0):02X}')
PY
cat >try.js <<'JS'
const simple = require('nmea-simple'), nmea = require('nmea'), gps = require('gps');
const names = ['latitude', 'lat', 'longitude', 'lon', 'altitudeMeters', 'alt', 'speedKnots', 'speed', 'trackTrue', 'track', 'SNRdB', 'snr'];
for (const [name, parse] of [['nmea-simple', simple.parseNmeaSentence], ['nmea', nmea.parse], ['gps', gps.Parse]]) {
  for (const sentence of require('fs').readFileSync('sentences', 'utf8').trim().split('\n')) {
    const values = parse(sentence);
    Object.assign(values, (values.satellites || [])[0]);
    console.log(name, sentence.slice(3, 6), ...names.filter((key) => key in values).map((key) => `${key}=${JSON.stringify(values[key])}`));
  }
}
JS
cat >try.py <<'PY'
import pynmea2
from pynmeagps import NMEAReader
NAMES = 'latitude', 'lat', 'longitude', 'lon', 'altitude', 'alt', 'spd_over_grnd', 'spd', 'true_track', 'cogt', 'true_course', 'cog', 'snr_1', 'cno_01'
for name, parse in ('pynmea2', pynmea2.parse), ('pynmeagps', NMEAReader.parse):
    for sentence in open('sentences'):
        message = parse(sentence.strip())
        values = {key: getattr(message, key) for key in NAMES if hasattr(message, key)}
        print(name, sentence[3:6], *[f'{key}={value!r}' for key, value in values.items()])
PY
python3 sentences.py >sentences
{ node try.js; env/bin/python try.py; } | tee seen
cat >expected <<'TEXT'
nmea-simple GGA latitude=0 longitude=0 altitudeMeters=0
nmea-simple RMC latitude=0 longitude=0 speedKnots=0 trackTrue=0
nmea-simple VTG speedKnots=0 trackTrue=0
nmea-simple GSV SNRdB=0
nmea-simple GGA latitude=48.1173 longitude=11.516666666666667 altitudeMeters=545.4
nmea GGA lat="" lon="" alt=0
nmea RMC lat="" lon="" speedKnots=0 trackTrue=0
nmea VTG speedKnots=0 trackTrue=0
nmea GSV SNRdB=0
nmea GGA lat="4807.038" lon="01131.000" alt=545.4
gps GGA lat=null lon=null alt=null
gps RMC lat=null lon=null speed=null track=null
gps VTG speed=0 track=null
gps GSV snr=null
gps GGA lat=48.1173 lon=11.516666666666667 alt=545.4
pynmea2 GGA latitude=0.0 lat='' longitude=0.0 lon='' altitude=None
pynmea2 RMC latitude=0.0 lat='' longitude=0.0 lon='' spd_over_grnd=None true_course=None
pynmea2 VTG true_track=None
pynmea2 GSV snr_1=''
pynmea2 GGA latitude=48.1173 lat='4807.038' longitude=11.516666666666667 lon='01131.000' altitude=545.4
pynmeagps GGA lat='' lon='' alt=''
pynmeagps RMC lat='' lon='' spd='' cog=''
pynmeagps VTG cogt=''
pynmeagps GSV cno_01=''
pynmeagps GGA lat=48.1173 lon=11.5166666667 alt=545.4
TEXT
diff expected seen
echo "as described"
