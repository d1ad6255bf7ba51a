#!/usr/bin/env bash
# PyPI ina238 0.0.2, a driver for the power meter INA238, has 502 degrees for ten degrees of frost, reads a setting for a voltage after each change of one, and gives four times the
# shunt voltage in the narrow range.
#
# Expected (Texas Instruments INA238 data sheet) 06h, DIETEMP: bits 15 to 4 in two's complement, eighths of a degree. 04h, VSHUNT: 5 uV for a count, but 1.25 uV if bit 4 of 00h,
#           ADCRANGE, is 1. A read gives the register that was addressed last, by a write, too. 3Eh: the maker, 5449h.
# Seen:     the sign of the temperature is cut off with the bits below it: -0.125 degrees are 511875 thousandths. The driver remembers what it has addressed, but not for writes: after
#           set_config, get_shunt_voltage gives 00h, 80 uV. set_config keeps the old resolution, which only get_config changes. get_manufacturer_id raises AttributeError.
# So:       a charger for an electric bicycle in a cold garage shuts down because of its heat.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps ina238==0.0.2 >/dev/null 2>&1

cat >try.py <<'CODE'
from ti import ina238

class Port:
    """A port of I2C, as the package wants it, with one INA238, which has these registers."""
    def __init__(self):
        self.registers = {0x00: 0, 0x01: 0xfb68, 0x3e: 0x5449, 0x3f: 0x2381}

    def write(self, data):
        self.register = data[0]
        if len(data) > 1:
            self.registers[data[0]] = int.from_bytes(bytes(data[1:]), 'big')

    def read(self, readlen):
        return self.registers.get(self.register, 0).to_bytes(readlen, 'big')

port = Port()
chip = ina238.Driver(port)
for degrees in 25, 0, -0.125, -10:
    port.registers[6] = (round(degrees * 8) & 0xfff) << 4
    print(f'DIETEMP {port.registers[6]:04X}h | expected {round(degrees * 1000)} | {chip.get_die_temperature()}')
port.registers[4] = 1000
print(f'VSHUNT 1000 | expected 5000 uV | {chip.get_shunt_voltage()}')
chip.set_config(adc_range=ina238.ADCRange.LOW)
print(f'ADCRANGE set, 00h {port.registers[0]:04X} | expected 1250 uV | {chip.get_shunt_voltage()}')
chip.get_bus_voltage()
print(f'after another register | expected 1250 uV | {chip.get_shunt_voltage()}')
chip.get_config()
print(f'after get_config | expected 1250 uV | {chip.get_shunt_voltage()}')
try:
    print(f'maker | expected 5449h | {chip.get_manufacturer_id():04X}h')
except AttributeError as error:
    print(f'maker | expected 5449h | {type(error).__name__}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
DIETEMP 0C80h | expected 25000 | 25000
DIETEMP 0000h | expected 0 | 0
DIETEMP FFF0h | expected -125 | 511875
DIETEMP FB00h | expected -10000 | 502000
VSHUNT 1000 | expected 5000 uV | 5000.0
ADCRANGE set, 00h 0010 | expected 1250 uV | 80.0
after another register | expected 1250 uV | 5000.0
after get_config | expected 1250 uV | 1250.0
maker | expected 5449h | AttributeError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
