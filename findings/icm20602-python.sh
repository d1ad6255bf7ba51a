#!/usr/bin/env bash
# PyPI icm20602 0.2.3, a driver for the motion sensor ICM-20602, writes the filter over the range of the gyroscope, which then turns eight times too fast, and turns the filter off.
#
# Expected (TDK ICM-20602 data sheet) 1Ah, CONFIG: bits 2 to 0, DLPF_CFG, are the filter of the gyroscope. 1Bh, GYRO_CONFIG: bits 4 and 3, FS_SEL, are its range, 0 for 250 degrees a
#           second, 3 for 2000; bits 1 and 0, FCHOICE_B, bypass the filter if they are not 0. 1Ch: bits 4 and 3 the range of the accelerometer; 1Dh: its filter.
# Seen:     set_dlpf_bandwidth writes the filter's number to 1Bh, and nothing to 1Ah. So the range is 250 again, while the driver goes on to multiply for 2000, and most numbers turn
#           off the filter. set_gyro_sensitivity turns the number off in its turn.
# So:       a robot that turns at 100 degrees a second brakes, because it believes in 800.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps icm20602==0.2.3 >/dev/null 2>&1

cat >try.py <<'CODE'
import sys, types

class Bus:
    """A bus of SPI with one ICM-20602: what a rotation gives depends on the range in the chip."""
    registers = bytearray(128)
    rotation = 100  # degrees a second

    def open(self, bus, device):
        pass

    def xfer2(self, data):
        register, count = data[0] & 0x7f, len(data) - 1
        if data[0] & 0x80:
            counts = round(self.rotation * (131, 65.5, 32.8, 16.4)[self.registers[0x1b] >> 3 & 3])
            self.registers[0x43:0x45] = counts.to_bytes(2, 'big')
            return [0, *self.registers[register:register + count]]
        self.registers[register:register + count] = bytes(data[1:])

sys.modules['spidev'] = types.SimpleNamespace(SpiDev=Bus)
from icm20602 import ICM20602

chip = ICM20602()

def show(title, range, filter):
    configuration, gyroscope = Bus.registers[0x1a:0x1c]
    print(f'{title} | expected range {range}, filter {filter}, 100 degrees a second | range {(250, 500, 1000, 2000)[gyroscope >> 3 & 3]}, '
          f'filter {"bypassed" if gyroscope & 3 else configuration & 7} | {chip.read_gyro_data()["x"]:.0f}')

chip.set_gyro_sensitivity(ICM20602.GyroSensitivity.SENS_2000DPS)
show('2000 degrees a second', 2000, 'any')
for bandwidth in ICM20602.DLPFBandwidth:
    chip.set_gyro_sensitivity(ICM20602.GyroSensitivity.SENS_2000DPS)
    chip.set_dlpf_bandwidth(bandwidth)
    show(bandwidth.name, 2000, bandwidth.value)
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
2000 degrees a second | expected range 2000, filter any, 100 degrees a second | range 2000, filter 0 | 100
BW_250HZ | expected range 2000, filter 0, 100 degrees a second | range 250, filter 0 | 799
BW_184HZ | expected range 2000, filter 1, 100 degrees a second | range 250, filter bypassed | 799
BW_92HZ | expected range 2000, filter 2, 100 degrees a second | range 250, filter bypassed | 799
BW_41HZ | expected range 2000, filter 3, 100 degrees a second | range 250, filter bypassed | 799
BW_20HZ | expected range 2000, filter 4, 100 degrees a second | range 250, filter 0 | 799
BW_10HZ | expected range 2000, filter 5, 100 degrees a second | range 250, filter bypassed | 799
BW_5HZ | expected range 2000, filter 6, 100 degrees a second | range 250, filter bypassed | 799
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
