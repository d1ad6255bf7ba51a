#!/usr/bin/env bash
# PyPI senlib 0.1.1, which publishes what sensors measure over MQTT, knows no frost with three of its fourteen sensors: ten degrees below zero are 246 or 3286.8.
#
# Expected (data sheets) National LM75, register 0, and NXP MPL3115A2, registers 4 and 5: two's complement, F6h and 00h are -10 degrees. Aosong AM2315: tenths of a degree, with bit
#           15 for below zero, 8064h is -10; behind the values is a CRC of 16 bits, which says whether they arrived whole. TI HDC1008, register 2: the high octet comes first; 3000h is
#           the heater and both measurements at once.
# Seen:     LM75 and MPL3115A2 have 246 degrees, AM2315 3286.8. AM2315 computes the CRC and does not look at it: a disturbed reading is published. The configuration of the HDC1008
#           is written with swapped octets. get_sensor_driver('LM75') looks for lm75, finds it, and raises KeyError for LM75.
# So:       an MQTT dashboard of a cold store shows a fire.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps senlib==0.1.1 >/dev/null 2>&1

cat >try.py <<'CODE'
class Bus:
    """A bus of senlib with one sensor: registers, words of SMBus with the low octet first."""
    registers = bytearray(256)

    def read_byte_data(self, address, register):
        return self.registers[register]

    def write_byte_data(self, address, register, value):
        self.registers[register] = value

    def write_byte(self, address, value):
        pass

    def read_word_data(self, address, register):
        return int.from_bytes(self.registers[register:register + 2], 'little')

    def write_word_data(self, address, register, value):
        self.registers[register:register + 2] = value.to_bytes(2, 'little')

    def write_i2c_block_data(self, address, register, values):
        pass

    def read_i2c_block_data(self, address, register, count):
        return list(self.answer)

def crc(data):
    value = 0xffff
    for octet in data:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0xa001 if value & 1 else 0)
    return value.to_bytes(2, 'little')

from senlib.i2c import get_sensor_driver

bus = Bus()
for degrees in 10, -10:
    bus.registers[0:2] = (degrees * 256 & 0xffff).to_bytes(2, 'big')
    print(f'LM75 | expected {degrees} | {get_sensor_driver("lm75")(bus, 0x48).measure()}')
    bus.registers[0:6] = b'\x08\0\0\0' + (degrees * 256 & 0xffff).to_bytes(2, 'big')
    chip = get_sensor_driver('mpl3115a2')(bus, 0x60)
    bus.registers[0] = 8
    print(f'MPL3115A2 | expected {degrees} | {chip.measure()["temperature"]}')
    values = b'\x03\x04' + (500).to_bytes(2, 'big') + (abs(degrees) * 10 | 0x8000 * (degrees < 0)).to_bytes(2, 'big')
    bus.answer = values + crc(values)
    print(f'AM2315 | expected {degrees} | {get_sensor_driver("am2315")(bus, 0x5c).measure()}')
bus.answer = b'\x03\x04\x01\xf4\x40\x64' + crc(b'\x03\x04\x01\xf4\x00\x64')
print(f'AM2315, one bit disturbed | expected no value | {get_sensor_driver("am2315")(bus, 0x5c).measure()}')
get_sensor_driver('hdc1008')(bus, 0x40)
print(f'HDC1008, configuration | expected 3000h | {bus.registers[2:4].hex()}h')
try:
    print(f'LM75, in large letters | {get_sensor_driver("LM75").__name__}')
except KeyError as error:
    print(f'LM75, in large letters | expected LM75 | {type(error).__name__}: {error}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
LM75 | expected 10 | {'temperature': 10.0}
MPL3115A2 | expected 10 | 10.0
AM2315 | expected 10 | {'temperature': 10.0, 'humidity': 50.0}
LM75 | expected -10 | {'temperature': 246.0}
MPL3115A2 | expected -10 | 246.0
AM2315 | expected -10 | {'temperature': 3286.8, 'humidity': 50.0}
AM2315, one bit disturbed | expected no value | {'temperature': 1648.4, 'humidity': 50.0}
HDC1008, configuration | expected 3000h | 0030h
LM75, in large letters | expected LM75 | KeyError: 'LM75'
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
