#!/usr/bin/env bash
# PyPI melopero-apds9960 0.1.4, a driver for the light, proximity and gesture sensor APDS-9960, clears the whole register with every bit that it clears: turning off one engine
# turns off the chip, and a gain is written as another one. Two setters never work.
#
# Expected (Broadcom APDS-9960 data sheet) "Enable Register (0x80)": PON bit 0, AEN 1, PEN 2, WEN 3, AIEN 4, PIEN 5, GEN 6. "Control Register One (0x8F)": LDRIVE bits 7 to 6, PGAIN
#           3 to 2, AGAIN 1 to 0. "Gesture Configuration Two (0xA3)": GGAIN bits 6 to 5, GLDRIVE 4 to 3, GWTIME 2 to 0. "Gesture Configuration Four (0xAB)": GIEN bit 1, GMODE 0.
#           "Configuration Register Two (0x90)": LED_BOOST bits 5 to 4. "Persistence Register (0x8C)": PPERS bits 7 to 4, APERS 3 to 0. "Gesture Offset": a sign and seven bits at
#           A4h, A5h, A7h and A9h.
# Seen:     a bit is cleared with register &= False << n, which is 0. Turning off the light, the proximity or the gestures, or an interrupt, powers the chip off. A gain or a
#           current clears the others of its register, and, when its upper bit is 0, its lower bit as well (4X is written as 1X, 50 mA as 100 mA); persistences lose the bits below
#           their highest 0. set_als_interrupt_persistence and set_gesture_offsets raise TypeError.
# So:       "no interrupts of the light, please" stops everything, and the LED shines with the double of the current that was asked for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps melopero-apds9960==0.1.4 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types

registers = bytearray(256)

class SMBus:
    """A bus with an APDS-9960."""
    def __init__(self, number):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def read_i2c_block_data(self, address, register, count):
        return list(registers[register:register + count])

    def write_i2c_block_data(self, address, register, data):
        registers[register:register + len(data)] = bytes(data)

sys.modules['smbus2'] = types.SimpleNamespace(SMBus=SMBus)
from melopero_apds9960.APDS_9960 import APDS_9960 as Driver
chip = Driver()

def show(title, call, register, before, expected):
    registers[register] = before
    call()
    print(f'{title} | {register:x}h was {before:08b} | expected {expected:08b} | {registers[register]:08b}')

# the setters find the right bits where they only set some
show('enable_als_engine()', chip.enable_als_engine, 0x80, 0b00000101, 0b00000111)
show('set_als_gain(64X)', lambda: chip.set_als_gain(chip.ALS_GAIN_64X), 0x8f, 0b01001000, 0b01001011)
# and clear everything with one bit
show('enable_als_engine(False)', lambda: chip.enable_als_engine(False), 0x80, 0b01000111, 0b01000101)
show('enable_proximity_engine(False)', lambda: chip.enable_proximity_engine(False), 0x80, 0b00010111, 0b00010011)
show('enable_gestures_engine(False)', lambda: chip.enable_gestures_engine(False), 0x80, 0b01000111, 0b00000111)
show('enable_als_interrupts(False)', lambda: chip.enable_als_interrupts(False), 0x80, 0b00110111, 0b00100111)
show('set_als_gain(4X)', lambda: chip.set_als_gain(chip.ALS_GAIN_4X), 0x8f, 0b01001000, 0b01001001)
show('set_als_gain(16X)', lambda: chip.set_als_gain(chip.ALS_GAIN_16X), 0x8f, 0b01001000, 0b01001010)
show('set_proximity_gain(2X)', lambda: chip.set_proximity_gain(chip.PROXIMITY_GAIN_2X), 0x8f, 0b01000010, 0b01000110)
show('set_led_drive(50 mA)', lambda: chip.set_led_drive(chip.LED_DRIVE_50_mA), 0x8f, 0b00001010, 0b01001010)
show('set_led_boost(150)', lambda: chip.set_led_boost(chip.LED_BOOST_150), 0x90, 0b10000001, 0b10010001)
show('set_gesture_gain(2X)', lambda: chip.set_gesture_gain(chip.PROXIMITY_GAIN_2X), 0xa3, 0b00001001, 0b00101001)
show('set_gesture_wait_time(8.4 ms)', lambda: chip.set_gesture_wait_time(chip.GESTURE_WAIT_8_4_MILLIS), 0xa3, 0b01001000, 0b01001011)
show('exit_gesture_engine()', chip.exit_gesture_engine, 0xab, 0b00000011, 0b00000010)
show('set_proximity_interrupt_persistence(5)', lambda: chip.set_proximity_interrupt_persistence(5), 0x8c, 0b00000010, 0b01010010)
for title, call in (('set_als_interrupt_persistence(3)', lambda: chip.set_als_interrupt_persistence(3)), ('set_gesture_offsets(1, 2, 3, 4)', lambda: chip.set_gesture_offsets(1, 2, 3, 4))):
    try:
        found = call()
    except TypeError as error:
        found = type(error).__name__
    print(f'{title} | {found}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
enable_als_engine() | 80h was 00000101 | expected 00000111 | 00000111
set_als_gain(64X) | 8fh was 01001000 | expected 01001011 | 01001011
enable_als_engine(False) | 80h was 01000111 | expected 01000101 | 00000000
enable_proximity_engine(False) | 80h was 00010111 | expected 00010011 | 00000000
enable_gestures_engine(False) | 80h was 01000111 | expected 00000111 | 00000000
enable_als_interrupts(False) | 80h was 00110111 | expected 00100111 | 00000000
set_als_gain(4X) | 8fh was 01001000 | expected 01001001 | 00000000
set_als_gain(16X) | 8fh was 01001000 | expected 01001010 | 00000010
set_proximity_gain(2X) | 8fh was 01000010 | expected 01000110 | 00000000
set_led_drive(50 mA) | 8fh was 00001010 | expected 01001010 | 00000000
set_led_boost(150) | 90h was 10000001 | expected 10010001 | 00000000
set_gesture_gain(2X) | a3h was 00001001 | expected 00101001 | 00000000
set_gesture_wait_time(8.4 ms) | a3h was 01001000 | expected 01001011 | 00000000
exit_gesture_engine() | abh was 00000011 | expected 00000010 | 00000000
set_proximity_interrupt_persistence(5) | 8ch was 00000010 | expected 01010010 | 00000000
set_als_interrupt_persistence(3) | TypeError
set_gesture_offsets(1, 2, 3, 4) | TypeError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
