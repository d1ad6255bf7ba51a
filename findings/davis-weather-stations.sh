#!/usr/bin/env bash
# Two readers of Davis Vantage weather stations, which bridges publish over MQTT: PyPI pyvantagepro2 0.0.7 takes frost for 6500 degrees and reports other
# alarms, pyvantagepro-marcogos 0.3.29 fails while an alarm is on, and both give values for sensors that are not there.
#
# Expected (Davis Instruments, Vantage Pro, Vantage Pro2 and Vantage Vue Serial Communication Reference Manual 2.6.1, section X, LOOP data format and
#           current alarms, DMP archive record): temperatures are signed, in tenths of a degree Fahrenheit. Without a sensor, an outside temperature
#           and the solar radiation are 32767, a humidity, a UV index and an extra temperature 255. Of the outside alarms, bit 0 of the first octet is the low
#           temperature, bit 1 the high temperature and bit 2 the wind speed. Each octet of soil and leaf alarms has eight different bits.
# Seen:     pyvantagepro2 reads -5.0 degrees as 6548.6, in live data and in the archive. It counts the bits of alarms from the other end: a wind alarm is
#           one of high dew point, one of low temperature is one of wind chill, and a soil alarm is none or all eight. pyvantagepro-marcogos raises an
#           error for the whole packet while any alarm is on. Missing sensors give 3276.7, 255 and 165 degrees, a humidity of 255 %, 32767 W/m2 and a
#           UV index of 255 or 25.5.
# So:       on cold or stormy days, when it counts, the station reports heat, another alarm or nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q pyvantagepro2==0.0.7 pyvantagepro-marcogos==0.3.29

cat >try.py <<'PY'
import struct, warnings
from datetime import datetime
warnings.simplefilter('ignore')
import logging
logging.disable(logging.CRITICAL)
from pyvantagepro import parser as marcogos
from pyvantagepro2 import parser as two

def crc(data):
    value = 0
    for octet in data:
        value ^= octet << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xffff
    return value

def loop(outside=-50, extra=70 + 90, humidity=55, uv=10, sun=100, alarms=bytes(16)):
    data = struct.pack('<3sBBHHhBhBBH7s4s4sB7sHBHHHHHHHHH4s4s16sBHBBHH2s', b'LOO', 0, 0, 0, 30000, 700, 40, outside, 5, 5, 270, bytes([extra] * 7), bytes([extra] * 4),
                       bytes([extra] * 4), humidity, bytes([humidity] * 7), 0, uv, sun, 0, 0xf83c, 0, 0, 0, 0, 0, 0, bytes(4), bytes(4), alarms, 0, 800, 0, 0, 745, 1630, b'\n\r')
    return data + struct.pack('>H', crc(data))

def alarm(octet, bit):
    return bytes(1 << bit if number == octet else 0 for number in range(16))

def show(name, data, *fields):
    for library, module in ('pyvantagepro2', two), ('pyvantagepro-marcogos', marcogos):
        try:
            found = module.LoopDataParserRevB(data, datetime(2026, 11, 30))
            alarms = [field for field, value in found.items() if field.startswith('Alarm') and value]
            print(name, '|', library, *[f'{field} {found[field]}' for field in fields], *(alarms or ['no alarm']))
        except Exception as error:
            print(name, '|', library, 'raises', type(error).__name__)

show('70.0 degrees', loop(outside=700), 'TempOut', 'TempIn', 'HumOut')
show('-5.0 degrees', loop(outside=-50), 'TempOut', 'TempIn', 'HumOut')
show('no sensors', loop(outside=32767, extra=255, humidity=255, uv=255, sun=32767), 'TempOut', 'ExtraTemps01', 'SoilTemps01', 'HumOut', 'UV', 'SolarRad')
show('alarm, outside, bit 0, low temperature', loop(outside=700, alarms=alarm(2, 0)))
show('alarm, outside, bit 2, wind speed', loop(outside=700, alarms=alarm(2, 2)))
show('alarm, inside, bit 3, high temperature', loop(outside=700, alarms=alarm(0, 3)))
show('alarm, soil and leaf 1, bit 2', loop(outside=700, alarms=alarm(12, 2)))
show('alarm, soil and leaf 1, bit 7', loop(outside=700, alarms=alarm(12, 7)))
record = struct.pack('<HHhhhHHHHHhBBBBBBBBHBB2s2s4sB2s3s4s', 30 + 11 * 32 + 26 * 512, 1200, -50, -40, -60, 0, 0, 30000, 100, 50, 700, 40, 55, 5, 9, 4, 4, 10, 0, 120, 12, 0,
                     bytes(2), bytes(2), bytes(4), 0, bytes(2), bytes(3), bytes(4))
for library, module in ('pyvantagepro2', two), ('pyvantagepro-marcogos', marcogos):
    found = module.ArchiveDataParserRevB(record)
    print('archive, -5.0, -4.0 and -6.0 degrees |', library, found['TempOut'], found['TempOutHi'], found['TempOutLow'])
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
70.0 degrees | pyvantagepro2 TempOut 70.0 TempIn 70.0 HumOut 55 no alarm
70.0 degrees | pyvantagepro-marcogos TempOut 70.0 TempIn 70.0 HumOut 55 no alarm
-5.0 degrees | pyvantagepro2 TempOut 6548.6 TempIn 70.0 HumOut 55 no alarm
-5.0 degrees | pyvantagepro-marcogos TempOut -5.0 TempIn 70.0 HumOut 55 no alarm
no sensors | pyvantagepro2 TempOut 3276.7 ExtraTemps01 255 SoilTemps01 255 HumOut 255 UV 255 SolarRad 32767 no alarm
no sensors | pyvantagepro-marcogos TempOut 3276.7 ExtraTemps01 165 SoilTemps01 165 HumOut 255 UV 25.5 SolarRad 32767 no alarm
alarm, outside, bit 0, low temperature | pyvantagepro2 AlarmOutLowWindChill
alarm, outside, bit 0, low temperature | pyvantagepro-marcogos raises TypeError
alarm, outside, bit 2, wind speed | pyvantagepro2 AlarmOutHighDewPoint
alarm, outside, bit 2, wind speed | pyvantagepro-marcogos raises TypeError
alarm, inside, bit 3, high temperature | pyvantagepro2 AlarmInLowHum
alarm, inside, bit 3, high temperature | pyvantagepro-marcogos raises TypeError
alarm, soil and leaf 1, bit 2 | pyvantagepro2 no alarm
alarm, soil and leaf 1, bit 2 | pyvantagepro-marcogos raises TypeError
alarm, soil and leaf 1, bit 7 | pyvantagepro2 Alarm01LowLeafWet Alarm01HighLeafWet Alarm01LowSoilMois Alarm01HighSoilMois Alarm01LowLeafTemp Alarm01HighLeafTemp Alarm01LowSoilTemp Alarm01HighSoilTemp
alarm, soil and leaf 1, bit 7 | pyvantagepro-marcogos raises TypeError
archive, -5.0, -4.0 and -6.0 degrees | pyvantagepro2 6548.6 6549.6 6547.6
archive, -5.0, -4.0 and -6.0 degrees | pyvantagepro-marcogos -5.0 -4.0 -6.0
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
