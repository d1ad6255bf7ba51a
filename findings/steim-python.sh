#!/usr/bin/env bash
# PyPI simplemseed 1.0.2, which compresses the samples of seismometers with Steim 1 and 2, adds 256 or 65536 to them at each large or falling step if they come as small integers.
#
# Expected (SEED manual 2.4, appendix B, Steim compression) A record keeps the differences of neighbouring samples, which may have up to 32 or 30 bits, and its first and last
#           sample. What is decompressed is what was compressed.
# Seen:     the difference is computed in the type of the numpy array. In arrays of 8 or 16 bits it wraps: 512, 511 of uint16 have the difference 65535, and are 512, 66047
#           afterwards; 30000, -30000 of int16 are 30000, 35536. The last sample of the record, which is there as a check, is right, and the decoder does not compare it. Arrays of
#           32 bits and lists are right.
# So:       what an analogue-digital converter of 16 bits delivers is lost in the archive.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check simplemseed==1.0.2 numpy==2.4.6 >/dev/null 2>&1

cat >try.py <<'CODE'
import warnings
import numpy
from simplemseed import decodeSteim1, decodeSteim2, encodeSteim1, encodeSteim2
warnings.simplefilter('ignore')

for kind, samples in (('int32', [30000, -30000, 100, 512, 511]), ('int16', [100, -100, 16000, -16000]), ('int16', [30000, -30000, 100]), ('uint16', [511, 512, 513, 700]), ('uint16', [512, 511, 700, 3]),
                      ('uint8', [5, 3, 200, 1])):
    for name, encode, decode in (('Steim 1', encodeSteim1, decodeSteim1), ('Steim 2', encodeSteim2, decodeSteim2)):
        encoded = bytearray(encode(numpy.array(samples, dtype=kind)))
        found = [int(sample) for sample in decode(encoded, len(samples))]
        last = int.from_bytes(encoded[8:12], 'big', signed=True)
        print(f'{kind}, {name} | {samples} | {"the same" if found == samples else found} | last sample of the record {last}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
int32, Steim 1 | [30000, -30000, 100, 512, 511] | the same | last sample of the record 511
int32, Steim 2 | [30000, -30000, 100, 512, 511] | the same | last sample of the record 511
int16, Steim 1 | [100, -100, 16000, -16000] | the same | last sample of the record -16000
int16, Steim 2 | [100, -100, 16000, -16000] | the same | last sample of the record -16000
int16, Steim 1 | [30000, -30000, 100] | [30000, 35536, 65636] | last sample of the record 100
int16, Steim 2 | [30000, -30000, 100] | [30000, 35536, 65636] | last sample of the record 100
uint16, Steim 1 | [511, 512, 513, 700] | the same | last sample of the record 700
uint16, Steim 2 | [511, 512, 513, 700] | the same | last sample of the record 700
uint16, Steim 1 | [512, 511, 700, 3] | [512, 66047, 66236, 131075] | last sample of the record 3
uint16, Steim 2 | [512, 511, 700, 3] | [512, 66047, 66236, 131075] | last sample of the record 3
uint8, Steim 1 | [5, 3, 200, 1] | [5, 259, 456, 513] | last sample of the record 1
uint8, Steim 2 | [5, 3, 200, 1] | [5, 259, 456, 513] | last sample of the record 1
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
