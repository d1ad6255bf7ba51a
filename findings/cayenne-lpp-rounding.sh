#!/usr/bin/env bash
# Two encoders of Cayenne LPP lose a step at values that the format can represent: PyPI pycayennelpp 2.4.0, npm cayenne-lpp 1.0.2.
#
# Expected: N/100 (analog input, gyrometer), N/1000 (accelerometer) and N/10000 (latitude) are encoded as N, so that a value that was
#           decoded and is encoded again stays the same.
# Seen:     both multiply and cut off the fraction, and 1.15 * 100 is 114.99999999999999. Of all 65,536 analog values 4,584 (7.0 %) are
#           one step nearer to zero, of accelerations 744 (1.1 %), of latitudes 6.7 %. Temperatures and pressures (N/10) are right.
# So:       a gateway that decodes and encodes moves such a position by 11 m. Round before encoding, or allow one step of difference.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python >/dev/null
python/bin/pip -q install pycayennelpp==2.4.0
npm init -y >/dev/null
npm install --no-audit --no-fund --silent cayenne-lpp@1.0.2 >/dev/null

cat >try.py <<'PY'
from cayennelpp import LppFrame

def count(name, scale, numbers, add, size):
    wrong = []
    for number in numbers:
        frame = LppFrame()
        add(frame, number / scale)
        encoded = int.from_bytes(bytes(frame)[2:2 + size], "big", signed=True)
        if encoded != number:
            assert abs(encoded) == abs(number) - 1
            wrong.append(number)
    print("pycayennelpp", name, len(wrong), "of", len(numbers))

all16 = range(-32768, 32768)
count("temperature", 10, all16, lambda frame, value: frame.add_temperature(1, value), 2)
count("analog input", 100, all16, lambda frame, value: frame.add_analog_input(1, value), 2)
count("acceleration", 1000, all16, lambda frame, value: frame.add_accelerometer(1, value, 0, 0), 2)
count("latitude", 10000, range(-899999, 900000, 7), lambda frame, value: frame.add_gps(1, value, 0, 0), 3)
PY
cat >try.js <<'JS'
const {encoder} = require('cayenne-lpp');
function count(name, scale, first, end, step, encode, size) {
  let wrong = 0, total = 0;
  for (let number = first; number < end; number += step, total++) {
    const encoded = encode(number / scale).readIntBE(2, size);
    if (encoded !== number) wrong++;
    if (encoded !== number && Math.abs(encoded) !== Math.abs(number) - 1) throw new Error(`${number} ${encoded}`);
  }
  console.log('cayenne-lpp', name, wrong, 'of', total);
}
count('temperature', 10, -32768, 32768, 1, (value) => encoder.encodeTemperature(1, value), 2);
count('analog input', 100, -32768, 32768, 1, (value) => encoder.encodeAnalogInput(1, value), 2);
count('acceleration', 1000, -32768, 32768, 1, (value) => encoder.encodeAccelerometer(1, {x: value, y: 0, z: 0}), 2);
count('latitude', 10000, -899999, 900000, 7, (value) => encoder.encodeGps(1, {latitude: value, longitude: 0, altitude: 0}), 3);
JS
{ python/bin/python try.py; node try.js; } | tee seen
cat >expected <<'TEXT'
pycayennelpp temperature 0 of 65536
pycayennelpp analog input 4584 of 65536
pycayennelpp acceleration 744 of 65536
pycayennelpp latitude 17111 of 257143
cayenne-lpp temperature 0 of 65536
cayenne-lpp analog input 4584 of 65536
cayenne-lpp acceleration 744 of 65536
cayenne-lpp latitude 17111 of 257143
TEXT
diff expected seen
echo "pycayennelpp 2.4.0, cayenne-lpp 1.0.2: as described"
