#!/usr/bin/env bash
# PyPI asn1tools 0.169.0 writes and reads numbers with a lower bound only, and types with two constraints, as other values in PER and UPER, in which vehicles
# and base stations send ASN.1; beside PyPI pycrate 0.7.8.
#
# Expected (X.691): INTEGER (0..MAX) is semi-constrained: its amount above the lower bound, without a sign, in as few octets as possible (10.7, 12.2.3).
#           (1..3 | 6..9) has the bounds 1 and 9, (0..10)(2..5) those of the intersection, 2 and 5 (9.3, X.680, 47 and 50); likewise SIZE (1 | 3), which has
#           a length. A string beyond an extensible size has a bit for it and a length (27.5.3). An encoding without bits is one octet, zero (10.1.3).
# Seen:     128 is written 020080, and 0180 read as -128; 5 of (5..MAX) is written 0105, and 0100 read as 0. 7 of (1..3 | 6..9) is written as 3 and 60 read as 2.
#           3 of (0..10)(2..5) has four bits, and 40 is read as 4. Three octets of SIZE (1 | 3) have no length. Nothing is written for constants and NULL.
# So:       a counter of another program that passes 127 is negative.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check asn1tools==0.169.0 pycrate==0.7.8 >/dev/null 2>&1

cat >try.py <<'PY'
import contextlib, io
import asn1tools
from pycrate_asn1c.asnproc import PycrateGenerator, compile_text, generate_modules

CASES = [('INTEGER (0..MAX)', 127), ('INTEGER (0..MAX)', 128), ('INTEGER (5..MAX)', 5), ('INTEGER (5..MAX)', 260), ('INTEGER (-5..MAX)', 0), ('INTEGER (MIN..5)', 5),
         ('INTEGER (1..9)', 7), ('INTEGER (1..3 | 6..9)', 7), ('INTEGER (0..10)(2..5)', 3), ('OCTET STRING (SIZE (1 | 3))', b'abc'), ('SEQUENCE (SIZE (1..2 | 5)) OF BOOLEAN', [True] * 5),
         ('VisibleString (SIZE (1..3))', 'abc'), ('VisibleString (SIZE (1..3, ...))', 'abcd'), ('INTEGER (7)', 7), ('NULL', None), ('SEQUENCE {}', {})]
names = [f'T{number}' for number in range(len(CASES))]
text = 'M DEFINITIONS AUTOMATIC TAGS ::= BEGIN\n' + '\n'.join(f'{name} ::= {kind}' for name, (kind, _) in zip(names, CASES)) + '\nEND\n'
with contextlib.redirect_stdout(io.StringIO()):
    compile_text(text)
    generate_modules(PycrateGenerator, 'other.py')
import other

def attempt(call):
    try:
        return call()
    except Exception as error:
        return type(error).__name__

for codec in 'per', 'uper':
    tools = asn1tools.compile_string(text, codec)
    for name, (kind, value) in zip(names, CASES):
        reference = getattr(other.M, name)
        reference.set_val(0 if value is None else value)
        expected = reference.to_aper() if codec == 'per' else reference.to_uper()
        written = attempt(lambda: tools.encode(name, value).hex())
        print(f'{codec} {kind} | {value} | pycrate {expected.hex()} | asn1tools {written or "nothing"}, reads {expected.hex()} as {attempt(lambda: tools.decode(name, expected))}')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
per INTEGER (0..MAX) | 127 | pycrate 017f | asn1tools 017f, reads 017f as 127
per INTEGER (0..MAX) | 128 | pycrate 0180 | asn1tools 020080, reads 0180 as -128
per INTEGER (5..MAX) | 5 | pycrate 0100 | asn1tools 0105, reads 0100 as 0
per INTEGER (5..MAX) | 260 | pycrate 01ff | asn1tools 020104, reads 01ff as -1
per INTEGER (-5..MAX) | 0 | pycrate 0105 | asn1tools 0100, reads 0105 as 5
per INTEGER (MIN..5) | 5 | pycrate 0105 | asn1tools 0105, reads 0105 as 5
per INTEGER (1..9) | 7 | pycrate 60 | asn1tools 60, reads 60 as 7
per INTEGER (1..3 | 6..9) | 7 | pycrate 60 | asn1tools 80, reads 60 as 2
per INTEGER (0..10)(2..5) | 3 | pycrate 40 | asn1tools 30, reads 40 as 4
per OCTET STRING (SIZE (1 | 3)) | b'abc' | pycrate 80616263 | asn1tools 616263, reads 80616263 as b'\x80'
per SEQUENCE (SIZE (1..2 | 5)) OF BOOLEAN | [True, True, True, True, True] | pycrate 9f | asn1tools 7c, reads 9f as [False, False]
per VisibleString (SIZE (1..3)) | abc | pycrate 80616263 | asn1tools 80616263, reads 80616263 as abc
per VisibleString (SIZE (1..3, ...)) | abcd | pycrate 800461626364 | asn1tools NotImplementedError, reads 800461626364 as NotImplementedError
per INTEGER (7) | 7 | pycrate 00 | asn1tools nothing, reads 00 as 7
per NULL | None | pycrate 00 | asn1tools nothing, reads 00 as None
per SEQUENCE {} | {} | pycrate 00 | asn1tools nothing, reads 00 as {}
uper INTEGER (0..MAX) | 127 | pycrate 017f | asn1tools 017f, reads 017f as 127
uper INTEGER (0..MAX) | 128 | pycrate 0180 | asn1tools 020080, reads 0180 as -128
uper INTEGER (5..MAX) | 5 | pycrate 0100 | asn1tools 0105, reads 0100 as 0
uper INTEGER (5..MAX) | 260 | pycrate 01ff | asn1tools 020104, reads 01ff as -1
uper INTEGER (-5..MAX) | 0 | pycrate 0105 | asn1tools 0100, reads 0105 as 5
uper INTEGER (MIN..5) | 5 | pycrate 0105 | asn1tools 0105, reads 0105 as 5
uper INTEGER (1..9) | 7 | pycrate 60 | asn1tools 60, reads 60 as 7
uper INTEGER (1..3 | 6..9) | 7 | pycrate 60 | asn1tools 80, reads 60 as 2
uper INTEGER (0..10)(2..5) | 3 | pycrate 40 | asn1tools 30, reads 40 as 4
uper OCTET STRING (SIZE (1 | 3)) | b'abc' | pycrate 985898c0 | asn1tools 616263, reads 985898c0 as b'\x98'
uper SEQUENCE (SIZE (1..2 | 5)) OF BOOLEAN | [True, True, True, True, True] | pycrate 9f | asn1tools 7c, reads 9f as [False, False]
uper VisibleString (SIZE (1..3)) | abc | pycrate b0e2c6 | asn1tools b0e2c6, reads b0e2c6 as abc
uper VisibleString (SIZE (1..3, ...)) | abcd | pycrate 8261c58f20 | asn1tools 787163c8, reads 8261c58f20 as NotImplementedError
uper INTEGER (7) | 7 | pycrate 00 | asn1tools nothing, reads 00 as 7
uper NULL | None | pycrate 00 | asn1tools nothing, reads 00 as None
uper SEQUENCE {} | {} | pycrate 00 | asn1tools nothing, reads 00 as {}
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
