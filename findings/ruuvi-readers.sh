#!/usr/bin/env bash
# Three readers of Ruuvi data format 5, which gateways forward over MQTT, lose or invent measurements.
#
# Expected (Ruuvi data format 5): each field has a value for "not available": 0x8000 for temperature and accelerations, 0xFFFF for humidity,
#           pressure and sequence number, 2047 for the battery, 255 for movements, all ones for the address. Temperatures are multiples of
#           0.005 degrees in two's complement.
# Seen:     PyPI ruuvi-decoders 0.2.0 reads nothing of a message without acceleration, and PyPI ruuvitag-sensor 4.1.0 all of it, but it gives
#           255 movements, sequence number 65535 and address ffffffffffff where they are not available. npm ojousima.ruuvi_endpoints.ts 4.1.0
#           gives each temperature below zero 0.005 degrees too high, -163.835 degrees for one that is not available, and 3.647 V for a battery.
# So:       a tag without accelerometer has no temperature in one, and a frozen pipe stays one step short of its threshold in another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet ruuvi-decoders==0.2.0 ruuvitag-sensor==4.1.0 2>/dev/null
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts ojousima.ruuvi_endpoints.ts@4.1.0 >/dev/null 2>&1

# Messages: all values, -0.005 degrees, no acceleration, nothing available.
cat >messages <<'TEXT'
all 0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F
cold 05FFFF5394C37C0004FFFC040CAC364200CDCBB8334C884F
still 0512FC5394C37C800080008000AC364200CDCBB8334C884F
none 058000FFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF
TEXT
cat >try.py <<'PY'
import logging
from ruuvi_decoders import get_decoder as old
from ruuvitag_sensor.decoder import get_decoder as new
logging.disable(logging.CRITICAL)
KEYS = 'temperature', 'humidity', 'pressure', 'acceleration_x', 'battery', 'movement_counter', 'measurement_sequence_number', 'mac'
for line in open('messages'):
    name, message = line.split()
    for package, decoder in ('ruuvi-decoders', old), ('ruuvitag-sensor', new):
        values = decoder(5).decode_data(message)
        print(name, package, *(['nothing'] if values is None else [values[key] for key in KEYS]))
PY
cat >try.cjs <<'JS'
const { getParser } = require('ojousima.ruuvi_endpoints.ts');
for (const line of require('fs').readFileSync('messages', 'utf8').trim().split('\n')) {
  const [name, hex] = line.split(' ');
  const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
  const read = getParser(bytes)(bytes);
  console.log(name, 'ruuvi_endpoints', read.temperatureC, read.humidityRh, read.pressurePa, read.accelerationXG, read.batteryVoltageV,
    read.movementCounter, read.measurementSequence, read.mac);
}
JS
{ env/bin/python try.py 2>/dev/null; node try.cjs; } | tee seen
cat >expected <<'TEXT'
all ruuvi-decoders 24.3 53.49 1000.44 4 2977 66 205 cbb8334c884f
all ruuvitag-sensor 24.3 53.49 1000.44 4 2977 66 205 cbb8334c884f
cold ruuvi-decoders -0.01 53.49 1000.44 4 2977 66 205 cbb8334c884f
cold ruuvitag-sensor -0.01 53.49 1000.44 4 2977 66 205 cbb8334c884f
still ruuvi-decoders nothing
still ruuvitag-sensor 24.3 53.49 1000.44 None 2977 66 205 cbb8334c884f
none ruuvi-decoders nothing
none ruuvitag-sensor None None None None None 255 65535 ffffffffffff
all ruuvi_endpoints 24.3 53.49 100044 0.004 2.977 66 205 223991995074639
cold ruuvi_endpoints 0 53.49 100044 0.004 2.977 66 205 223991995074639
still ruuvi_endpoints 24.3 53.49 100044 null 2.977 66 205 223991995074639
none ruuvi_endpoints -163.835 null null null 3.647 null null null
TEXT
diff expected seen
echo "as described"
