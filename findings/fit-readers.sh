#!/usr/bin/env bash
# Three readers of FIT, the files of sports watches, bicycle computers and their sensors: PyPI fit-tool 0.9.16 gives values for what was not measured, fitfile
# 1.2.0 and fit 0.5.1 cannot read compressed timestamps and developer fields, and fit is an hour off. Beside PyPI fitdecode 0.11.0.
#
# Expected (Garmin FIT protocol): times count from 1989-12-31 00:00:00 UTC. Each base type has an invalid value: 255 for uint8, 127 for sint8, 65535 for
#           uint16, 2147483647 for sint32. A record header with bit 7 has the lowest five bits of the time, which counts on from the last timestamp.
#           A definition with developer fields (bit 5 of its header) describes them after the usual ones. Fields may be arrays. A file may have
#           several FIT files one after the other (chained).
# Seen:     for a sensor that has nothing, fit-tool gives 180 degrees east and north, 12607 m, 255 beats per minute and 127 degrees; fitfile gives 127 degrees.
#           fitfile raises an error for compressed timestamps and ValueError for developer fields, and reads the first of two chained files only.
#           fit gives all times an hour too early, none for compressed timestamps, and an error for developer fields, arrays and chained files.
#           fitdecode reads all of these.
# So:       a mean of all heart rates or temperatures is too high, and recordings of devices that save space cannot be read.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q fit-tool==0.9.16 fitfile==1.2.0 fit==0.5.1 fitdecode==0.11.0

cat >try.py <<'PY'
import datetime, struct, warnings
warnings.simplefilter('ignore')
import fit, fit_tool.fit_file, fitdecode, fitfile.file

def crc(data):
    value = 0
    for octet in data:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0xa001 if value & 1 else 0)
    return struct.pack('<H', value)

def file(body):
    head = struct.pack('<BBHI4s', 14, 0x20, 2132, len(body), b'.FIT')
    head += crc(head)
    return head + body + crc(head + body)

def define(local, message, *fields):
    return bytes([0x40 | local, 0, 0]) + struct.pack('<HB', message, len(fields)) + b''.join(bytes(field) for field in fields)

TIME, LATITUDE, LONGITUDE, ALTITUDE, HEART, TEMPERATURE = (253, 4, 0x86), (0, 4, 0x85), (1, 4, 0x85), (2, 2, 0x84), (3, 1, 2), (13, 1, 1)
FILE = define(0, 0, (0, 1, 0), (1, 2, 0x84), (4, 4, 0x86)) + struct.pack('<BBHI', 0, 4, 1, 1000000000)
FULL = FILE + define(1, 20, TIME, LATITUDE, LONGITUDE, ALTITUDE, HEART, TEMPERATURE)
USUAL = FULL + b'\1' + struct.pack('<IiiHBb', 1000000010, 2 ** 29, -2 ** 28, (250 + 500) * 5, 72, -5)
CASES = {
    'measured': file(USUAL),
    'not available': file(FULL + b'\1' + struct.pack('<IiiHBb', 1000000010, 2 ** 31 - 1, 2 ** 31 - 1, 65535, 255, 127)),
    'compressed timestamps': file(USUAL + define(2, 20, HEART) + bytes([0x80 | 2 << 5 | 1000000010 + 3 & 31, 80])),
    'developer field': file(FILE + define(3, 207, (1, 16, 13), (3, 1, 2)) + bytes([3]) + bytes(17)
                            + define(4, 206, (0, 1, 2), (1, 1, 2), (2, 1, 2), (3, 8, 7), (8, 4, 7)) + bytes([4, 0, 5, 0x83]) + b'power\0\0\0W\0\0\0'
                            + bytes([0x61, 0, 0]) + struct.pack('<HB', 20, 2) + bytes(TIME) + bytes(HEART) + bytes([1, 5, 2, 0])
                            + b'\1' + struct.pack('<IBh', 1000000010, 70, -300)),
    'array': file(FILE + define(1, 78, (0, 4, 0x84)) + b'\1' + struct.pack('<2H', 1000, 1001)),
    'chained': file(USUAL) * 2,
}
NAMES = ('timestamp', 'position_lat', 'position_long', 'altitude', 'heart_rate', 'temperature', 'power', 'time')

def plain(name, value):
    if isinstance(value, (tuple, list)):
        return [plain(name, item) for item in value]
    if name == 'timestamp' and isinstance(value, int):
        value = datetime.datetime.fromtimestamp(value / 1000, datetime.timezone.utc)
    if isinstance(value, (datetime.datetime, datetime.time)):
        return value.strftime('%H:%M:%S')
    if name.startswith('position') and isinstance(value, int):
        value = value * 180 / 2 ** 31
    return round(value, 2) if isinstance(value, float) else value

