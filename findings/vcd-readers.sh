#!/usr/bin/env bash
# Four readers of VCD, the recordings of logic analysers and of simulated devices, lose changes without an error: PyPI pyvcdr 0.0.9,
# simplify-vcd 1.1.0, vcdvcd 2.6.0 and pydigitalwavetools 1.2, beside pyvcd 0.5.1.
#
# Expected (IEEE 1364-2005, 18.2, Format of the four-state VCD file): the format is free, and white space separates the commands, so several changes may be on
#           a line (18.2.1). A scalar value is 0, 1, x or z, and a vector is b, its digits, a space and the identifier code (18.2.2). A $comment may also
#           be between the changes, $dumpvars lists the first values, $dumpoff begins a time with the value x, and several names may have the same
#           identifier code (18.2.3).
# Seen:     pyvcdr ignores the values x and z, so that the old value lasts, all after a $comment on one line, and $dumpvars on one line; of two names with one code, the
#           first has no values. simplify-vcd writes x and z as 0, nothing of time 0, and a vector as a scalar 0 with the code "1010 #", and declares other codes than
#           those of its changes. vcdvcd ignores all changes on a line with two, without an error. pydigitalwavetools gives the second name of a code no
#           values. Only pyvcd gives all changes.
# So:       a line that floats looks like one at rest, and a recording of which only the spaces differ looks as if nothing had happened.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q pyvcdr==0.0.9 simplify-vcd==1.1.0 vcdvcd==2.6.0 pydigitalwavetools==1.2 pyvcd==0.5.1

cat >try.py <<'PY'
import contextlib, io
from click.testing import CliRunner
from pyDigitalWaveTools.vcd.parser import VcdParser
from pyvcdr import VcdR
from simplify_vcd.simplify import simplify
from vcd.reader import TokenKind, tokenize
from vcdvcd import VCDVCD

NAMES = 'clock', 'door', 'level', 'copy'

def recording(changes):
    return f'''$timescale 1 ns $end
$scope module top $end
$var wire 1 ! clock $end
$var wire 1 " door $end
$var wire 4 # level $end
$var wire 1 " copy $end
$upscope $end
$enddefinitions $end
{changes}'''

def with_pyvcdr(path):
    found = VcdR()
    with contextlib.redirect_stdout(io.StringIO()):
        found.read_file(path)
    return {signal.module: signal.steps for signal in found.signals}

def with_pydigitalwavetools(path):
    found = VcdParser()
    with open(path) as file:
        found.parse(file)
    return {name: signal.data for name, signal in found.scope.children['top'].children.items()}

def with_vcdvcd(path):
    found = VCDVCD(path, store_tvs=True)
    return {name.split('.')[-1]: found[name].tv for name in found.signals}

def with_pyvcd(path):
    codes, time, found = {}, 0, {}
    with open(path, 'rb') as file:
        for token in tokenize(file):
            if token.kind is TokenKind.VAR:
                codes.setdefault(token.var.id_code, []).append(token.var.reference)
            elif token.kind is TokenKind.CHANGE_TIME:
                time = token.time_change
            elif token.kind in (TokenKind.CHANGE_SCALAR, TokenKind.CHANGE_VECTOR):
                change = token.data
                for name in codes[change.id_code]:
                    value = change.value if isinstance(change.value, str) else format(change.value, 'b')
                    found.setdefault(name, []).append((time, value))
    return found

def show(found):
    return ', '.join(f'{name} ' + ' '.join(f'{time}:{str(value).lstrip("b")}' for time, value in found[name]) for name in NAMES if found.get(name)) or 'nothing'

def with_simplify(path):
    result = CliRunner().invoke(simplify, [path, 'simple.vcd'])
    if result.exception:
        raise result.exception
    with open('simple.vcd') as file:
        lines = file.read().splitlines()
    return ' / '.join(line for line in lines if line.startswith('$var') or line[0] in '#01bB')

CASES = (
    ('one change a line', '#0\n1!\n0"\nb1010 #\n#5\n0!\n#9\n1!\n'),
    ('x and z', '#0\n1!\n#5\nx!\n#7\nz!\n#9\n1!\n'),
    ('two changes a line', '#0\n1! 0"\n#5\n0! 1"\n'),
    ('a comment', '#0\n1!\n$comment battery changed $end\n#5\n0!\n'),
    ('$dumpvars on one line', '#0\n$dumpvars 1! 0" $end\n#5\n0!\n'),
    ('a vector', '#0\n1!\n#5\nb1010 #\n#9\nb11 #\n'),
)
for title, changes in CASES:
    with open('recording.vcd', 'w') as file:
        file.write(recording(changes))
    for name, read in (('pyvcd', with_pyvcd), ('pyvcdr', with_pyvcdr), ('vcdvcd', with_vcdvcd), ('pydigitalwavetools', with_pydigitalwavetools)):
        print(title, '|', name, '|', show(read('recording.vcd')))
    print(title, '| simplify-vcd |', with_simplify('recording.vcd'))
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
one change a line | pyvcd | clock 0:1 5:0 9:1, door 0:0, level 0:1010, copy 0:0
one change a line | pyvcdr | clock 0:1 5:0 9:1, level 0:1010, copy 0:0
one change a line | vcdvcd | clock 0:1 5:0 9:1, door 0:0, level 0:1010, copy 0:0
one change a line | pydigitalwavetools | clock 0:1 5:0 9:1, door 0:0, level 0:1010
one change a line | simplify-vcd | $var wire 1 ! a $end / #0 / #5 / 0! / #9 / 1!
x and z | pyvcd | clock 0:1 5:x 7:z 9:1
x and z | pyvcdr | clock 0:1 9:1
x and z | vcdvcd | clock 0:1 5:x 7:z 9:1
x and z | pydigitalwavetools | clock 0:1 5:x 7:z 9:1
x and z | simplify-vcd | $var wire 1 ! a $end / #0 / #5 / 0! / #7 / 0! / #9 / 1!
two changes a line | pyvcd | clock 0:1 5:0, door 0:0 5:1, copy 0:0 5:1
two changes a line | pyvcdr | clock 0:1 5:0, copy 0:0 5:1
two changes a line | vcdvcd | nothing
two changes a line | pydigitalwavetools | clock 0:1 5:0, door 0:0 5:1
two changes a line | simplify-vcd | $var wire 1 ! 1" a $end / #0 / #5 / 0! 1"
a comment | pyvcd | clock 0:1 5:0
a comment | pyvcdr | clock 0:1
a comment | vcdvcd | clock 0:1 5:0
a comment | pydigitalwavetools | clock 0:1 5:0
a comment | simplify-vcd | $var wire 1 ! a $end / #5 / 0!
$dumpvars on one line | pyvcd | clock 0:1 5:0, door 0:0, copy 0:0
$dumpvars on one line | pyvcdr | clock 5:0
$dumpvars on one line | vcdvcd | clock 5:0
$dumpvars on one line | pydigitalwavetools | clock 0:1 5:0, door 0:0
$dumpvars on one line | simplify-vcd | $var wire 1 ! a $end / #5 / 0!
a vector | pyvcd | clock 0:1, level 5:1010 9:11
a vector | pyvcdr | clock 0:1, level 5:1010 9:11
a vector | vcdvcd | clock 0:1, level 5:1010 9:11
a vector | pydigitalwavetools | clock 0:1, level 5:1010 9:11
a vector | simplify-vcd | $var wire 1 1010 # a $end / $var wire 1 11 # b $end / #0 / #5 / 01010 # / #9 / 011 #
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
