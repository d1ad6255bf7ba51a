#!/usr/bin/env bash
# PyPI melopero-rv-3028 0.1.1, a driver for the clock RV-3028, turns on an interrupt each second instead of the alarm for a date, which stays an alarm for a day of the week.
#
# Expected (Micro Crystal RV-3028-C7 application manual) 0Fh, Control 1: bit 5, WADA, selects what register 09h is compared with, 0 for the day of the week, 1 for the date. 10h, Control
#           2: bit 5, UIE, enables the interrupt of the periodic time update, which comes each second or each minute.
# Seen:     set_date_alarm sets bit 5 of 10h, and set_weekday_alarm clears it; 0Fh is not written. enable_alarm(False) sets UIE, too, since it ends with a date alarm that is off. What
#           enable_periodic_time_update_interrupt has set, set_weekday_alarm takes back.
# So:       a gate that should open on the 3rd wakes its computer each second, and opens on every third day of the week.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps melopero-rv-3028==0.1.1 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types

class Bus:
    """SMBus with one RV-3028."""
    registers = bytearray(64)

    def __init__(self, bus):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        pass

    def read_byte_data(self, address, register):
        return self.registers[register]

    def write_byte_data(self, address, register, value):
        self.registers[register] = value

    def read_i2c_block_data(self, address, register, count):
        return list(self.registers[register:register + count])

sys.modules['smbus2'] = types.SimpleNamespace(SMBus=Bus)
from melopero_RV_3028 import RV_3028

clock = RV_3028()

def show(title, wada, uie):
    first, second = Bus.registers[0x0f:0x11]
    print(f'{title} | expected WADA {wada}, UIE {uie} | WADA {first >> 5 & 1}, UIE {second >> 5 & 1}, 09h {Bus.registers[9]:02X}')

clock.set_date_alarm(3)
clock.enable_alarm(True, True)
show('set_date_alarm(3)', 1, 0)
clock.set_weekday_alarm(3)
show('set_weekday_alarm(3)', 0, 0)
clock.enable_periodic_time_update_interrupt()
clock.set_weekday_alarm(3)
show('update interrupt, set_weekday_alarm(3)', 0, 1)
clock.enable_periodic_time_update_interrupt(False)
clock.enable_alarm(False, False)
show('enable_alarm(False)', 'any', 0)
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
set_date_alarm(3) | expected WADA 1, UIE 0 | WADA 0, UIE 1, 09h 03
set_weekday_alarm(3) | expected WADA 0, UIE 0 | WADA 0, UIE 0, 09h 03
update interrupt, set_weekday_alarm(3) | expected WADA 0, UIE 1 | WADA 0, UIE 0, 09h 03
enable_alarm(False) | expected WADA any, UIE 0 | WADA 0, UIE 1, 09h 80
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
