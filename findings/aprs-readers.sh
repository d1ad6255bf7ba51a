#!/usr/bin/env bash
# Two readers of APRS packets, which gateways of amateur radio and LoRa trackers forward over MQTT: PyPI aprslib 0.7.2 loses weather reports in frost and
# takes snow for wind, aprs3 8.0.0.post1 reads altitudes as speeds and rejects objects.
#
# Expected (APRS Protocol Reference 1.0.1): a temperature is three characters in degrees Fahrenheit, with a minus below zero, also in a report without
#           position (chapter 12). After a position, s and three digits are the snow of 24 hours in inches; the wind is the extension 220/004 before
#           it. If bits 4 and 3 of the compression type are 10, the two characters of a compressed position are the altitude, 1.002 to their
#           power in feet (chapter 9). Digits of a position may be replaced with spaces (chapter 6). An object has a name, a state, a time and a position,
#           compressed or not (chapter 11).
# Seen:     aprslib raises ParseError for the report without position at t-12, and reads the one at t077, and after a position both. It gives 3 inches of
#           snow as wind of 3 miles per hour. aprs3 reads the altitude of 10,004 feet of the specification as course 200 and speed 100 knots,
#           raises TypeError or IndexError for objects, and InvalidOperation for a position with spaces. aprslib reads these.
# So:       a weather station is silent on the coldest days, and a balloon at rest moves at 100 knots.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q aprslib==0.7.2 aprs3==8.0.0.post1

cat >try.py <<'PY'
import aprs, aprslib

def read_aprslib(packet):
    found = aprslib.parse(packet)
    weather = found.get('weather', {})
    shown = {key: found[key] for key in ('object_name', 'latitude', 'longitude', 'altitude', 'speed') if key in found}
    shown.update((key, weather[key]) for key in ('temperature', 'wind_speed', 'snow') if key in weather)
    return ', '.join(f'{key} {round(value, 2) if isinstance(value, float) else value.strip()}' for key, value in shown.items())

def read_aprs3(packet):
    found = aprs.APRSFrame.from_str(packet).info
    extension = getattr(found, 'data_ext', None)
    return f'{type(found).__name__} {extension}' if extension else type(found).__name__

CASES = {
    'weather without position, 77 F': '_10090556c220s004g005t077r000p000P000h50b09900',
    'weather without position, -12 F': '_10090556c220s004g005t-12r000p000P000h50b09900',
    'weather with position, -12 F': '!4903.50N/07201.75W_220/004g005t-12',
    'weather with position, 3 inches of snow': '!4903.50N/07201.75W_220/004g005t012s003',
    'compressed position with altitude': '!/5L!!<*e7OS]S',
    'compressed position with course and speed': '!/5L!!<*e7>7P[',
    'position with spaces': '!4903.  N/07201.  W-',
    'object': ';LEADER   *092345z4903.50N/07201.75W>',
    'object, compressed': ';LEADER   *092345z/5L!!<*e7>7P[',
}
for name, text in CASES.items():
    for package, read in (('aprslib', read_aprslib), ('aprs3', read_aprs3)):
        if package == 'aprs3' and 'weather' in name:
            continue
        try:
            seen = read('N0CALL>APRS:' + text)
        except Exception as error:
            seen = type(error).__name__
        print(package, '|', name, '|', seen)
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
aprslib | weather without position, 77 F | temperature 25.0, wind_speed 1.79
aprslib | weather without position, -12 F | ParseError
aprslib | weather with position, -12 F | latitude 49.06, longitude -72.03, speed 7.41, temperature -24.44
aprslib | weather with position, 3 inches of snow | latitude 49.06, longitude -72.03, speed 7.41, temperature -11.11, wind_speed 1.34
aprslib | compressed position with altitude | latitude 49.5, longitude -72.75, altitude 3049.38
aprs3 | compressed position with altitude | PositionReport CourseSpeed(course=200, speed=100.25706366721737)
aprslib | compressed position with course and speed | latitude 49.5, longitude -72.75, speed 67.1
aprs3 | compressed position with course and speed | PositionReport CourseSpeed(course=88, speed=36.23201216883807)
aprslib | position with spaces | latitude 49.06, longitude -72.03
aprs3 | position with spaces | PositionReport
aprslib | object | object_name LEADER, latitude 49.06, longitude -72.03
aprs3 | object | ObjectReport
aprslib | object, compressed | object_name LEADER, latitude 49.5, longitude -72.75, speed 67.1
aprs3 | object, compressed | IndexError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "aprslib 0.7.2, aprs3 8.0.0.post1: as described"