def show(fields):
    return ' '.join(f'{name} {plain(name, fields[name])}' for name in NAMES if name in fields)

def read_fitdecode(path):
    with fitdecode.FitReader(path) as reader:
        return [show({field.name: field.value for field in frame.fields}) for frame in reader
                if isinstance(frame, fitdecode.FitDataMessage) and frame.name in ('record', 'hrv')]

def read_fit_tool(path):
    found = []
    for record in fit_tool.fit_file.FitFile.from_file(path).records:
        if type(record.message).__name__ in ('RecordMessage', 'HrvMessage'):
            values = {field.name: field.get_values() for field in [*record.message.fields, *record.message.developer_fields] if field.is_valid()}
            found.append(show({name: value[0] if len(value) == 1 else value for name, value in values.items()}))
    return found

def read_fitfile(path):
    opened = fitfile.file.File(path)
    return [show(message.fields) for kind in opened.message_types if kind.name in ('record', 'hrv') for message in opened[kind]]

def read_fit(path):
    return [show({name: getattr(message, name) for name in NAMES if getattr(message, name, None) is not None})
            for message in fit.FitFile.open(path) if type(message).__name__ in ('Record', 'Hrv')]

for name, data in CASES.items():
    with open('case.fit', 'wb') as target:
        target.write(data)
    for package, read in (('fitdecode', read_fitdecode), ('fit-tool', read_fit_tool), ('fitfile', read_fitfile), ('fit', read_fit)):
        try:
            seen = '; '.join(read('case.fit'))
        except Exception as error:
            seen = type(error).__name__
        print(package, '|', name, '|', seen)
PY
TZ=UTC env/bin/python try.py 2>/dev/null | tee seen
cat >expected <<'TEXT'
fitdecode | measured | timestamp 01:46:50 position_lat 45.0 position_long -22.5 altitude 250.0 heart_rate 72 temperature -5
fit-tool | measured | timestamp 01:46:50 position_lat 45.0 position_long -22.5 altitude 250.0 heart_rate 72 temperature -5
fitfile | measured | timestamp 01:46:50 position_lat 45.0 position_long -22.5 altitude 250.0 heart_rate 72.0 temperature -5.0
fit | measured | timestamp 00:46:50 position_lat 45.0 position_long -22.5 altitude 250.0 heart_rate 72 temperature -5
fitdecode | not available | timestamp 01:46:50 position_lat None position_long None altitude None heart_rate None temperature None
fit-tool | not available | timestamp 01:46:50 position_lat 180.0 position_long 180.0 altitude 12607.0 heart_rate 255 temperature 127
fitfile | not available | timestamp 01:46:50 position_lat None position_long None altitude None heart_rate None temperature 127.0
fit | not available | timestamp 00:46:50
fitdecode | compressed timestamps | timestamp 01:46:50 position_lat 45.0 position_long -22.5 altitude 250.0 heart_rate 72 temperature -5; timestamp 01:46:53 heart_rate 80
fit-tool | compressed timestamps | timestamp 01:46:50 position_lat 45.0 position_long -22.5 altitude 250.0 heart_rate 72 temperature -5; timestamp 01:46:53 heart_rate 80
fitfile | compressed timestamps | error
fit | compressed timestamps | timestamp 00:46:50 position_lat 45.0 position_long -22.5 altitude 250.0 heart_rate 72 temperature -5; heart_rate 80
fitdecode | developer field | timestamp 01:46:50 heart_rate 70 power -300
fit-tool | developer field | timestamp 01:46:50 heart_rate 70 power -300
fitfile | developer field | ValueError
fit | developer field | error
fitdecode | array | time [1.0, 1.0]
fit-tool | array | time [1.0, 1.0]
fitfile | array | time ['00:00:01', '00:00:01']
fit | array | error
fitdecode | chained | timestamp 01:46:50 position_lat 45.0 position_long -22.5 altitude 250.0 heart_rate 72 temperature -5; timestamp 01:46:50 position_lat 45.0 position_long -22.5 altitude 250.0 heart_rate 72 temperature -5
fit-tool | chained | timestamp 01:46:50 position_lat 45.0 position_long -22.5 altitude 250.0 heart_rate 72 temperature -5; timestamp 01:46:50 position_lat 45.0 position_long -22.5 altitude 250.0 heart_rate 72 temperature -5
fitfile | chained | timestamp 01:46:50 position_lat 45.0 position_long -22.5 altitude 250.0 heart_rate 72.0 temperature -5.0
fit | chained | HeaderFormatError
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "fit-tool 0.9.16, fitfile 1.2.0, fit 0.5.1: as described"
