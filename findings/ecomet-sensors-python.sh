#!/usr/bin/env bash
# PyPI ecomet-i2c-sensors 0.1.10, a collection of drivers for small computers, reads 12 V as 11 V and -10 mV as +70 mV, an eighth of the power, no fault of a dust sensor but that
# of its fan, and never turns a light sensor off.
#
# Expected (Renesas ISL28022 data sheet) Bus voltage register: 4 mV for a count in each of the three ranges; shunt voltage register: 10 uV for a count in each of the four, in two's
#           complement with its sign repeated. (Texas Instruments INA260 data sheet) Power register, 03h: 10 mW for a count. (ams TSL2591 data sheet) ENABLE, 00h: PON 0 turns the
#           oscillator off. (Microchip EMC2301 data sheet) Fan 1 Maximum Step, 37h: 0 to 63 in six bits. (Panasonic SN-GCJA5 communication specification) Register 26h: the state of
#           the sensor, the photodiode, the laser and the fan in two bits each, from the top.
# Seen:     the voltages are scaled as if the ranges were full scale of the bits, 16/4096, 32/8192, 60/16384 V and 40/4096 mV, and the sign of the shunt voltage is masked off.
#           power_conversion has 1.25 mW. disable_ic ORs a 0 to ENABLE. write_register('FAN_MAX_STEP') takes away the sum so far at each bit: 63 becomes 48, 7 becomes 6. The states
#           are masked, not moved, and looked up as 0 to 3, so that all but those of the fan are None.
# So:       a battery at 12 V is empty, and is charged while it is discharged.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps ecomet-i2c-sensors==0.1.10 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types

class Device:
    """A chip behind the package's own bus, with registers of one octet or, in words, of two."""
    def __init__(self):
        self.octets, self.words = bytearray(256), {}

    def readList(self, register, count):
        return self.octets[register:register + count]

    def readU8(self, register):
        return self.octets[register & 0x1f]

    def write8(self, register, value):
        self.octets[register & 0x1f if register & 0xa0 == 0xa0 else register] = value

    def write_then_readinto(self, out, into, out_end, in_start):
        into[in_start:in_start + 2] = self.words.get(out[0], 0).to_bytes(2, 'big')

    def writeList(self, register, data):
        self.words[register] = int.from_bytes(bytes(data), 'big')

device = Device()
bus = types.SimpleNamespace(get_i2c_device=lambda address, busnum=None, **settings: device)
sys.modules['ecomet_i2c_sensors.i2c'] = bus
sys.modules['numpy'] = types.ModuleType('numpy')  # not used here
import ecomet_i2c_sensors
ecomet_i2c_sensors.i2c = bus
from ecomet_i2c_sensors.emc2301.emc2301 import EMC2301
from ecomet_i2c_sensors.ina260.ina260 import INA260
from ecomet_i2c_sensors.isl2802x.isl2802x import ISL28022
from ecomet_i2c_sensors.sn_gcja5 import sn_gcja5
from ecomet_i2c_sensors.tsl2591.tsl2591 import TSL2591

chip = ISL28022()
for scale, shift in ((16, 3), (32, 3), (60, 2)):
    device.words[2] = 12000 // 4 << shift | 2
    found = chip.measure_voltage(stime=0.01, voltage_scale=scale)[2][0]
    print(f'isl2802x, range {scale} V | expected 12.000 V | {found:.3f} V')
for scale in '40mV', '80mV', '160mV', '320mV':
    found = []
    for millivolts in 10, -10:
        device.words[1] = millivolts * 100 & 0xffff
        found.append(chip.measure_shunt_voltage(stime=0.01, voltage_shunt_scale=scale)[2][0])
    print(f'isl2802x, range {scale} | expected 10.00 mV, -10.00 mV | {found[0]:.2f} mV, {found[1]:.2f} mV')
device.words.update({0xfe: 0x5449, 0xff: 0x2270})
print(f'ina260, 1200 counts of power | expected 12.0 W | {INA260().power_conversion(1200, "W")} W')
device.octets[0x12] = 0x50
chip = TSL2591()
chip.enable_ic
on = device.octets[0] & 1
chip.disable_ic
print(f'tsl2591 | PON while enabled, after disable_ic | expected 1, 0 | {on}, {device.octets[0] & 1}')
chip = EMC2301()
for value in 7, 16, 48, 63:
    chip.write_register('FAN_MAX_STEP', value=value)
    print(f'emc2301, maximum step | expected {value} | {device.octets[0x37]}')
device.octets[0x0c] = 1  # one particle
for title, state in (('all well', 0), ('fan abnormal', 3), ('laser abnormal', 2 << 2), ('photodiode abnormal', 2 << 4), ('one part abnormal', 1 << 6)):
    device.octets[0x26] = state
    found = sn_gcja5.conf_register_list()['STATUS']
    print(f'sn_gcja5, {title} | {", ".join(f"{name} {value}" for name, value in found.items())}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
isl2802x, range 16 V | expected 12.000 V | 11.719 V
isl2802x, range 32 V | expected 12.000 V | 11.719 V
isl2802x, range 60 V | expected 12.000 V | 10.986 V
isl2802x, range 40mV | expected 10.00 mV, -10.00 mV | 9.77 mV, 30.23 mV
isl2802x, range 80mV | expected 10.00 mV, -10.00 mV | 9.77 mV, 70.23 mV
isl2802x, range 160mV | expected 10.00 mV, -10.00 mV | 9.77 mV, 150.23 mV
isl2802x, range 320mV | expected 10.00 mV, -10.00 mV | 9.77 mV, 310.23 mV
ina260, 1200 counts of power | expected 12.0 W | 1.5 W
tsl2591 | PON while enabled, after disable_ic | expected 1, 0 | 1, 1
emc2301, maximum step | expected 7 | 6
emc2301, maximum step | expected 16 | 16
emc2301, maximum step | expected 48 | 48
emc2301, maximum step | expected 63 | 48
sn_gcja5, all well | STAT NONE, PD NORMAL, LD NORMAL, FAN NORMAL
sn_gcja5, fan abnormal | STAT NONE, PD NORMAL, LD NORMAL, FAN ABNORM
sn_gcja5, laser abnormal | STAT NONE, PD NORMAL, LD None, FAN NORMAL
sn_gcja5, photodiode abnormal | STAT NONE, PD None, LD NORMAL, FAN NORMAL
sn_gcja5, one part abnormal | STAT None, PD NORMAL, LD NORMAL, FAN NORMAL
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
