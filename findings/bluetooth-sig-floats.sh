#!/usr/bin/env bash
# PyPI bluetooth-sig 0.6.0, which gateways from Bluetooth to MQTT can use, reads the decimal numbers of thermometers, blood pressure monitors and
# pulse oximeters with an exponent that is 8 or 128 off, and a failed weighing as a weight.
#
# Expected (IEEE 11073-20601, annex F.8 and F.9; Bluetooth SIG, Personal Health Devices Transcoding white paper): a FLOAT has a mantissa of 24 bits
#           and above it an exponent of 8 bits to the base 10, an SFLOAT one of 12 and one of 4, all in two's complement. FF00016C is 364 * 10^-1 =
#           36.4, 0072 is 114. (Weight Scale Service 1.0, 3.2.1.2; Body Composition Service 1.0, 3.2.1.2) FFFF as the weight or the body fat means
#           "measurement unsuccessful". (GATT Specification Supplement, Date Time) A month or a day of 0 is not known.
# Seen:     a temperature of 36.4 degrees is 3.64e+129, one of 36 degrees 3.6e-127, a blood pressure of 120 over 80 is 1.2e-06 over 8e-07, 98 percent
#           of oxygen 9.8e-07, each without an error; a pressure in kPa is rejected as outside 0 to 40 kPa. Written by the library, 36.4 is the FLOAT
#           7c058de0, which is 3.64e+129 for others. The failed weighing is 327.675 kg, failed body fat is an error, and so is an unknown month.
# So:       no clinical device can be read, and the tests of a program that writes and reads with the library pass.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q bluetooth-sig==0.6.0

cat >try.py <<'PY'
import logging
from bluetooth_sig import BluetoothSIGTranslator
from bluetooth_sig.gatt.characteristics.utils.ieee11073_parser import IEEE11073Parser

logging.disable(logging.CRITICAL)
translator = BluetoothSIGTranslator()

def expected(number, bits):
    mantissa, exponent = number & (1 << bits) - 1, number >> bits
    signed = lambda value, width: value - (1 << width) if value >> width - 1 else value
    return float(f'{signed(mantissa, bits)}e{signed(exponent, 8 if bits == 24 else 4)}')

for number in 0xFF00016C, 0x00000024, 0xFE000EA4:
    print(f'FLOAT {number:08x} is {expected(number, 24)}, read as {IEEE11073Parser.parse_float32(number.to_bytes(4, "little")):.6g}')
for number in 0x0072, 0xF0A0, 0xB07A:
    print(f'SFLOAT {number:04x} is {expected(number, 12)}, read as {IEEE11073Parser.parse_sfloat(number.to_bytes(2, "little")):.6g}')
written = IEEE11073Parser.encode_float32(36.4)
print(f'36.4 written as the FLOAT {int.from_bytes(written, "little"):08x}, which is {expected(int.from_bytes(written, "little"), 24):.6g}')

CASES = [
    ('thermometer, 36.4 degrees', '2A1C', '006c0100ff', ['temperature']),
    ('thermometer, NaN', '2A1C', '00ffff7f00', ['temperature']),
    ('blood pressure, 120/80/93 mmHg', '2A35', '00780050005d00', ['systolic', 'diastolic', 'mean_arterial_pressure']),
    ('blood pressure, 16.0/10.7/12.4 kPa', '2A35', '01a0f06bf07cf0', ['systolic']),
    ('oximeter, 98 percent, 72 per minute', '2A5F', '0062004800', ['spo2', 'pulse_rate']),
    ('scales, 75 kg', '2A9D', '00983a', ['weight']),
    ('scales, unsuccessful', '2A9D', '00ffff', ['weight']),
    ('body composition, 20 percent', '2A9C', '0000c800', ['body_fat_percentage']),
    ('body composition, unsuccessful', '2A9C', '0000ffff', ['body_fat_percentage']),
    ('date, 2026-11-30', '2A08', 'ea070b1e0c1e0f', []),
    ('date, month and day not known', '2A08', 'ea0700000c1e0f', []),
    ('temperature, not known', '2A6E', '0080', []),
]
for name, uuid, data, fields in CASES:
    try:
        found = translator.parse_characteristic(uuid, bytes.fromhex(data))
        result = ', '.join(f'{getattr(found, field):.6g}' for field in fields) or found
    except Exception as error:
        result = str(error).split('): ', 1)[-1]
    print(f'{name}: {result}')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
FLOAT ff00016c is 36.4, read as 3.64e+129
FLOAT 00000024 is 36.0, read as 3.6e-127
FLOAT fe000ea4 is 37.48, read as 3.748e+129
SFLOAT 0072 is 114.0, read as 1.14e-06
SFLOAT f0a0 is 16.0, read as 1.6e+09
SFLOAT b07a is 0.00122, read as 122000
36.4 written as the FLOAT 7c058de0, which is 3.64e+129
thermometer, 36.4 degrees: 3.64e+129
thermometer, NaN: nan
blood pressure, 120/80/93 mmHg: 1.2e-06, 8e-07, 9.3e-07
blood pressure, 16.0/10.7/12.4 kPa: systolic pressure 1600000000.0 kPa is outside valid range (0-40 kPa)
oximeter, 98 percent, 72 per minute: 9.8e-07, 7.2e-07
scales, 75 kg: 75
scales, unsuccessful: 327.675
body composition, 20 percent: 20
body composition, unsuccessful: Body fat percentage must be between 0-100%
date, 2026-11-30: 2026-11-30 12:30:15
date, month and day not known: month must be in 1..12
temperature, not known: Special value detected: value is not known
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "bluetooth-sig 0.6.0: as described"
