#!/usr/bin/env bash
# PyPI edf-reader 0.1.3, a reader of EDF+, the recordings of sleep, brain and heart monitors, loses all annotations: those of interrupted recordings
# since it splits them at the wrong character, and those of continuous ones since it does not look for them.
#
# Expected (EDF+ specification, 2.2.2, Time-stamped Annotations Lists): an annotation list is the onset, then 15 (hexadecimal) and the duration if
#           there is one, then 14, and one or more texts, each followed by 14. Each data record begins with a list without a text, the time of the
#           record, to which texts may follow directly (2.2.4). EDF+C files have annotations, too (2.2).
# Seen:     the reader takes 14 for the end of the onset, then looks for the duration in front of 15 in the text, so that float('Door open') raises an
#           error that it ignores, as does an onset with a duration. annotations is an empty list for each file; of the texts behind the time of a
#           record, nothing is left.
# So:       a night with alarms and events reads as one without.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check edf-reader==0.1.3 numpy==2.4.6 >/dev/null 2>&1

cat >try.py <<'PY'
import struct
from edf_reader import EdfWrapper

SIZE = 60

def field(value, width):
    return str(value).ljust(width).encode()

def write(kind, lists):
    header = field(0, 8) + field('X X X X', 80) + field('Startdate 30-NOV-2026 X X X', 80) + b'30.11.2612.00.00' + field(768, 8)
    header += field(kind, 44) + field(len(lists), 8) + field(1, 8) + field(2, 4)
    for first, second, width in (('Temp', 'EDF Annotations', 16), ('', '', 80), ('degC', '', 8), (0, -1, 8), (100, 1, 8), (-32768, -32768, 8), (32767, 32767, 8),
                                 ('', '', 80), (2, SIZE // 2, 8), ('', '', 32)):
        header += field(first, width) + field(second, width)
    with open('night.edf', 'wb') as file:
        file.write(header + b''.join(struct.pack('<hh', 0, 100) + one.ljust(SIZE, b'\0') for one in lists))

def with_edf_reader():
    reader = EdfWrapper('night.edf')
    found = [(entry['onset'], entry['duration'], entry['annotation']) for entry in reader.annotations]
    return f'{found}, records at {[float(entry["onset"]) for entry in reader.segment_markers]}'

FILES = (
    ('interrupted, texts', 'EDF+D', [b'+0\x14\x14\0+0.5\x14Door open\x14\0', b'+10\x14\x14\0+10.5\x14Alarm\x14\0'], [(0.5, None, 'Door open'), (10.5, None, 'Alarm')]),
    ('interrupted, duration and two texts', 'EDF+D', [b'+0\x14\x14\0+0.5\x150.2\x14Apnea\x14\0', b'+10\x14\x14\0+10.5\x14Alarm\x14Nurse called\x14\0'], [(0.5, 0.2, 'Apnea'), (10.5, None, 'Alarm'), (10.5, None, 'Nurse called')]),
    ('interrupted, text with the time of the record', 'EDF+D', [b'+0\x14\x14Lights off\x14\0', b'+10\x14\x14\0'], [(0, None, 'Lights off')]),
    ('continuous, texts', 'EDF+C', [b'+0\x14\x14\0+0.5\x14Door open\x14\0', b'+1\x14\x14\0+1.5\x14Alarm\x14\0'], [(0.5, None, 'Door open'), (1.5, None, 'Alarm')]),
)
for title, kind, lists, right in FILES:
    write(kind, lists)
    print(title, '| expected', right, '| edf-reader', with_edf_reader())
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
interrupted, texts | expected [(0.5, None, 'Door open'), (10.5, None, 'Alarm')] | edf-reader [], records at [0.0, 10.0]
interrupted, duration and two texts | expected [(0.5, 0.2, 'Apnea'), (10.5, None, 'Alarm'), (10.5, None, 'Nurse called')] | edf-reader [], records at [0.0, 10.0]
interrupted, text with the time of the record | expected [(0, None, 'Lights off')] | edf-reader [], records at [0.0, 10.0]
continuous, texts | expected [(0.5, None, 'Door open'), (1.5, None, 'Alarm')] | edf-reader [], records at [0.0, 1.0]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
