#!/usr/bin/env bash
# PyPI circuitpython-ds1302 1.0.0, a driver for the clock DS1302, makes noon 23 o'clock when the clock is changed from 12 to 24 hours, midnight noon, and writes only the first octet
# of a text to the memory of the clock, unless it begins at 0.
#
# Expected (Maxim DS1302 data sheet) Hours: bit 7 is 1 for 12 hours, then bit 5 is PM: 92h is 12 AM, midnight, B2h 12 PM, noon. Data input: after a command, the eight bits of the
#           register follow; clocks after them are ignored, except in burst mode; a new command needs CE low first.
# Seen:     the change to 24 hours adds 12 for PM to 12, too, and cuts 24 to 23; 12 AM stays 12. The other hours, and datetime itself, are right. write_ram does not lower CE between
#           its commands: of b'abc' at 4, only a is there.
# So:       a feeder that is switched to 24 hours at noon is eleven hours fast.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps circuitpython-ds1302==1.0.0 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types
sys.modules['micropython'] = types.SimpleNamespace(const=lambda value: value)
sys.modules['board'] = types.SimpleNamespace()

class Chip:
    """A DS1302 with its three wires: it takes a bit when the clock rises and gives the next one when the clock falls."""
    def __init__(self):
        self.clock, self.memory, self.ce, self.sck, self.io = bytearray(8), bytearray(31), 0, 0, 0

    def enable(self, level):
        if level != self.ce:
            self.ce, self.bits, self.command, self.place = level, [], None, 0

    def store(self):
        """The registers that the command is for, and which of them is next, if there is one."""
        area = self.memory if self.command & 0x40 else self.clock
        number = self.command >> 1 & 31
        if number == 31:
            return area, self.place
        return area, number if self.place == 0 else len(area)

    def tick(self, level):
        rise, fall, self.sck = level > self.sck, level < self.sck, level
        if not self.ce:
            return
        if rise and (self.command is None or not self.command & 1):
            self.bits.append(self.io)
            if len(self.bits) == 8:
                value, self.bits = sum(bit << place for place, bit in enumerate(self.bits)), []
                if self.command is None:
                    self.command, self.given = value, 0
                    return
                area, at = self.store()
                if at < len(area) and (not self.clock[7] >> 7 or self.command == 0x8e):
                    area[at] = value
                self.place += 1
        if fall and self.command is not None and self.command & 1:
            area, at = self.store()
            self.io = area[at] >> self.given & 1 if at < len(area) else 0
            self.given += 1
            if self.given == 8:
                self.given, self.place = 0, self.place + 1

class Pin:
    def __init__(self, name):
        self.name = name

    @property
    def value(self):
        return bool(chip.io)

    @value.setter
    def value(self, level):
        if self.name == 'ce':
            chip.enable(int(bool(level)))
        elif self.name == 'sck':
            chip.tick(int(bool(level)))
        else:
            chip.io = int(bool(level))

sys.modules['digitalio'] = types.SimpleNamespace(DigitalInOut=Pin, Direction=types.SimpleNamespace(INPUT=0, OUTPUT=1))
import ds1302

chip = Chip()
clock = ds1302.DS1302('ce', 'io', 'sck')
for hour, register in (0, 0x92), (1, 0x81), (11, 0x91), (12, 0xb2), (13, 0xa1), (23, 0xb1):
    chip.clock[:7] = 0, 0x30, register, 1, 1, 1, 0x26
    before = clock.datetime.tm_hour
    clock.is_12_hour = False
    print(f'{register:02X}h, {before}:30, changed to 24 hours | expected {hour}:30 | {clock.datetime.tm_hour}:30')
for offset in 0, 4:
    chip.memory[:] = bytes(31)
    clock.write_ram(offset, b'abc')
    print(f'write_ram at {offset} | expected {b"abc"} | {bytes(chip.memory[offset:offset + 3])}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
92h, 0:30, changed to 24 hours | expected 0:30 | 12:30
81h, 1:30, changed to 24 hours | expected 1:30 | 1:30
91h, 11:30, changed to 24 hours | expected 11:30 | 11:30
B2h, 12:30, changed to 24 hours | expected 12:30 | 23:30
A1h, 13:30, changed to 24 hours | expected 13:30 | 13:30
B1h, 23:30, changed to 24 hours | expected 23:30 | 23:30
write_ram at 0 | expected b'abc' | b'abc'
write_ram at 4 | expected b'abc' | b'a\x00\x00'
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
