#!/usr/bin/env bash
# Readers of DLMS/COSEM, which bridges from electricity meters to MQTT use, misread what a time says about itself: PyPI amshan 2.1.1 and dlms-cosem
# 25.1.0, beside gurux-dlms 1.0.203.
#
# Expected (DLMS UA 1000-1, Blue Book, 4.1.6.1): in the clock status, bit 0, the lowest one, marks the time as invalid, bit 1 as doubtful, bit 2 a
#           different clock base, bit 3 an invalid status, and bit 7 says that daylight saving is active. FF means that the status is not specified. In
#           the hour, minute, second and hundredths, FF means not specified. The deviation is from local time to UTC, so -120 is two hours ahead of UTC.
# Seen:     amshan reads the bits in the other order: a time in summer is invalid, an invalid time is in summer, and a doubtful one is a usual one. FF is
#           five true flags in amshan and dlms-cosem. For a second that is not specified, amshan raises TypeError, and dlms-cosem gives hour 0 for an hour
#           that is not specified. gurux-dlms gives the octet, which has the bits in the order of the specification, and says what is missing.
# So:       a filter of invalid times drops all of the summer, and lets those of a meter through that lost its clock.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q amshan==2.1.1 dlms-cosem==25.1.0 gurux-dlms==1.0.203

cat >try.py <<'PY'
from dlms_cosem.time import datetime_from_bytes
from gurux_dlms import GXDLMSClient
from gurux_dlms.enums import DataType
from han.cosem import DateTime

FLAGS = {'amshan': ('invalid_value', 'doubtful_value', 'different_clock_base', 'invalid_clock_status', 'daylight_saving_active'),
         'dlms-cosem': ('invalid', 'doubtful', 'different_base', 'invalid_status', 'daylight_saving_active')}

def show(name, time, status):
    found = [flag for flag in FLAGS[name] if status and (status[flag] if name == 'amshan' else getattr(status, flag))]
    return f'{time} {" ".join(found) or "no flag"}'

def read_amshan(data):
    found = DateTime.parse(bytes([len(data)]) + data)
    return show('amshan', found.datetime, found.clock_status)

def read_dlms_cosem(data):
    return show('dlms-cosem', *datetime_from_bytes(data))

def read_gurux(data):
    found = GXDLMSClient.changeType(bytearray(data), DataType.DATETIME)
    return f'{found.value} status {int(found.status):02x}, skipped {int(found.skip):x}'

def octets(hour=12, second=0, deviation=-120, status=0):
    return (2026).to_bytes(2, 'big') + bytes([7, 1, 3, hour, 30, second, 0xff]) + deviation.to_bytes(2, 'big', signed=True) + bytes([status])

CASES = {
    'no flag': octets(),
    'daylight saving (80)': octets(status=0x80),
    'invalid (01)': octets(status=0x01),
    'doubtful (02)': octets(status=0x02),
    'not specified (FF)': octets(status=0xff),
    'second not specified': octets(second=0xff),
    'hour not specified': octets(hour=0xff),
}
for name, data in CASES.items():
    for package, read in (('gurux-dlms', read_gurux), ('dlms-cosem', read_dlms_cosem), ('amshan', read_amshan)):
        try:
            seen = read(data)
        except TypeError as error:
            seen = type(error).__name__
        print(package, '|', name, '|', seen)
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
gurux-dlms | no flag | 2026-07-01 12:30:00+02:00 status 00, skipped 80
dlms-cosem | no flag | 2026-07-01 12:30:00+02:00 no flag
amshan | no flag | 2026-07-01 12:30:00+02:00 no flag
gurux-dlms | daylight saving (80) | 2026-07-01 12:30:00+02:00 status 80, skipped 80
dlms-cosem | daylight saving (80) | 2026-07-01 12:30:00+02:00 daylight_saving_active
amshan | daylight saving (80) | 2026-07-01 12:30:00+02:00 invalid_value
gurux-dlms | invalid (01) | 2026-07-01 12:30:00+02:00 status 01, skipped 80
dlms-cosem | invalid (01) | 2026-07-01 12:30:00+02:00 invalid
amshan | invalid (01) | 2026-07-01 12:30:00+02:00 daylight_saving_active
gurux-dlms | doubtful (02) | 2026-07-01 12:30:00+02:00 status 02, skipped 80
dlms-cosem | doubtful (02) | 2026-07-01 12:30:00+02:00 doubtful
amshan | doubtful (02) | 2026-07-01 12:30:00+02:00 no flag
gurux-dlms | not specified (FF) | 2026-07-01 12:30:00+02:00 status ff, skipped 80
dlms-cosem | not specified (FF) | 2026-07-01 12:30:00+02:00 invalid doubtful different_base invalid_status daylight_saving_active
amshan | not specified (FF) | 2026-07-01 12:30:00+02:00 invalid_value doubtful_value different_clock_base invalid_clock_status daylight_saving_active
gurux-dlms | second not specified | 2026-07-01 12:30:00+02:00 status 00, skipped c0
dlms-cosem | second not specified | 2026-07-01 12:30:00+02:00 no flag
amshan | second not specified | TypeError
gurux-dlms | hour not specified | 2026-07-01 00:30:00+02:00 status 00, skipped 90
dlms-cosem | hour not specified | 2026-07-01 00:30:00+02:00 no flag
amshan | hour not specified | TypeError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "amshan 2.1.1, dlms-cosem 25.1.0: as described"
