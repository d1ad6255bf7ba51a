#!/usr/bin/env bash
# PyPI touchstone-parser 1.0.6, a reader of Touchstone files, in which network analysers describe antennas, cables and amplifiers, reads the noise
# data of an amplifier as further points of measurement, and impedances as reflections.
#
# Expected (Touchstone File Format Specification, version 1.1): behind the network data, a file of two ports may have noise data, rows of five numbers
#           that begin where a frequency is not above the last one: frequency, minimum noise figure in dB, reflection coefficient of the source,
#           effective noise resistance (Noise Parameters). The option line says whether the data are S, Y, Z, G or H; Z is divided by the reference
#           resistance (Option Line). (Version 2.0) Keywords in brackets may stand in front of the data: [Version], [Number of Ports] and others.
# Seen:     the numbers of noise data are cut into rows of nine: nine rows are five points more, with noise figures and resistances as S11 to S22, and
#           frequencies such as -27 GHz, which is an angle; of two rows, one point is made and the last number dropped. to_vswr and to_return_loss
#           take Z and Y for S: a Z11 of 2, VSWR 2, has a VSWR of 3e10 and gains 6 dB by reflection. Files with a keyword of version 2.0 raise an
#           error.
# So:       the gain of an amplifier has points that nobody measured.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check touchstone-parser==1.0.6 numpy==2.4.6 >/dev/null 2>&1

cat >try.py <<'PY'
import numpy
from touchstone.parser import TouchstoneParser
numpy.seterr(all='ignore')

NETWORK = ['2 .95 -26 3.57 157 .04 76 .66 -14', '22 .60 -144 1.30 40 .14 40 .56 -85']
NOISE = ['4 .7 .64 69 .38', '18 2.7 .46 -33 .40', '19 2.8 .45 -30 .41', '20 2.9 .44 -27 .42', '21 3.0 .43 -24 .43', '22 3.1 .42 -21 .44', '23 3.2 .41 -18 .45', '24 3.3 .40 -15 .46', '25 3.4 .39 -12 .47']

def gains(lines, option='# GHz S MA R 50'):
    with open('a.s2p', 'w') as file:
        file.write('\n'.join([option, *lines]) + '\n')
    try:
        data = TouchstoneParser.parse('a.s2p')
    except Exception as error:
        return f'raises {type(error).__name__}'
    return ', '.join(f'{frequency / 1e9:.4g} GHz: S21 {abs(value):.4g}' for frequency, value in zip(data.frequency, data.get_s(2, 1)))

RIGHT = '2 GHz: S21 3.57, 22 GHz: S21 1.3'
for title, lines in (('network data', NETWORK), ('with two rows of noise data', NETWORK + NOISE[:2]), ('with nine rows of noise data', NETWORK + NOISE),
                     ('version 2.0', ['[Number of Ports] 2', '[Two-Port Data Order] 21_12', '[Number of Frequencies] 2', '[Network Data]', *NETWORK, '[End]'])):
    print(title, '| expected', RIGHT, '| seen', gains(lines) if title != 'version 2.0' else gains(lines, '[Version] 2.0\n# GHz S MA R 50'))
for kind, value, right in (('S', '0.3333333333 0', 2), ('Z', '2 0', 2), ('Z', '0.5 0', 2), ('Y', '2 0', 2)):
    data = TouchstoneParser.parse_string(f'# MHz {kind} RI R 50\n100 {value}\n', n_ports=1)
    print(f'{kind}11 of {value.split()[0]} | expected VSWR {right}, return loss 9.54 dB | seen VSWR {data.to_vswr()[0]:.3g}, return loss {data.to_return_loss()[0]:.3g} dB')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
network data | expected 2 GHz: S21 3.57, 22 GHz: S21 1.3 | seen 2 GHz: S21 3.57, 22 GHz: S21 1.3
with two rows of noise data | expected 2 GHz: S21 3.57, 22 GHz: S21 1.3 | seen 2 GHz: S21 3.57, 22 GHz: S21 1.3, 4 GHz: S21 69
with nine rows of noise data | expected 2 GHz: S21 3.57, 22 GHz: S21 1.3 | seen 2 GHz: S21 3.57, 22 GHz: S21 1.3, 4 GHz: S21 69, 0.4 GHz: S21 0.45, -27 GHz: S21 3, 0.42 GHz: S21 23, 3.3 GHz: S21 0.46
version 2.0 | expected 2 GHz: S21 3.57, 22 GHz: S21 1.3 | seen raises TouchstoneParserException
S11 of 0.3333333333 | expected VSWR 2, return loss 9.54 dB | seen VSWR 2, return loss 9.54 dB
Z11 of 2 | expected VSWR 2, return loss 9.54 dB | seen VSWR 3e+10, return loss -6.02 dB
Z11 of 0.5 | expected VSWR 2, return loss 9.54 dB | seen VSWR 3, return loss 6.02 dB
Y11 of 2 | expected VSWR 2, return loss 9.54 dB | seen VSWR 3e+10, return loss -6.02 dB
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
