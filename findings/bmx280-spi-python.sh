#!/usr/bin/env bash
# PyPI bmx280-spi 1.0.4, a driver for the weather sensors BME280 and BMP280 on SPI, takes one digit of the humidity's calibration from the wrong place, sets too small a filter, and
# never sets the pause between measurements.
#
# Expected (Bosch BME280 data sheet) dig_H5 has 12 bits with a sign, bits 11 to 4 in E6h, bits 3 to 0 in bits 7 to 4 of E5h. F5h, config: bits 4 to 2 are the filter, 0 off, 1 for 2,
#           2 for 4, 3 for 8, 4 for 16; bits 7 to 5 are the pause, 5 for 1000 ms, and 6 and 7 are 10 and 20 ms in the BME280, 2000 and 4000 in the BMP280.
# Seen:     the upper half of E6h becomes bits 11 to 8 of dig_H5, the lower half is dropped: 323 is 259, and -300 is -508. The filter is written one bit too low, so that 4 gives 2,
#           and 1 none, and is read back as twice the number. set_sleep_duration_ms writes nothing. Pause 7 of a BME280 is 4000 ms.
# So:       a laundry's dryer is steered by a humidity that depends on the temperature twice.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps bmx280-spi==1.0.4 >/dev/null 2>&1

cat >try.py <<'CODE'
import logging, sys, types
REGISTERS = bytearray(256)

class Spi:
    """A bus of SPI with one BME280: bit 7 of the address is 0 for a write."""
    max_speed_hz = 500000

    def open(self, bus, device):
        pass

    def xfer(self, data):
        self.register = data[0] | 0x80
        if len(data) > 1:
            REGISTERS[self.register] = data[1]

    def readbytes(self, count):
        return list(REGISTERS[self.register:self.register + count])

class Any:
    """The line that selects the chip, and a log."""
    def __getattr__(self, name):
        return lambda *values, **named: Any()

sys.modules['spidev'] = types.SimpleNamespace(SpiDev=Spi)
sys.modules['gpiod'] = Any()
sys.modules['gpiod'].line_request = type('Request', (), {'DIRECTION_OUTPUT': 1})
sys.modules['gpiod'].chip = type('Line', (Any,), {'OPEN_BY_NUMBER': 1, '__init__': lambda self, *values: None})
sys.modules['logging_handler'] = types.SimpleNamespace(create_logger=lambda level: Any(), INFO=1, DEBUG=2)
import bmx280_spi
bmx280_spi.WRITE_RETRY_DELAY = 0

REGISTERS[0xd0] = 0x60
for name, number in ('positive', 323), ('small', 15), ('negative', -300):
    REGISTERS[0xe5], REGISTERS[0xe6] = (number & 15) << 4, number >> 4 & 0xff
    chip = bmx280_spi.Bmx280Spi(0, 1, 0)
    print(f'dig_H5, E5h {REGISTERS[0xe5]:02X}, E6h {REGISTERS[0xe6]:02X} | expected {number} | {chip._trim_humid[4]}')
for filter in 1, 2, 4:
    chip.set_filter(filter)
    print(f'filter {filter} | expected F5h, bits 4 to 2: {filter} | {REGISTERS[0xf5] >> 2 & 7}, F5h {REGISTERS[0xf5]:02X}, read back {chip.get_filter()}')
chip.set_sleep_duration_value(0)
found = chip.set_sleep_duration_ms(1000)
print(f'set_sleep_duration_ms(1000) | expected F5h, bits 7 to 5: 5 | {REGISTERS[0xf5] >> 5}, {found} ms')
chip.set_sleep_duration_value(7)
print(f'pause 7 | expected 20 ms | {chip.get_sleep_duration_ms()} ms')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
dig_H5, E5h 30, E6h 14 | expected 323 | 259
dig_H5, E5h F0, E6h 00 | expected 15 | 15
dig_H5, E5h 40, E6h ED | expected -300 | -508
filter 1 | expected F5h, bits 4 to 2: 1 | 0, F5h 02, read back 2
filter 2 | expected F5h, bits 4 to 2: 2 | 1, F5h 04, read back 4
filter 4 | expected F5h, bits 4 to 2: 4 | 2, F5h 08, read back 8
set_sleep_duration_ms(1000) | expected F5h, bits 7 to 5: 5 | 0, 0.5 ms
pause 7 | expected 20 ms | 4000 ms
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
