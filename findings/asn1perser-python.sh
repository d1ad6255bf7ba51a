#!/usr/bin/env bash
# PyPI asn1perser 0.4.3, which makes Python classes of ASN.1 modules for PER, writes files that Python cannot read for enumerations with numbers, and with the
# pyparsing that its own requirement installs it cannot read its own example.
#
# Expected (its README): ENUMERATED is supported, and so are BIT STRING and OCTET STRING with a size; pyparsing is 2.4.7 or later. (X.680, 20.1) An item of an
#           enumeration is a name or a name with a number.
# Seen:     ENUMERATED {off(1), on(5)} becomes a file with a syntax error. With pyparsing 3.3.3 every SIZE raises AttributeError; with 2.4.7 it is read.
# So:       after an upgrade of another package no module with a size can be used.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for parser in 2.4.7 3.3.3; do
  python3 -m venv "$parser"
  "$parser/bin/pip" install -q --disable-pip-version-check asn1perser==0.4.3 "pyparsing==$parser" >/dev/null 2>&1
done

cat >try.py <<'PY'
import importlib, logging, os, sys, warnings
warnings.simplefilter('ignore')
from asn1PERser import encode, parse_asn1_schema
logging.disable(logging.CRITICAL)
sys.path.insert(0, os.getcwd())
KINDS = ['ENUMERATED {off, on}', 'ENUMERATED {off(0), on(1)}', 'ENUMERATED {off(1), on(5)}', 'OCTET STRING', 'OCTET STRING (SIZE(1..4))', 'BIT STRING (SIZE(20))',
         'SEQUENCE (SIZE(1..5)) OF INTEGER (0..7)', 'INTEGER (10000..65535)']
for number, kind in enumerate(KINDS):
    name = f'M{number}'
    try:
        parse_asn1_schema(f'{name} DEFINITIONS AUTOMATIC TAGS ::=\nBEGIN\nA ::= {kind}\nEND\n', output_folder=os.getcwd())
        importlib.invalidate_caches()
        importlib.import_module(name)
        print(f'  {kind}: a module')
    except Exception as error:
        print(f'  {kind}: {type(error).__name__}')
    if os.path.exists(f'{name}.py'):
        os.remove(f'{name}.py')
PY
for parser in 2.4.7 3.3.3; do
  echo "pyparsing $parser"
  "$parser/bin/python" try.py
done | tee seen
cat >expected <<'TEXT'
pyparsing 2.4.7
  ENUMERATED {off, on}: a module
  ENUMERATED {off(0), on(1)}: SyntaxError
  ENUMERATED {off(1), on(5)}: SyntaxError
  OCTET STRING: a module
  OCTET STRING (SIZE(1..4)): a module
  BIT STRING (SIZE(20)): a module
  SEQUENCE (SIZE(1..5)) OF INTEGER (0..7): a module
  INTEGER (10000..65535): a module
pyparsing 3.3.3
  ENUMERATED {off, on}: a module
  ENUMERATED {off(0), on(1)}: SyntaxError
  ENUMERATED {off(1), on(5)}: SyntaxError
  OCTET STRING: a module
  OCTET STRING (SIZE(1..4)): AttributeError
  BIT STRING (SIZE(20)): AttributeError
  SEQUENCE (SIZE(1..5)) OF INTEGER (0..7): AttributeError
  INTEGER (10000..65535): a module
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
