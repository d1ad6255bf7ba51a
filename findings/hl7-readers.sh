#!/usr/bin/env bash
# Three readers of HL7 version 2, the messages of hospitals and laboratories, for Python: PyPI hl7find 1.0.2 reads each field of the header as the
# next one, hl7-conversion 0.1.1 invents separators and keeps escape sequences, hl7tojson 0.0.2 cannot be imported. Beside PyPI hl7 0.4.5.
#
# Expected (HL7 2.5, chapter 2): MSH-1 is the character after MSH, MSH-2 are the encoding characters, so MSH-3, the sending application, is what
#           follows them (2.15.9). In data, \F\ \S\ \R\ \E\ \T\ stand for the field, component, repetition, escape and subcomponent separators
#           (2.10.1), so the reference range 12\T\16 is 12&16.
# Seen:     hl7find gives LAB for MSH.2, HOSP for MSH.3, and for MSH.9.2, the trigger event, the second character of the control identifier; other
#           segments are right. hl7-conversion gives \F\ as the field separator and \S\\R\\E\\T\ as the encoding characters, in JSON, and 12\T\16 as
#           the range. hl7tojson raises FileNotFoundError, since the tables that it loads are not in the package.
# So:       messages are routed by the control identifier in place of the type, and who reads the separators from the JSON splits at nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q hl7==0.4.5 hl7find==1.0.2 hl7-conversion==0.1.1 hl7apy==1.3.5
env/bin/pip install -q --no-deps hl7tojson==0.0.2

cat >try.py <<'PY'
import json
import hl7
from hl7_convert.client import HL7Client
from hl7find.hl7find import HL7Message

TEXT = '\r'.join([r'MSH|^~\&|LAB|HOSP|EHR|CLINIC|20261130120000+0100||ORU^R01^ORU_R01|MSG00001|P|2.5',
                  'PID|1||12345^^^HOSP^MR||PATIENT^TEST||20000101|U', 'OBR|1|||718-7^Hemoglobin^LN',
                  r'OBX|1|NM|718-7^Hemoglobin^LN||13.5|g/dL|12\T\16|N|||F']) + '\r'
reference, found = hl7.parse(TEXT), HL7Message(TEXT)
header = reference.segment('MSH')
for number in 2, 3, 10:
    print(f'MSH-{number} | hl7 {header[number]} | hl7find {found.find(f"MSH.{number}")}')
print(f'MSH-9.2 | hl7 {header[9][0][1]} | hl7find {found.find("MSH.9.2")}')
print(f'PID-3.1 | hl7 {reference.segment("PID")[3][0][0]} | hl7find {found.find("PID.3.1")}')
converted = json.loads(HL7Client().hl7tojsonconvert(TEXT))

def values(item, name):
    """The texts below each member with a name."""
    if isinstance(item, dict):
        for key, value in item.items():
            yield from texts(value) if key == name else values(value, name)

def texts(item):
    if isinstance(item, dict):
        for value in item.values():
            yield from texts(value)
    else:
        yield item

print('field separator | hl7', header[1], '| hl7-conversion', *values(converted, 'field_separator'))
print('encoding characters | hl7', header[2], '| hl7-conversion', *values(converted, 'encoding_characters'))
print('reference range | hl7', reference.unescape(str(reference.segment('OBX')[7])), '| hl7-conversion', *values(converted, 'references_range'))
try:
    import hl7tojson.parser
except FileNotFoundError as error:
    print('hl7tojson | FileNotFoundError', error.filename.rsplit('/', 1)[-1])
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
MSH-2 | hl7 ^~\& | hl7find LAB
MSH-3 | hl7 LAB | hl7find HOSP
MSH-10 | hl7 MSG00001 | hl7find P
MSH-9.2 | hl7 R01 | hl7find S
PID-3.1 | hl7 12345 | hl7find 12345
field separator | hl7 | | hl7-conversion \F\
encoding characters | hl7 ^~\& | hl7-conversion \S\\R\\E\\T\
reference range | hl7 12&16 | hl7-conversion 12\T\16
hl7tojson | FileNotFoundError fields.pickle
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
