#!/usr/bin/env bash
# PyPI simplemseed 1.0.2, which reads the recordings of seismometers (miniSEED 2) and converts them to miniSEED 3, swaps the octets of all samples that are not compressed, gives
# slow channels thousands of samples a second, moves times, and mixes up the flags.
#
# Expected (SEED manual 2.4, chapter 8) Fixed section of data header, field 10 and 11: signed numbers; factor -10 with multiplier 1 is one sample in 10 seconds, 50 with -2 is 25 a
#           second. Field 16: a time correction in units of 0.0001 s, to be added unless bit 1 of field 12 is set. Blockette 1001, field 4: microseconds from -50 to 49. (FDSN
#           miniSEED 3, "Description of record fields") Field 4, flags: bit 0 for calibration, from field 12, bit 0; bit 1 for a questionable time, from field 14, bit 7; bit 2 for
#           a locked clock, from field 13, bit 5. A second may be 60.
# Seen:     the rates are read without a sign: 65526 instead of 0.1, 3276700 instead of 25. Microseconds, too: -20 are 236, and 472 in miniSEED 3, where positive ones are lost if
#           the time quality is 0. The correction is not added. A calibration is a questionable time, a questionable time and a locked clock are nothing, and another bit of field
#           13 raises struct.error. A leap second raises ValueError. Big-endian samples of 1, 2, 3, -5 are 16777216, 33554432, 50331648, -67108865 after the conversion;
#           little-endian ones are right.
# So:       an archive that is converted has other ground motions than before.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check simplemseed==1.0.2 numpy==2.4.6 >/dev/null 2>&1

cat >try.py <<'CODE'
import io, struct
from simplemseed import readMiniseed2Records, unpackMSeed3Record
from simplemseed.mseed2to3 import mseed2to3

def record(samples=(1, 2, 3, -5), order='>', encoding=3, form='i', field12=0, field13=0, field14=0, micro=None, quality=100, correction=0, rate=(100, 1), second=58):
    header = b'000001D STA  00BHZXX' + struct.pack(order + 'HHBBBxH', 2016, 366, 23, 59, second, 1234) + struct.pack(order + 'Hhh', len(samples), *rate)
    header += struct.pack(order + 'BBBBlHH', field12, field13, field14, 1 if micro is None else 2, correction, 64, 48)
    header += struct.pack(order + 'HHBBBx', 1000, 0 if micro is None else 56, encoding, order == '>', 9)
    if micro is not None:
        header += struct.pack(order + 'HHBbxB', 1001, 0, quality, micro, 0)
    return (header.ljust(64, b'\0') + struct.pack(f'{order}{len(samples)}{form}', *samples)).ljust(512, b'\0')

def read(**settings):
    """The record as it is read, and as it is after the conversion."""
    old = next(iter(readMiniseed2Records(io.BytesIO(record(**settings)))))
    new = unpackMSeed3Record(bytes(mseed2to3(old).pack()))
    return old, new

for title, settings in (('little-endian', dict(order='<')), ('big-endian, 32 bits', {}), ('big-endian, 16 bits', dict(encoding=1, form='h')), ('big-endian, floating point', dict(encoding=4, form='f'))):
    old, new = read(**settings)
    print(f'{title} | expected 1, 2, 3, -5 | miniSEED 2: {", ".join(f"{sample:g}" for sample in old.decompressed())} | 3: {", ".join(f"{sample:.9g}" for sample in new.decompress())}')
for rate, expected in (((100, 1), 100), ((-10, 1), 0.1), ((-10, -2), 0.05), ((50, -2), 25)):
    old, new = read(rate=rate, order='<')
    print(f'factor {rate[0]}, multiplier {rate[1]} | expected {expected} | miniSEED 3: {new.header.sampleRate:g}')
for title, settings, expected in (('no microseconds', {}, '58.123400'), ('20 microseconds', dict(micro=20), '58.123420'), ('20 microseconds, quality 0', dict(micro=20, quality=0), '58.123420'),
                                  ('-20 microseconds', dict(micro=-20), '58.123380'), ('correction of 0.5 s to be added', dict(correction=5000), '58.623400'),
                                  ('correction that was added', dict(correction=5000, field12=2), '58.123400'), ('leap second', dict(second=60), '60.123400')):
    try:
        old, new = read(order='<', **settings)
        found = f'miniSEED 2: {old.starttime():%S.%f} | 3: {new.header.second}.{new.header.nanosecond // 1000:06}'
    except ValueError as error:
        found = 'ValueError'
    print(f'{title} | expected {expected} | {found}')
for title, settings, expected in (('calibration', dict(field12=1), '001'), ('time questionable', dict(field14=128), '010'), ('clock locked', dict(field13=32), '100'), ('field 13, bit 6', dict(field13=64), '000')):
    try:
        found = f'{read(order="<", **settings)[1].header.flags:03b}'
    except struct.error:
        found = 'struct.error'
    print(f'{title} | expected flags {expected} | {found}')
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
little-endian | expected 1, 2, 3, -5 | miniSEED 2: 1, 2, 3, -5 | 3: 1, 2, 3, -5
big-endian, 32 bits | expected 1, 2, 3, -5 | miniSEED 2: 1, 2, 3, -5 | 3: 16777216, 33554432, 50331648, -67108865
big-endian, 16 bits | expected 1, 2, 3, -5 | miniSEED 2: 1, 2, 3, -5 | 3: 256, 512, 768, -1025
big-endian, floating point | expected 1, 2, 3, -5 | miniSEED 2: 1, 2, 3, -5 | 3: 4.60060299e-41, 8.96831017e-44, 2.30485571e-41, 5.76662344e-41
factor 100, multiplier 1 | expected 100 | miniSEED 3: 100
factor -10, multiplier 1 | expected 0.1 | miniSEED 3: 65526
factor -10, multiplier -2 | expected 0.05 | miniSEED 3: 4.29418e+09
factor 50, multiplier -2 | expected 25 | miniSEED 3: 3.2767e+06
no microseconds | expected 58.123400 | miniSEED 2: 58.123400 | 3: 58.123400
20 microseconds | expected 58.123420 | miniSEED 2: 58.123420 | 3: 58.123420
20 microseconds, quality 0 | expected 58.123420 | miniSEED 2: 58.123420 | 3: 58.123400
-20 microseconds | expected 58.123380 | miniSEED 2: 58.123636 | 3: 58.123836
correction of 0.5 s to be added | expected 58.623400 | miniSEED 2: 58.123400 | 3: 58.123400
correction that was added | expected 58.123400 | miniSEED 2: 58.123400 | 3: 58.123400
leap second | expected 60.123400 | ValueError
calibration | expected flags 001 | 010
time questionable | expected flags 010 | 000
clock locked | expected flags 100 | 000
field 13, bit 6 | expected flags 000 | struct.error
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
