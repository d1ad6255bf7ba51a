#!/usr/bin/env bash
# Python libraries that write or read InfluxDB line protocol, in which telemetry from MQTT is stored: PyPI influx-line-protocol 0.1.5 rounds numbers to six
# digits, influx-line 1.0.0, sprockets-influxdb 2.2.1, influx-sansio 0.1.1, aioinflux 0.9.0 and influxobject 0.0.13 change or break texts, pyilpp 0.1.0 drops
# lines. Beside PyPI influxdb-client 1.50.0 and line-protocol-parser 2.0.1.
#
# Expected (InfluxDB, "Line protocol"): a float is an IEEE 754 number of 64 bits, true and false are t, T, true, True, TRUE and so on, a string stands in
#           double quotes ("Data types and format"). In a string, a double quote and a backslash are escaped with a backslash; commas, equals signs and
#           blanks are not; a line feed is allowed. In a measurement, commas and blanks are escaped, in tags also equals signs; other backslashes are literal
#           ("Special characters"). Tags are optional ("Elements of line protocol"). Names of tags, not their values, must not begin with _.
# Seen:     influx-line-protocol writes 23.123456 as 23.1235 and 1234567.8 as 1.23457e+06. influx-line puts backslashes before blanks, commas and equals signs
#           in strings, where they stay, and none before a backslash, so that C:\ has no end; it does not escape the measurement that it is constructed
#           with. sprockets-influxdb does that before blanks and commas in strings, writes true as Truei, escapes neither quotes nor the backslash of C:\ nor an
#           equals sign in a tag, and writes a comma after a measurement without tags.
#           influx-sansio writes no backslash before one either; it and aioinflux remove line feeds. influxobject puts no string in quotes and escapes
#           nothing. line-protocol-parser rejects most of these lines.
#           pyilpp reads no line with a tag value that begins with _, gives no line after it either, and no error; it removes literal backslashes. influxobject
#           reads negative numbers, exponents and integers as strings, and rejects lines without a tag or a time.
# So:       positions lose 100 metres, and counters of a million their last digits; a batch with one device named _test ends there.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q influx-line-protocol==0.1.5 influx-line==1.0.0 sprockets-influxdb==2.2.1 influx-sansio==0.1.1 aioinflux==0.9.0 influxobject==0.0.13 \
  pyilpp==0.1.0 line-protocol-parser==2.0.1 influxdb-client==1.50.0

cat >try.py <<'PY'
import datetime, logging
logging.disable(logging.CRITICAL)
from line_protocol_parser import parse_line

def influxdb_client(name, tags, fields):
    from influxdb_client import Point
    return Point.from_dict({'measurement': name, 'tags': tags, 'fields': fields}).to_line_protocol()

def influx_line_protocol(name, tags, fields):
    from influx_line_protocol import Metric
    line = Metric(name)
    for item in tags.items():
        line.add_tag(*item)
    for item in fields.items():
        line.add_value(*item)
    return str(line)

def influx_line(name, tags, fields):
    from influx_line import InfluxLine
    line = InfluxLine(name)
    for item in tags.items():
        line.add_tag(*item)
    for item in fields.items():
        line.add_field(*item)
    return str(line)

def sprockets_influxdb(name, tags, fields):
    from sprockets_influxdb import Measurement
    line = Measurement('database', name)
    for item in tags.items():
        line.set_tag(*item)
    for item in fields.items():
        line.set_field(*item)
    return line.marshall().rsplit(' ', 1)[0]

def influx_sansio(name, tags, fields):
    from influx_sansio.serialization import make_line
    return make_line({'measurement': name, 'tags': tags, 'fields': fields}).decode().rsplit(' ', 1)[0]

def aioinflux(name, tags, fields):
    from aioinflux.serialization.mapping import serialize
    return serialize({'measurement': name, 'tags': tags, 'fields': fields}).decode().strip()

