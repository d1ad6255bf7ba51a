#!/usr/bin/env bash
# Two drivers for the hygrometer HDC1080: PyPI circuitpython-hdc1080 1.0.0 sets other bits than the heater, the mode and the reset and cannot read the serial number,
# micropython-hdc1080 0.1.0 exchanges the two modes.
#
# Expected (Texas Instruments HDC1080 data sheet, register 02h, Configuration) Bit 15, RST, resets; bit 13, HEAT, is the heater; bit 12, MODE, is 1 for temperature and humidity in
#           sequence, 0 for one of them; bit 11, BTST, is the state of the battery, to be read; bits 9 and 8, HRES, are the resolution of the humidity, 1 for 11 bits. The serial
#           number is in the registers FBh to FDh.
# Seen:     circuitpython-hdc1080 writes 1000h for heater=True, which is the mode, nothing for "sequential", 0100h for "acquisition", which is a lower resolution, and 0001h, a
#           reserved bit, for the battery. reset() writes 00 00 to the chip, not to 02h. serial_number reads two octets after FC 0D and raises IndexError. micropython-hdc1080
#           clears MODE for TEMP_AND_HUM and sets it for TEMP_OR_HUM, and reads it back in the same wrong way.
# So:       the heater that should dry the sensor stays off, and a humidity that was asked for together with the temperature is not measured.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-hdc1080==1.0.0 micropython-hdc1080==0.1.0 \
  adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['micropython'] = types.SimpleNamespace(const=lambda value: value)
for name, members in (('busio', 'I2C SPI'), ('digitalio', 'DigitalInOut'), ('circuitpython_typing', 'ReadableBuffer WriteableBuffer'),
                      ('circuitpython_typing.device_drivers', 'I2CDeviceDriver')):  # only for annotations
    sys.modules[name] = types.SimpleNamespace(**dict.fromkeys(members.split(), object))

class Bus:
    """A bus of CircuitPython with a chip that keeps what is written to it."""
    def try_lock(self):
        return True

    def unlock(self):
        pass

    def writeto(self, address, data, *, start=0, end=None):
        self.written = bytes(data[start:end])

    def readfrom_into(self, address, into, *, start=0, end=None):
        into[:] = bytes(len(into))

class Chip:
    """A bus of MicroPython with an HDC1080: registers of 16 bits."""
    def __init__(self):
        self.registers = {0xff: 0x1050, 2: 0x1000}

    def readfrom_mem(self, address, register, count):
        return self.registers[register].to_bytes(2, 'big')

    def writeto_mem(self, address, register, data):
        self.registers[register] = int.from_bytes(data, 'big')

from hdc1080 import HDC1080
bus = Bus()
chip = HDC1080(bus)
for name, expected, settings in (('heater', '02 20 00', dict(heater=True)), ('sequential', '02 10 00', dict(mode='sequential')), ('acquisition', '02 00 00', dict(mode='acquisition'))):
    chip.configure(**settings)
    print(f'circuitpython | {name} | bit of it in {expected} | {bus.written.hex(" ")}')
chip.configure(battery_status=True)
print(f'circuitpython | battery | to be read | {bus.written.hex(" ")}')
chip.reset()
print(f'circuitpython | reset | expected 02 80 00 | {bus.written.hex(" ")}')
try:
    found = chip.serial_number
except IndexError as error:
    found = type(error).__name__
print(f'circuitpython | serial number | expected FB to FD | {found} after {bus.written.hex(" ")}')

from micropython_hdc1080 import hdc1080
bus = Chip()
chip = hdc1080.HDC1080(bus)
for name, expected in (('TEMP_AND_HUM', 1), ('TEMP_OR_HUM', 0)):
    chip.operation_mode = getattr(hdc1080, name)
    print(f'micropython | {name} | expected MODE {expected} | {bus.registers[2] >> 12 & 1} | reads back {chip.operation_mode}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
circuitpython | heater | bit of it in 02 20 00 | 02 10 00
circuitpython | sequential | bit of it in 02 10 00 | 02 00 00
circuitpython | acquisition | bit of it in 02 00 00 | 02 01 00
circuitpython | battery | to be read | 02 00 01
circuitpython | reset | expected 02 80 00 | 00 00
circuitpython | serial number | expected FB to FD | IndexError after fc 0d
micropython | TEMP_AND_HUM | expected MODE 1 | 0 | reads back TEMP_AND_HUM
micropython | TEMP_OR_HUM | expected MODE 0 | 1 | reads back TEMP_OR_HUM
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
