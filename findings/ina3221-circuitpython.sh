#!/usr/bin/env bash
# PyPI barbudor-circuitpython-ina3221 2.0.0, a driver for the three-channel meter INA3221, multiplies by a resolution where it should divide: every limit of its alarms becomes 0.
#
# Expected (Texas Instruments INA3221 data sheet, registers 07h to 0Ch, "Critical alert limit" and "Warning alert limit") The limit has the format of the shunt voltage: 40 uV for a
#           count in the bits 15 to 3, so that 80 mV are 2000 counts, 3E80h.
# Seen:     set_shunt_critical_alert_limit and set_shunt_warning_alert_limit take the volts times 0.00004. 80 mV are written as 0000h, and so is everything up to 12500 V. The
#           methods that read the limits are right.
# So:       a relay on the pin for critical alerts drops out at the first milliampere.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps barbudor-circuitpython-ina3221==2.0.0 adafruit-circuitpython-busdevice==5.2.17 adafruit-circuitpython-register==1.13.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['micropython'] = types.SimpleNamespace(const=lambda value: value)
for name, members in (('busio', 'I2C SPI'), ('digitalio', 'DigitalInOut'), ('circuitpython_typing', 'ReadableBuffer WriteableBuffer'),
                      ('circuitpython_typing.device_drivers', 'I2CDeviceDriver')):  # only for annotations
    sys.modules[name] = types.SimpleNamespace(**dict.fromkeys(members.split(), object))

class Bus:
    """A bus of CircuitPython (busio.I2C) with an INA3221 after a reset."""
    def __init__(self):
        self.registers = {0: 0x7127, 7: 0x7ff8, 8: 0x7ff8}

    def try_lock(self):
        return True

    def unlock(self):
        pass

    def writeto(self, address, data, *, start=0, end=None):
        data = bytes(data[start:end])
        if len(data) == 3:
            self.registers[data[0]] = int.from_bytes(data[1:], 'big')

    def writeto_then_readfrom(self, address, out, into, *, out_start=0, out_end=None, in_start=0, in_end=None):
        into[in_start:in_start + 2] = self.registers[out[out_start]].to_bytes(2, 'big')

from barbudor_ina3221.full import INA3221

bus = Bus()
chip = INA3221(bus)
bus.registers[7] = 0x3e80
print(f'limit of the chip 3E80 | expected 0.08 V | {chip.shunt_critical_alert_limit(1):.2f} V')
for volts in 0.08, 0.16, -0.04:
    expected = round(volts / 40e-6) * 8 & 0xffff
    chip.set_shunt_critical_alert_limit(1, volts)
    chip.set_shunt_warning_alert_limit(1, volts)
    print(f'{volts} V | expected {expected:04X} {expected:04X} | {bus.registers[7]:04X} {bus.registers[8]:04X} | reads back {chip.shunt_critical_alert_limit(1):.2f} V')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
limit of the chip 3E80 | expected 0.08 V | 0.08 V
0.08 V | expected 3E80 3E80 | 0000 0000 | reads back 0.00 V
0.16 V | expected 7D00 7D00 | 0000 0000 | reads back 0.00 V
-0.04 V | expected E0C0 E0C0 | 0000 0000 | reads back 0.00 V
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