def influxobject(name, tags, fields):
    from influxobject import InfluxPoint
    line = InfluxPoint()
    line.set_measurement(name)
    line.set_tags(tags)
    line.set_fields(fields)
    line.set_timestamp(datetime.datetime.fromtimestamp(1600000000))
    return line.to_line_protocol().rsplit(' ', 1)[0]

points = [
    ('m', {'t': 'x'}, {'v': 23.123456}),
    ('m', {'t': 'x'}, {'v': 1234567.8}),
    ('m', {'t': 'x'}, {'v': True}),
    ('m', {'t': 'x'}, {'v': 'say "hi"'}),
    ('m', {'t': 'x'}, {'v': 'on, a=b'}),
    ('m', {'t': 'x'}, {'v': 'C:\\'}),
    ('m', {'t': 'x'}, {'v': 'one\ntwo'}),
    ('m', {'t': 'a=b'}, {'v': 1.5}),
    ('hall 1', {'t': 'x'}, {'v': 1.5}),
    ('m', {}, {'v': 1.5}),
]
for writer in influxdb_client, influx_line_protocol, influx_line, sprockets_influxdb, influx_sansio, aioinflux, influxobject:
    for name, tags, fields in points:
        try:
            line = writer(name, tags, fields)
        except Exception as error:
            print(writer.__name__, '|', name, tags, fields, '| raises', type(error).__name__)
            continue
        try:
            found = parse_line(line)
            if (found['measurement'], found['tags'], found['fields']) == (name, tags, fields):
                continue
            said = f"read as {found['measurement']} {found['tags']} {found['fields']}"
        except Exception as error:
            said = f'rejected: {error}'
        print(writer.__name__, '|', line.replace('\n', '<line feed>'), '|', said)

def pyilpp(line):
    from pyilpp import parse
    return [(found['tags'], found['fields']) for found in parse(line)]

def line_protocol_parser(lines):
    return [(found['tags'], found['fields']) for found in map(parse_line, lines.split('\n'))]

def reader_of_influxobject(line):
    from influxobject import InfluxPoint
    point = InfluxPoint()
    point.parse_line_protocol(line)
    return [(point.tags, point.fields)]

lines = [
    'm,t=a v=1 1600000000000000000\nm,t=_test v=2 1600000000000000000\nm,t=b v=3 1600000000000000000',
    'm,t=C:\\x v=1 1600000000000000000',
    'm,t=x v="C:\\x" 1600000000000000000',
    'm,t=x v=-5 1600000000000000000',
    'm,t=x v=5i 1600000000000000000',
    'm,t=x v=1e3 1600000000000000000',
    'm v=1 1600000000000000000',
    'm,t=x v=1',
]
for line in lines:
    for reader in line_protocol_parser, pyilpp, reader_of_influxobject:
        if reader is reader_of_influxobject and '\n' in line:
            continue
        try:
            found = reader(line)
        except Exception as error:
            found = f'raises {type(error).__name__}'
        print(line.replace('\n', '<line feed>').replace(' 1600000000000000000', ' TIME'), '|', reader.__name__, '|', found)
