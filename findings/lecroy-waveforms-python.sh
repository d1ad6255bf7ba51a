#!/usr/bin/env bash
# Two readers of the recordings of LeCroy oscilloscopes: PyPI lecroyscope 1.0.0 reads big-endian samples with their octets swapped, lecroyutils 4.0.2 stretches the time and calls
# computed traces and RIS recordings corrupt or reads them from the wrong place.
#
# Expected (Teledyne LeCroy, waveform template LECROY_2_3, as TMPL? gives it) COMM_ORDER: 0 for the high octet first, which is the default of the remote interface, 1 for the low
#           one, for all values. A point is at HORIZ_INTERVAL times i plus HORIZ_OFFSET. The arrays follow the descriptor in the order USERTEXT, TRIGTIME, RIS_TIME, WAVE_ARRAY_1.
#           WAVE_SOURCE: 0 to 3 for the channels, 9 for unknown, such as a computed trace.
# Seen:     lecroyscope obeys COMM_ORDER in the descriptor only: samples of 16 bits with the high octet first, 1 and 1000, are 256 and -6141. lecroyutils spreads N points from 0 to
#           N intervals, so that four points of 1 us are 1.33 us apart; source 9 raises DataCorruptException; with a RIS_TIME array both begin to read there.
# So:       a clock of 1 MHz in a recording of 100 points is one of 990 kHz.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check --no-deps lecroyscope==1.0.0 lecroyutils==4.0.2 numpy==2.4.6 >/dev/null 2>&1

cat >try.py <<'CODE'
import struct, sys, types
sys.modules['vxi11'] = types.SimpleNamespace(Instrument=object)  # for live instruments only
from lecroyscope.reading import Trace
from lecroyutils.data import DataCorruptException, LecroyScopeData

def waveform(samples, order='<', form='h', source=0, ris=()):
    """A recording of channel 1: 10 mV for a count, 1 us for a point."""
    fields = [('16s', b'WAVEDESC'), ('16s', b'LECROY_2_3'), ('h', form == 'h'), ('h', order == '<'), ('i', 346), ('i', 0), ('i', 0), ('i', 0), ('i', 8 * len(ris)), ('i', 0),
              ('i', struct.calcsize(form) * len(samples)), ('i', 0), ('i', 0), ('i', 0), ('16s', b'LECROY'), ('i', 1), ('16s', b''), ('h', 0), ('h', 0), ('i', len(samples)), ('i', len(samples)), ('i', 0),
              ('i', len(samples) - 1), ('i', 0), ('i', 1), ('i', 0), ('i', 1), ('i', 1), ('h', 0), ('h', 0), ('f', 0.01), ('f', 0.0), ('f', 32000), ('f', -32000), ('h', 8), ('h', 1), ('f', 1e-6), ('d', -1e-6),
              ('d', 0), ('48s', b'V'), ('48s', b'S'), ('f', 0)]
    fields += list(zip('dbbbbhh', (30.5, 15, 14, 30, 11, 2026, 0))) + [('f', 0), ('h', 0), ('h', 0), ('h', 0), ('h', 0), ('h', 18), ('h', 2), ('f', 1), ('h', 9), ('h', 0), ('f', 0), ('f', 0), ('h', source)]
    descriptor = b''.join(struct.pack(order + kind, value) for kind, value in fields)
    assert len(descriptor) == 346
    return descriptor + b''.join(struct.pack(order + 'd', time) for time in ris) + struct.pack(f'{order}{len(samples)}{form}', *samples)

def show(title, samples, **settings):
    data = waveform(samples, **settings)
    trace = Trace(data)
    texts = [('lecroyscope', trace.voltage, trace.time)]
    try:
        other = LecroyScopeData(data)
        texts.append(('lecroyutils', other.y, other.x))
    except DataCorruptException as error:
        texts.append(('lecroyutils', None, None))
    for package, volts, times in texts:
        found = 'DataCorruptException' if volts is None else f'{", ".join(f"{value:.2f}" for value in volts)} V at {", ".join(f"{time * 1e6:.2f}" for time in times)} us'
        print(f'{title} | expected {", ".join(f"{sample / 100:.2f}" for sample in samples)} V at {", ".join(f"{place - 1}.00" for place in range(len(samples)))} us | {package} {found}')

show('8 bits', [1, -2, 100, 0], form='b')
show('16 bits, low octet first', [1, 1000, -2, 0])
show('16 bits, high octet first', [1, 1000, -2, 0], order='>')
show('computed trace', [1, 1000, -2, 0], source=9)
show('RIS recording', [1, 1000, -2, 0], ris=[0.0])
CODE
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
8 bits | expected 0.01, -0.02, 1.00, 0.00 V at -1.00, 0.00, 1.00, 2.00 us | lecroyscope 0.01, -0.02, 1.00, 0.00 V at -1.00, -0.00, 1.00, 2.00 us
8 bits | expected 0.01, -0.02, 1.00, 0.00 V at -1.00, 0.00, 1.00, 2.00 us | lecroyutils 0.01, -0.02, 1.00, 0.00 V at -1.00, 0.33, 1.67, 3.00 us
16 bits, low octet first | expected 0.01, 10.00, -0.02, 0.00 V at -1.00, 0.00, 1.00, 2.00 us | lecroyscope 0.01, 10.00, -0.02, 0.00 V at -1.00, -0.00, 1.00, 2.00 us
16 bits, low octet first | expected 0.01, 10.00, -0.02, 0.00 V at -1.00, 0.00, 1.00, 2.00 us | lecroyutils 0.01, 10.00, -0.02, 0.00 V at -1.00, 0.33, 1.67, 3.00 us
16 bits, high octet first | expected 0.01, 10.00, -0.02, 0.00 V at -1.00, 0.00, 1.00, 2.00 us | lecroyscope 2.56, -61.41, -2.57, 0.00 V at -1.00, -0.00, 1.00, 2.00 us
16 bits, high octet first | expected 0.01, 10.00, -0.02, 0.00 V at -1.00, 0.00, 1.00, 2.00 us | lecroyutils 0.01, 10.00, -0.02, 0.00 V at -1.00, 0.33, 1.67, 3.00 us
computed trace | expected 0.01, 10.00, -0.02, 0.00 V at -1.00, 0.00, 1.00, 2.00 us | lecroyscope 0.01, 10.00, -0.02, 0.00 V at -1.00, -0.00, 1.00, 2.00 us
computed trace | expected 0.01, 10.00, -0.02, 0.00 V at -1.00, 0.00, 1.00, 2.00 us | lecroyutils DataCorruptException
RIS recording | expected 0.01, 10.00, -0.02, 0.00 V at -1.00, 0.00, 1.00, 2.00 us | lecroyscope 0.00, 0.00, 0.00, 0.00 V at -1.00, -0.00, 1.00, 2.00 us
RIS recording | expected 0.01, 10.00, -0.02, 0.00 V at -1.00, 0.00, 1.00, 2.00 us | lecroyutils 0.00, 0.00, 0.00, 0.00 V at -1.00, 0.33, 1.67, 3.00 us
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
