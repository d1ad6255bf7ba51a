#!/usr/bin/env bash
# Two Python libraries for KNX, which bridges between KNX and MQTT can use: PyPI knxip 0.5 writes large numbers as other numbers, knxpy 0.2.7 writes
# floats without their fraction and cannot read texts, beside PyPI xknx 4.0.0 and knxdclient 1.2.0.
#
# Expected (KNX Standard 3/7/2, Datapoint Types): a 2-octet float (DPT 9) reaches from -671088.64 to 670433.28, with an exponent from 0 to 15. A
#           4-octet float (DPT 14) is IEEE 754. The octets after the text of DPT 16 are zero, and the text may have any character, 30 is the digit 0.
#           The years 90 to 99 of a date (DPT 11) are 1990 to 1999. DPT 4.002 is a character of ISO 8859-1, DPT 20 an enumeration of 8 bits.
# Seen:     knxip writes numbers from 335544.32 up and from -335708.16 down with an exponent of 14 at most: 400000 is 128778.24, -671088.64 is
#           -167772.16. knxpy writes 21.5 and -0.75 of DPT 14 as 21.0 and 0.0, reads Temperature 20 as "Temperature 2" or with the zero octets, and
#           1999-12-31 as 2099-12-31; it writes that date with the year -1. For DPT 4.002, 16.001 and 20 it raises NameError.
# So:       a set point of 21.5 arrives as 21, and an illuminance of 400000 lux as 128778.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q xknx==4.0.0 knxip==0.5 knxpy==0.2.7 knxdclient==1.2.0

cat >try.py <<'PY'
import datetime
from knxdclient.encoding import KNXDPT, decode_value, encode_value
from knxip import conversion
from knxpy import dpts
from xknx.dpt import DPTArray
from xknx.dpt.dpt_9 import DPT2ByteFloat
from xknx.dpt.dpt_14 import DPT4ByteFloat

def attempt(action):
    try:
        return action()
    except Exception as error:
        return f'{type(error).__name__}: {error}'

def written(name, transcoder, data):
    data = bytes(data)
    return f'{name} {data.hex()}, which is {transcoder.from_knx(DPTArray(tuple(data)))}'

for value in 21.5, 335000, 400000, 670433.28, -335000, -400000, -671088.64:
    print('DPT 9,', value, '|', written('xknx', DPT2ByteFloat, DPT2ByteFloat.to_knx(value).value), '|',
          written('knxdclient', DPT2ByteFloat, encode_value(float(value), KNXDPT.FLOAT16)), '|', written('knxip', DPT2ByteFloat, conversion.float_to_knx2(value)))
for value in 21.5, -0.75, 230.0:
    print('DPT 14,', value, '|', written('xknx', DPT4ByteFloat, DPT4ByteFloat.to_knx(value).value), '|',
          written('knxdclient', DPT4ByteFloat, encode_value(value, KNXDPT.FLOAT32)), '|', written('knxpy', DPT4ByteFloat, dpts.dpt14.encode(value)[1:]))
for text in 'Room 10', 'Temperature 20':
    data = text.encode().ljust(14, b'\0')
    print('DPT 16,', text, '|', 'knxdclient', repr(decode_value(data, KNXDPT.STRING)), '| knxpy', attempt(lambda: repr(dpts.dpt16000.decode(data))),
          '|', attempt(lambda: repr(dpts.dpt16001.decode(data))))
for data in bytes([31, 12, 89]), bytes([31, 12, 99]):
    print('DPT 11,', *data, '|', 'knxdclient', decode_value(data, KNXDPT.DATE), '| knxpy', dpts.dpt11.decode(data))
print('DPT 11, 1999-12-31 | knxdclient', list(encode_value(datetime.date(1999, 12, 31), KNXDPT.DATE)), '| knxpy', dpts.dpt11.encode(datetime.date(1999, 12, 31))[1:])
print('DPT 4, A | knxdclient', decode_value(b'A', KNXDPT.CHAR), '| knxpy', attempt(lambda: dpts.dpt4002.decode(b'A')))
print('DPT 20, 3 | knxdclient', decode_value(b'\3', KNXDPT.ENUM8), '| knxpy', attempt(lambda: dpts.dpt20.decode(b'\3')))
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
DPT 9, 21.5 | xknx 0c33, which is 21.5 | knxdclient 0c33, which is 21.5 | knxip 0c33, which is 21.5
DPT 9, 335000 | xknx 77fd, which is 335052.8 | knxdclient 77fc, which is 334888.96 | knxip 77fc, which is 334888.96
DPT 9, 400000 | xknx 7cc5, which is 400097.28 | knxdclient 7cc4, which is 399769.6 | knxip 7989, which is 128778.24
DPT 9, 670433.28 | xknx 7ffe, which is 670433.28 | knxdclient 7ffe, which is 670433.28 | knxip 7ffc, which is 669777.92
DPT 9, -335000 | xknx f003, which is -335052.8 | knxdclient f003, which is -335052.8 | knxip f003, which is -335052.8
DPT 9, -400000 | xknx fb3b, which is -400097.28 | knxdclient fb3b, which is -400097.28 | knxip ee77, which is -32194.56
DPT 9, -671088.64 | xknx f800, which is -671088.64 | knxdclient f800, which is -671088.64 | knxip e800, which is -167772.16
DPT 14, 21.5 | xknx 41ac0000, which is 21.5 | knxdclient 41ac0000, which is 21.5 | knxpy 41a80000, which is 21.0
DPT 14, -0.75 | xknx bf400000, which is -0.75 | knxdclient bf400000, which is -0.75 | knxpy 00000000, which is 0.0
DPT 14, 230.0 | xknx 43660000, which is 230.0 | knxdclient 43660000, which is 230.0 | knxpy 43660000, which is 230.0
DPT 16, Room 10 | knxdclient 'Room 10' | knxpy 'Room 10\x00\x00\x00\x00\x00\x00\x00' | NameError: name 'payload' is not defined
DPT 16, Temperature 20 | knxdclient 'Temperature 20' | knxpy 'Temperature 2' | NameError: name 'payload' is not defined
DPT 11, 31 12 89 | knxdclient 2089-12-31 | knxpy 2089-12-31
DPT 11, 31 12 99 | knxdclient 1999-12-31 | knxpy 2099-12-31
DPT 11, 1999-12-31 | knxdclient [31, 12, 99] | knxpy [31, 12, -1]
DPT 4, A | knxdclient A | knxpy NameError: name 'payload' is not defined
DPT 20, 3 | knxdclient 3 | knxpy NameError: name 'struct' is not defined
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
