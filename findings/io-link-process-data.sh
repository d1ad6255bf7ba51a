#!/usr/bin/env bash
# PyPI iolink-utils 0.1.0, which decodes the process data of IO-Link sensors with their device description (IODD), reads negative and fractional
# values as large numbers, and cannot read single values and packed ones.
#
# Expected (IO-Link Interface and System Specification, version 1.1.3, annex F): an IntegerT is a two's complement number of its bit length (F.2.4), a
#           Float32T an IEEE 754 number (F.2.5). Process data may be one such value or a record (F.3.3). The items of a record may have any number of
#           bits and follow each other without gaps; the bit offset counts from the last bit.
# Seen:     -15 is 65521, 4294967281 or 16369, and -1.5 is 3217031168, although the description has the types. Items of 12, 12 and 8 bits, or of 8, 12
#           and 12, raise an error, as does process data of one value. Booleans and positive whole numbers are right in the other records.
# So:       a frost warning comes at +6552.1 degrees, and many analogue sensors cannot be read.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q iolink-utils==0.1.0

cat >try.py <<'PY'
import xml.etree.ElementTree
from iolink_utils.iodd.iodd import Iodd
from iolink_utils.processDataDecoder.processDataDecoder import createDecoderClass_PDIn

def description(bits, datatype):
    text = f'''<?xml version="1.0" encoding="UTF-8"?>
<IODevice xmlns="http://www.io-link.com/IODD/2010/10" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <DocumentInfo version="V1.0" releaseDate="2026-11-30" copyright="none"/>
  <ProfileBody>
    <DeviceIdentity vendorId="1" deviceId="1" vendorName="none"/>
    <DeviceFunction>
      <Features blockParameter="true" dataStorage="true"/>
      <VariableCollection/>
      <ProcessDataCollection>
        <ProcessData id="PD"><ProcessDataIn id="PDIn" bitLength="{bits}">{datatype}<Name textId="PDIn"/></ProcessDataIn></ProcessData>
      </ProcessDataCollection>
    </DeviceFunction>
  </ProfileBody>
</IODevice>'''
    with open('device-20261130-IODD1.1.xml', 'w') as file:
        file.write(text)
    return Iodd('device-20261130-IODD1.1.xml').processDataDefinition

def item(index, offset, name, kind):
    return f'<RecordItem subindex="{index}" bitOffset="{offset}"><SimpleDatatype xsi:type="{kind}<Name textId="{name}"/></RecordItem>'

def record(*items):
    return '<Datatype xsi:type="RecordT" bitLength="0">' + ''.join(item(number, *fields) for number, fields in enumerate(items, 1)) + '</Datatype>'

INT14, INT16, INT32 = (f'IntegerT" bitLength="{bits}"/>' for bits in (14, 16, 32))
UINT4, UINT8, UINT12, UINT16, UINT20 = (f'UIntegerT" bitLength="{bits}"/>' for bits in (4, 8, 12, 16, 20))
BOOL, FLOAT = 'BooleanT"/>', 'Float32T"/>'

def show(name, data, datatype):
    octets = bytes.fromhex(data.replace(' ', ''))
    try:
        decoder = createDecoderClass_PDIn(description(len(octets) * 8, datatype))
        found = decoder.from_buffer_copy(octets)
        print(name, data, '|', *[f'{field} {getattr(found, field)}' for field in found.field_names])
    except Exception as error:
        print(name, data, '| raises', type(error).__name__)

show('temperatures -1.5 and 21.5', 'bfc00000 41ac0000', record((32, 'a', FLOAT), (0, 'b', FLOAT)))
show('temperatures -15 and 215', 'fff1 00d7', record((16, 'a', INT16), (0, 'b', INT16)))
show('position -15 in 32 bits', 'fffffff1', record((0, 'a', INT32)))
show('level 1000 in 14 bits, two outputs', '0fa1', record((2, 'level', INT14), (1, 'out2', BOOL), (0, 'out1', BOOL)))
show('level -15 in 14 bits, two outputs', 'ffc5', record((2, 'level', INT14), (1, 'out2', BOOL), (0, 'out1', BOOL)))
show('4 and 12 bits, 5 and 291', '5123', record((12, 'n', UINT4), (0, 'level', UINT12)))
show('16, 12 and 4 bits, 4660, 1383 and 8', '1234 5678', record((16, 'a', UINT16), (4, 'b', UINT12), (0, 'c', UINT4)))
show('8, 12 and 12 bits, 18, 837 and 1656', '12 345678', record((24, 'a', UINT8), (12, 'b', UINT12), (0, 'c', UINT12)))
show('12, 12 and 8 bits, 291, 1110 and 120', '123456 78', record((20, 'a', UINT12), (8, 'b', UINT12), (0, 'c', UINT8)))
show('20 and 12 bits, 74565 and 1656', '12345 678', record((12, 'a', UINT20), (0, 'c', UINT12)))
show('one IntegerT, 215', '00d7', '<Datatype xsi:type="IntegerT" bitLength="16"/>')
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
temperatures -1.5 and 21.5 bfc00000 41ac0000 | a 3217031168 b 1101791232
temperatures -15 and 215 fff1 00d7 | a 65521 b 215
position -15 in 32 bits fffffff1 | a 4294967281
level 1000 in 14 bits, two outputs 0fa1 | level 1000 out2 0 out1 1
level -15 in 14 bits, two outputs ffc5 | level 16369 out2 0 out1 1
4 and 12 bits, 5 and 291 5123 | n 5 level 291
16, 12 and 4 bits, 4660, 1383 and 8 1234 5678 | a 4660 b 1383 c 8
8, 12 and 12 bits, 18, 837 and 1656 12 345678 | raises ValueError
12, 12 and 8 bits, 291, 1110 and 120 123456 78 | raises ValueError
20 and 12 bits, 74565 and 1656 12345 678 | a 74565 c 1656
one IntegerT, 215 00d7 | raises KeyError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "iolink-utils 0.1.0: as described"
