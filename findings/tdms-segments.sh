#!/usr/bin/env bash
# PyPI nitdms 2.0.7, a reader of TDMS, the measurement files of LabVIEW and data acquisition devices, reads only part of the samples of files that
# were written in several steps, or other ones, beside PyPI nptdms 1.13.0.
#
# Expected (National Instruments, TDMS File Format Internal Structure): the raw data of a segment may be several chunks, each with the values of all
#           channels; a writer adds chunks without new metadata and corrects the length in the lead-in (Raw Data, Optimization). Without
#           kTocNewObjList, a segment lists only the objects that changed, and the order of the others stays; with it, the list is new (Metadata). A
#           segment without kTocMetaData has raw data only (Lead In, Optimization). In object paths, ' is written '' (Logical Structure).
# Seen:     of several chunks, only the first one is read. Channels that are not listed again get nothing of the next segments; nor does a channel
#           that is listed alone, with its index as before. A segment of raw data only raises an error, since its values are read as metadata. Values
#           of segments of one length come as a table with one row for each segment. A channel Dr. T's is named Dr. T''s.
# So:       a recording of an hour in one segment has the length of its first block.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check nitdms==2.0.7 nptdms==1.13.0 numpy==2.4.6 >/dev/null 2>&1

cat >try.py <<'PY'
import struct
import warnings
warnings.simplefilter('ignore')
from nitdms import TdmsFile as OfNitdms
from nptdms import TdmsFile as OfNptdms

def text(value):
    return struct.pack('<I', len(value.encode())) + value.encode()

def listed(path, index=b'\xff\xff\xff\xff', properties=0):
    return text(path) + index + struct.pack('<I', properties)

def values(count):
    return struct.pack('<IIIQ', 0x14, 3, 1, count)

SAME = b'\0\0\0\0'

def segment(objects, samples, new=True, metadata=True):
    raw = struct.pack(f'<{len(samples)}i', *samples)
    about = struct.pack('<I', len(objects)) + b''.join(objects) if metadata else b''
    flags = 2 * metadata | 4 * new | 8 * bool(samples)
    return b'TDSm' + struct.pack('<IIQQ', flags, 4713, len(about) + len(raw), len(about)) + about + raw

ROOT, GROUP, A, B = '/', "/'g'", "/'g'/'A'", "/'g'/'B'"
TOP = [listed(ROOT), listed(GROUP)]
FIRST = segment([*TOP, listed(A, values(2)), listed(B, values(2))], [1, 2, 101, 102])
FILES = (
    ('one chunk', FIRST, 'A 1 2, B 101 102'),
    ('three chunks in a segment', segment([*TOP, listed(A, values(2)), listed(B, values(2))], [1, 2, 101, 102, 3, 4, 103, 104, 5, 6, 105, 106]), 'A 1 2 3 4 5 6, B 101 102 103 104 105 106'),
    ('two segments, new list, other lengths', FIRST + segment([*TOP, listed(A, values(1)), listed(B, values(1))], [3, 103]), 'A 1 2 3, B 101 102 103'),
    ('two segments, same as before', FIRST + segment([*TOP, listed(A, SAME), listed(B, SAME)], [3, 4, 103, 104]), 'A 1 2 3 4, B 101 102 103 104'),
    ('new list with A only, same as before', FIRST + segment([*TOP, listed(A, SAME)], [3, 4]), 'A 1 2 3 4, B 101 102'),
    ('A changed, B not listed', FIRST + segment([listed(A, values(1))], [3, 103, 104], new=False), 'A 1 2 3, B 101 102 103 104'),
    ('nothing changed, no object listed', FIRST + segment([], [3, 4, 103, 104], new=False), 'A 1 2 3 4, B 101 102 103 104'),
    ('raw data only', FIRST + segment([], [3, 4, 103, 104], new=False, metadata=False), 'A 1 2 3 4, B 101 102 103 104'),
)

def with_nitdms(name):
    group = OfNitdms(name).g
    return ', '.join(f'{channel} ' + ' '.join(str(value) for value in group[channel].data.tolist()) for channel in group.channels)

def with_nptdms(name):
    return ', '.join(f'{channel.name} ' + ' '.join(str(value) for value in channel[:].tolist()) for channel in OfNptdms.read(name)['g'].channels())

def tried(read):
    try:
        return read('a.tdms')
    except Exception as error:
        return f'raises {type(error).__name__}'

for title, content, right in FILES:
    with open('a.tdms', 'wb') as file:
        file.write(content)
    print(title, '| expected', right, '| nptdms', tried(with_nptdms), '| nitdms', tried(with_nitdms))
with open('a.tdms', 'wb') as file:
    file.write(segment([*TOP, listed("/'g'/'Dr. T''s'", values(1))], [1]))
print("Dr. T's | nptdms", tried(with_nptdms), '| nitdms', tried(with_nitdms))
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
one chunk | expected A 1 2, B 101 102 | nptdms A 1 2, B 101 102 | nitdms A 1 2, B 101 102
three chunks in a segment | expected A 1 2 3 4 5 6, B 101 102 103 104 105 106 | nptdms A 1 2 3 4 5 6, B 101 102 103 104 105 106 | nitdms A 1 2, B 101 102
two segments, new list, other lengths | expected A 1 2 3, B 101 102 103 | nptdms A 1 2 3, B 101 102 103 | nitdms A 1 2 3, B 101 102 103
two segments, same as before | expected A 1 2 3 4, B 101 102 103 104 | nptdms A 1 2 3 4, B 101 102 103 104 | nitdms A [1, 2] [3, 4], B [101, 102] [103, 104]
new list with A only, same as before | expected A 1 2 3 4, B 101 102 | nptdms A 1 2 3 4, B 101 102 | nitdms A 1 2, B 101 102
A changed, B not listed | expected A 1 2 3, B 101 102 103 104 | nptdms A 1 2 3, B 101 102 103 104 | nitdms A 1 2 3, B 101 102
nothing changed, no object listed | expected A 1 2 3 4, B 101 102 103 104 | nptdms A 1 2 3 4, B 101 102 103 104 | nitdms A 1 2, B 101 102
raw data only | expected A 1 2 3 4, B 101 102 103 104 | nptdms A 1 2 3 4, B 101 102 103 104 | nitdms raises error
Dr. T's | nptdms Dr. T's 1 | nitdms Dr. T''s 1
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