PY
env/bin/python try.py | tee seen
cat >expected <<'TEXT'
influx_line_protocol | m,t=x v=23.1235 | read as m {'t': 'x'} {'v': 23.1235}
influx_line_protocol | m,t=x v=1.23457e+06 | read as m {'t': 'x'} {'v': 1234570.0}
influx_line | m,t=x v="say\ \"hi\"" | read as m {'t': 'x'} {'v': 'say\\ "hi"'}
influx_line | m,t=x v="on\,\ a\=b" | read as m {'t': 'x'} {'v': 'on\\,\\ a\\=b'}
influx_line | m,t=x v="C:\" | rejected: Failed to parse value of field.
influx_line | hall 1,t=x v=1.5 | rejected: Failed to parse key of field.
sprockets_influxdb | m,t=x v=Truei | rejected: Failed to parse type of field value.
sprockets_influxdb | m,t=x v="say\ "hi"" | read as m {'t': 'x'} {'v': 'say\\ "hi"'}
sprockets_influxdb | m,t=x v="on\,\ a=b" | read as m {'t': 'x'} {'v': 'on\\,\\ a=b'}
sprockets_influxdb | m,t=x v="C:\" | rejected: Failed to parse value of field.
sprockets_influxdb | m,t=a=b v=1.5 | rejected: Failed to parse value of tag.
sprockets_influxdb | m, v=1.5 | rejected: Failed to parse key of tag.
influx_sansio | m,t=x v="C:\" | rejected: Failed to parse value of field.
influx_sansio | m,t=x v="onetwo" | read as m {'t': 'x'} {'v': 'onetwo'}
aioinflux | m,t=x v="onetwo" | read as m {'t': 'x'} {'v': 'onetwo'}
influxobject | m,t=x v=say "hi" | rejected: Failed to parse type of field value.
influxobject | m,t=x v=on, a=b | rejected: Failed to parse type of field value.
influxobject | m,t=x v=C:\ | rejected: Failed to parse type of field value.
influxobject | m,t=x v=one<line feed>two | rejected: Failed to parse value of field.
influxobject | m,t=a=b v=1.5 | rejected: Failed to parse value of tag.
influxobject | hall 1,t=x v=1.5 | rejected: Failed to parse key of field.
influxobject | m {} {'v': 1.5} | raises ValueError
m,t=a v=1 TIME<line feed>m,t=_test v=2 TIME<line feed>m,t=b v=3 TIME | line_protocol_parser | [({'t': 'a'}, {'v': 1.0}), ({'t': '_test'}, {'v': 2.0}), ({'t': 'b'}, {'v': 3.0})]
m,t=a v=1 TIME<line feed>m,t=_test v=2 TIME<line feed>m,t=b v=3 TIME | pyilpp | [({'t': 'a'}, {'v': 1.0})]
m,t=C:\x v=1 TIME | line_protocol_parser | [({'t': 'C:\\x'}, {'v': 1.0})]
m,t=C:\x v=1 TIME | pyilpp | [({'t': 'C:x'}, {'v': 1.0})]
m,t=C:\x v=1 TIME | reader_of_influxobject | [({'t': 'C:\\x'}, {'v': 1})]
m,t=x v="C:\x" TIME | line_protocol_parser | [({'t': 'x'}, {'v': 'C:\\x'})]
m,t=x v="C:\x" TIME | pyilpp | [({'t': 'x'}, {'v': 'C:x'})]
m,t=x v="C:\x" TIME | reader_of_influxobject | [({'t': 'x'}, {'v': '"C:\\x"'})]
m,t=x v=-5 TIME | line_protocol_parser | [({'t': 'x'}, {'v': -5.0})]
m,t=x v=-5 TIME | pyilpp | [({'t': 'x'}, {'v': -5.0})]
m,t=x v=-5 TIME | reader_of_influxobject | [({'t': 'x'}, {'v': '-5'})]
m,t=x v=5i TIME | line_protocol_parser | [({'t': 'x'}, {'v': 5})]
m,t=x v=5i TIME | pyilpp | [({'t': 'x'}, {'v': 5})]
m,t=x v=5i TIME | reader_of_influxobject | [({'t': 'x'}, {'v': '5i'})]
m,t=x v=1e3 TIME | line_protocol_parser | [({'t': 'x'}, {'v': 1000.0})]
m,t=x v=1e3 TIME | pyilpp | [({'t': 'x'}, {'v': 1000.0})]
m,t=x v=1e3 TIME | reader_of_influxobject | [({'t': 'x'}, {'v': '1e3'})]
m v=1 TIME | line_protocol_parser | [({}, {'v': 1.0})]
m v=1 TIME | pyilpp | [({}, {'v': 1.0})]
m v=1 TIME | reader_of_influxobject | raises ValueError
m,t=x v=1 | line_protocol_parser | [({'t': 'x'}, {'v': 1.0})]
m,t=x v=1 | pyilpp | [({'t': 'x'}, {'v': 1.0})]
m,t=x v=1 | reader_of_influxobject | raises ValueError
TEXT
diff expected seen
echo "as described"
