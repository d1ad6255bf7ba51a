#!/usr/bin/env bash
# PyPI rv8803 0.0.4, a driver for the clock RV-8803, writes the day of the week as a number, where the chip has a bit for each day, and writes two days whenever it sets the date.
#
# Expected (Micro Crystal RV-8803-C7 application manual, registers 03h and 13h, Weekday) Of seven bits, the one of the day is set: 01h, 02h, 04h, 08h, 10h, 20h, 40h. At midnight the
#           chip goes on to the next bit. The alarm for days of the week compares the same bits.
# Seen:     setWeekday takes 1 to 7 and writes 01h to 07h: the third day is days 1 and 2, the fifth 1 and 3, the seventh 1, 2 and 3. getWeekday gives the bits as they are: the days
#           three to seven of the chip are '04', '08', '10', '20' and '40'. setCalendar writes the length of its block, 3, to the day of the week.
# So:       the heating that is on from the first to the fifth day is off on the third.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps rv8803==0.0.4 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types

class Bus:
    """SMBus with one RV-8803: registers 00h to 06h are 11h to 17h, too."""
    def __init__(self, bus):
        self.registers = bytearray(32)
        Bus.last = self

    def place(self, register):
        return register - 0x11 if 0x11 <= register <= 0x17 else register

    def read_byte_data(self, address, register):
        return self.registers[self.place(register)]

    def write_byte_data(self, address, register, value):
        self.registers[self.place(register)] = value & 0xff

    def write_block_data(self, address, register, values):  # SMBus block write: the length goes first
        for place, value in enumerate([len(values), *values], register):
            self.write_byte_data(address, place, value)

sys.modules['smbus'] = types.SimpleNamespace(SMBus=Bus)
from RV8803 import RV_8803

clock = RV_8803()
registers = Bus.last.registers
for day in range(1, 8):
    clock.setWeekday(day)
    written = registers[3]
    registers[3] = 1 << day - 1
    print(f'setWeekday({day}) | expected {1 << day - 1:02X}h | {written:02X}h | the chip has day {day}, {registers[3]:02X}h: getWeekday() is {clock.getWeekday()!r}')
registers[3] = 0x10
clock.setCalendar([24, 12, 2026])
print(f'setCalendar | expected {0x10:02X}h 24 12 26 | {registers[3]:02X}h {registers[4:7].hex(" ")}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
setWeekday(1) | expected 01h | 01h | the chip has day 1, 01h: getWeekday() is '01'
setWeekday(2) | expected 02h | 02h | the chip has day 2, 02h: getWeekday() is '02'
setWeekday(3) | expected 04h | 03h | the chip has day 3, 04h: getWeekday() is '04'
setWeekday(4) | expected 08h | 04h | the chip has day 4, 08h: getWeekday() is '08'
setWeekday(5) | expected 10h | 05h | the chip has day 5, 10h: getWeekday() is '10'
setWeekday(6) | expected 20h | 06h | the chip has day 6, 20h: getWeekday() is '20'
setWeekday(7) | expected 40h | 07h | the chip has day 7, 40h: getWeekday() is '40'
setCalendar | expected 10h 24 12 26 | 03h 24 12 26
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
