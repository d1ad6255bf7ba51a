#!/usr/bin/env bash
# PyPI mqtt-io 2.7.0, which publishes the sensors and switches of a small computer over MQTT, reports one degree of frost as 255 degrees, and three of its sensors cannot be used
# with the defaults, two with a documented type.
#
# Expected (NXP LM75A data sheet, "Temperature register") The temperature is two's complement: FF00h is -1 degree. (mqtt-io's own schema of the settings) Without chip_addr, an
#           integer, the default applies; type may be "all" for the ADXL345, "gr100um" for the PMS5003.
# Seen:     the LM75 module divides the octets without their sign: -0.5 is 255.5. The defaults of chip_addr are texts: "0x10" of the VEML7700, "0x49" of the TSL2561 and
#           "DEFAULT_CHIP_ADDR" of the ENS160, and the settings are rejected as "must be of integer type". The types raise KeyError, as the values are under other keys: "all_axes"
#           and "gr100u". "all" is the default of the ADXL345.
# So:       the alarm of a freezer is silent, and a new sensor stops the service at its start.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check mqtt-io==2.7.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types, importlib
from cerberus import Validator

class Bus:
    """smbus2's bus with an LM75, read as a word with the low octet first."""
    def __init__(self, number):
        pass

    def read_word_data(self, address, register):
        return int.from_bytes(Bus.word.to_bytes(2, 'big'), 'little')

class Adxl345:
    def __init__(self, address):
        pass

    def get_axes(self, gforce=False):
        return {'x': 0.1, 'y': 0.2, 'z': 9.8}

class Plantower:
    def __init__(self, port):
        pass

    def mode_change(self, mode):
        pass

    set_to_wakeup = set_to_sleep = lambda self: None

    def read(self):
        names = 'pm10_cf1 pm25_cf1 pm100_cf1 pm10_std pm25_std pm100_std gr03um gr05um gr10um gr25um gr50um gr100um'.split()
        return types.SimpleNamespace(**{name: place for place, name in enumerate(names)})

sys.modules['smbus2'] = types.SimpleNamespace(SMBus=Bus)
sys.modules['adxl345'] = types.SimpleNamespace(ADXL345=Adxl345)
sys.modules['plantower'] = types.SimpleNamespace(Plantower=Plantower, PMS_PASSIVE_MODE=1)

def module(name):
    found = importlib.import_module('mqtt_io.modules.sensor.' + name)
    if hasattr(found, 'time'):
        found.time = types.SimpleNamespace(sleep=lambda seconds: None)
    return found

sensor = module('lm75').Sensor({'i2c_bus_num': 1, 'chip_addr': 0x48})
sensor.setup_module()
for expected in 21.5, 0.5, -0.5, -1, -25:
    Bus.word = round(expected * 256) & 0xffff
    print(f'lm75 | expected {expected} degrees | {sensor.get_value({})}')
for name in 'bh1750', 'veml7700', 'tsl2561', 'ens160':
    found = module(name)
    validator = Validator(found.CONFIG_SCHEMA)
    settings = {'i2c_bus_num': 1, 'chip_addr': 0x23} if name == 'bh1750' else {}
    print(f'{name} | expected valid | {"valid" if validator.validate(settings) else validator.errors.get("chip_addr")} | {found.CONFIG_SCHEMA["chip_addr"].get("default")!r}')
for name, settings, types_ in (('adxl345', {'chip_addr': 0x53}, ('x', 'all')), ('pms5003', {'serial_port': '/dev/null'}, ('gr50um', 'gr100um'))):
    found = module(name)
    sensor = found.Sensor(settings)
    sensor.setup_module()
    for kind in types_:
        try:
            value = sensor.get_value({'type': kind, 'interval': 10})
        except KeyError as error:
            value = f'KeyError {error}'
        print(f'{name} | type {kind}, {"allowed" if kind in found.Sensor.SENSOR_SCHEMA["type"]["allowed"] else "unknown"} | {value}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
lm75 | expected 21.5 degrees | 21.5
lm75 | expected 0.5 degrees | 0.5
lm75 | expected -0.5 degrees | 255.5
lm75 | expected -1 degrees | 255.0
lm75 | expected -25 degrees | 231.0
bh1750 | expected valid | valid | None
veml7700 | expected valid | ['must be of integer type'] | '0x10'
tsl2561 | expected valid | ['must be of integer type'] | '0x49'
ens160 | expected valid | ['must be of integer type'] | 'DEFAULT_CHIP_ADDR'
adxl345 | type x, allowed | 0.1
adxl345 | type all, allowed | KeyError 'all'
pms5003 | type gr50um, allowed | 10
pms5003 | type gr100um, allowed | KeyError 'gr100um'
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
