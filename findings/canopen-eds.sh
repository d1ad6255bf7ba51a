#!/usr/bin/env bash
# Readers of EDS files, which describe CANopen devices, lose defaults, limits and arrays: PyPI canopen 2.4.1, canopen-lens 0.5.1 and eds-utils 0.3.1.
#
# Expected (CiA 306-1, EDS and DCF): numbers are decimal, hexadecimal after 0x or octal after a leading 0. A default may be a formula with the node
#           id, $NODEID or $NODEID+0x180. Hexadecimal numbers of signed objects are their two's complement in the object's size, so FFFE of an
#           INTEGER16 is -2. Limits are of the type of the object. An array with CompactSubObj has that many entries of the type and default of the
#           section, without sections of their own.
# Seen:     canopen reads 010 and $NODEID as no default and a limit of -10.5 as none, without an error, and FFFE as 65534, though it reads the limit
#           8000 of the same object as -32768. canopen-lens reads FFFE as 65534 and has no entries of the array. eds-utils has none either: it calls
#           CompactSubObj, its data type and its default unknown entries and drops them ("AUTO-FIXED").
# So:       a gateway publishes 65534 for a set point of -2 and accepts values outside the limits, and an EDS file that was opened and saved has no
#           array any more.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q canopen==2.4.1 canopen-lens==0.5.1 eds-utils==0.3.1

cat >try.py <<'PY'
import re
import canopen
from canopen_lens.eds import EdsFile
from eds_utils.core.file_io.read_eds import read_eds

INFO = '''[FileInfo]
FileName=device.eds
FileVersion=1
FileRevision=0
EDSVersion=4.0
Description=device
CreationTime=09:00AM
CreationDate=11-30-2026
CreatedBy=somebody
ModificationTime=09:00AM
ModificationDate=11-30-2026
ModifiedBy=somebody

[DeviceInfo]
VendorName=V
VendorNumber=0x1
ProductName=P
ProductNumber=0x2
RevisionNumber=0x3
OrderCode=O
''' + ''.join(f'BaudRate_{rate}=1\n' for rate in (10, 20, 50, 125, 250, 500, 800, 1000)) + '''SimpleBootUpMaster=0
SimpleBootUpSlave=1
Granularity=8
DynamicChannelsSupported=0
GroupMessaging=0
NrOfRXPDO=0
NrOfTXPDO=0
LSS_Supported=0

[MandatoryObjects]
SupportedObjects=1
1=0x1000

[1000]
ParameterName=Device type
ObjectType=0x7
DataType=0x0007
AccessType=ro
DefaultValue=0x00020191
PDOMapping=0
'''
OBJECTS = [
    ('decimal', 0x6, 'DefaultValue=8'),
    ('octal', 0x6, 'DefaultValue=010'),
    ('node id and number', 0x7, 'DefaultValue=$NODEID+0x180'),
    ('node id', 0x5, 'DefaultValue=$NODEID'),
    ('signed, decimal', 0x3, 'DefaultValue=-2\nLowLimit=-32768\nHighLimit=32767'),
    ('signed, hexadecimal', 0x3, 'DefaultValue=0xFFFE\nLowLimit=0x8000\nHighLimit=0x7FFF'),
    ('float', 0x8, 'DefaultValue=21.5\nLowLimit=-10.5\nHighLimit=60.5'),
]
text = INFO + f'\n[ManufacturerObjects]\nSupportedObjects={len(OBJECTS) + 1}\n' + ''.join(f'{n + 1}=0x{0x2000 + n:x}\n' for n in range(len(OBJECTS) + 1))
for number, (name, kind, lines) in enumerate(OBJECTS):
    text += f'\n[{0x2000 + number:x}]\nParameterName={name}\nObjectType=0x7\nDataType=0x{kind:04x}\nAccessType=rw\n{lines}\nPDOMapping=0\n'
array = 0x2000 + len(OBJECTS)
text += (f'\n[{array:x}]\nParameterName=array\nObjectType=0x8\nDataType=0x0006\nAccessType=rw\nDefaultValue=7\nPDOMapping=0\nCompactSubObj=3\n'
         f'\n[{array:x}Name]\nNrOfEntries=3\n1=first\n2=second\n3=third\n')
open('device.eds', 'w').write(text)

dictionary, lens = canopen.import_od('device.eds', 5), EdsFile.load('device.eds')
for number, (name, kind, lines) in enumerate(OBJECTS):
    found = dictionary[0x2000 + number]
    print(f'{name}, {lines.replace(chr(10), ", ")} | canopen {found.default}, limits {found.min} and {found.max} | canopen-lens',
          'no integer' if kind == 8 else lens.int_value(0x2000 + number, 0, 5))
print('array | canopen', *[f'{entry.name} {entry.default}' for index, entry in dictionary[array].items() if index],
      '| canopen-lens', *[lens.int_value(array, index, 5) for index in (1, 2, 3)])
eds, errors = read_eds('device.eds')
def entry(index):
    try:
        return type(eds[array][index]).__name__
    except KeyError:
        return 'none'

print('array | eds-utils', *[entry(index) for index in (1, 2, 3)], '|',
      *sorted({re.sub(r'(Unknown entry "\w+").*', r'\1', str(error)) for error in errors if 'Unknown entry' in str(error)}))
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
decimal, DefaultValue=8 | canopen 8, limits None and None | canopen-lens 8
octal, DefaultValue=010 | canopen None, limits None and None | canopen-lens 8
node id and number, DefaultValue=$NODEID+0x180 | canopen 389, limits None and None | canopen-lens 389
node id, DefaultValue=$NODEID | canopen None, limits None and None | canopen-lens 5
signed, decimal, DefaultValue=-2, LowLimit=-32768, HighLimit=32767 | canopen -2, limits -32768 and 32767 | canopen-lens -2
signed, hexadecimal, DefaultValue=0xFFFE, LowLimit=0x8000, HighLimit=0x7FFF | canopen 65534, limits -32768 and 32767 | canopen-lens 65534
float, DefaultValue=21.5, LowLimit=-10.5, HighLimit=60.5 | canopen 21.5, limits None and None | canopen-lens no integer
array | canopen first 7 second 7 third 7 | canopen-lens None None None
array | eds-utils none none none | AUTO-FIXED: Unknown entry "AccessType" AUTO-FIXED: Unknown entry "CompactSubObj" AUTO-FIXED: Unknown entry "DataType" AUTO-FIXED: Unknown entry "DefaultValue" AUTO-FIXED: Unknown entry "PDOMapping"
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
