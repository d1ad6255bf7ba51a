#!/usr/bin/env bash
# Two small drivers for thermometers know no frost: with PyPI tmp1075 0.2.2 one degree below zero is 255 degrees, with am2320-driver 0.1.2 it is 3277.8, and a disturbed reading is
# taken as it comes.
#
# Expected (Texas Instruments TMP1075 data sheet, "Temperature register") 12 bits in two's complement: FF0h is -1 degree. (Aosong AM2320 data sheet, "Output data") Tenths of a
#           degree, with the highest bit of the 16 as the sign: 800Ah is -1 degree; two octets with a CRC follow each answer.
# Seen:     tmp1075 multiplies the 12 bits as they are, am2320-driver divides the 16 bits as they are. It reads four or six octets of the answer and never the checksum.
# So:       a cold store that is watched by one of them catches fire at each frost.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps tmp1075==0.2.2 am2320-driver==0.1.2 adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
for name, members in (('digitalio', 'DigitalInOut'), ('circuitpython_typing', 'ReadableBuffer WriteableBuffer'),
                      ('circuitpython_typing.device_drivers', 'I2CDeviceDriver')):  # only for annotations
    sys.modules[name] = types.SimpleNamespace(**dict.fromkeys(members.split(), object))

class Bus:
    """A bus of CircuitPython (busio.I2C) with a TMP1075."""
    word = 0
    def __init__(self, scl, sda):
        pass

    def try_lock(self):
        return True

    def unlock(self):
        pass

    def writeto(self, address, data, **bounds):
        pass

    def writeto_then_readfrom(self, address, out, into, **bounds):
        into[:] = Bus.word.to_bytes(2, 'big')

class SMBus:
    """smbus2's bus with an AM2320."""
    temperature = 0
    def __init__(self, number):
        pass

    def write_i2c_block_data(self, address, function, data):
        self.start, self.count = data if data else (0, 4)

    def read_i2c_block_data(self, address, register, count):
        registers = (487).to_bytes(2, 'big') + SMBus.temperature.to_bytes(2, 'big')
        found = bytes([3, self.count]) + registers[self.start:self.start + self.count]
        crc = 0xffff
        for octet in found:
            crc ^= octet
            for _ in range(8):
                crc = crc >> 1 ^ 0xa001 if crc & 1 else crc >> 1
        return list(found + (crc ^ SMBus.disturbed).to_bytes(2, 'little'))[:count]

sys.modules['busio'] = types.SimpleNamespace(I2C=Bus, SPI=object)
sys.modules['board'] = types.SimpleNamespace(SCL=1, SDA=2)
sys.modules['smbus2'] = sys.modules['smbus2.smbus2'] = types.SimpleNamespace(SMBus=SMBus)
from TMP1075 import TMP1075
from am2320_driver import AM2320

thermometer = TMP1075()
hygrometer = AM2320()
for expected in 21.5, 0, -1, -25:
    Bus.word = round(expected * 256) & 0xffff
    tenths = round(abs(expected) * 10)
    SMBus.temperature = tenths | 0x8000 if expected < 0 else tenths
    SMBus.disturbed = 0
    print(f'expected {expected} | tmp1075 {thermometer.get_temperature()} | am2320-driver {hygrometer.get_temp()}, {hygrometer.get_humi_temp()[1]}')
SMBus.disturbed = 0x1234
print(f'wrong checksum | expected an error | am2320-driver {hygrometer.get_temp()}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
expected 21.5 | tmp1075 21.5 | am2320-driver 21.5, 21.5
expected 0 | tmp1075 0.0 | am2320-driver 0.0, 0.0
expected -1 | tmp1075 255.0 | am2320-driver 3277.8, 3277.8
expected -25 | tmp1075 231.0 | am2320-driver 3301.8, 3301.8
wrong checksum | expected an error | am2320-driver 3301.8
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
