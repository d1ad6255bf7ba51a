#!/usr/bin/env bash
# Avro libraries for Python change decimals and default values: PyPI avro 1.12.2, avroc 0.3.1, fastavro 1.13.1 and avrolight 1.0.9, each in other points,
# beside npm avsc 5.7.9.
#
# Expected (Avro 1.12 specification): a decimal is its unscaled integer in two's complement, with the scale of the schema ("Decimal"), so 1.5 with scale 2
#           is 150. The default of a bytes or fixed field is a string whose code points 0 to 255 are the bytes, and that of a double any JSON number
#           ("Records"). A union is the position of the branch and its value, an int has 32 bits ("Unions", "Primitive Types").
# Seen:     avro and avroc write the digits of the value as they are: 1.5 with scale 2 arrives as 0.15, 2 as 0.02. avroc also writes negative
#           decimals as positive ones, raises an error for 2.00 in bytes, and one for a timestamp in a union with null. The default "\u00ff\u0001" is
#           the bytes c3bf01 in avro and avroc, in a fixed of two bytes too, and a text in fastavro. avro and avroc reject the default 2 of a double.
#           avrolight writes true in [int, boolean] as the int 1, and 2^40 in [int, long] as an int, and cannot write true in [null, boolean].
# So:       prices and set points are a tenth or a hundredth of what was sent, if they end in zeros that the program left out, or lose their sign.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install -q avro==1.12.2 avroc==0.3.1 fastavro==1.13.1 avrolight==1.0.9
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts avsc@5.7.9 >/dev/null 2>&1

cat >try.py <<'PY'
import datetime, io, json
from decimal import Decimal
import avro.io, avro.schema, avroc, avrolight.io, fastavro

def avro_write(schema, value):
    stream = io.BytesIO()
    avro.io.DatumWriter(avro.schema.parse(json.dumps(schema))).write(value, avro.io.BinaryEncoder(stream))
    return stream.getvalue()

def avro_read(writer, reader, data):
    writer, reader = (avro.schema.parse(json.dumps(schema)) for schema in (writer, reader))
    return avro.io.DatumReader(writer, reader).read(avro.io.BinaryDecoder(io.BytesIO(data)))

def fastavro_write(schema, value):
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, schema, value)
    return stream.getvalue()

def avrolight_write(schema, value):
    stream = io.BytesIO()
    avrolight.io.Writer(schema).write(stream, value)
    return stream.getvalue()

WRITE = {'avro': avro_write, 'avroc': lambda schema, value: avroc.compile_encoder(schema)(value), 'fastavro': fastavro_write, 'avrolight': avrolight_write}
READ = {
    'avro': avro_read,
    'avroc': lambda writer, reader, data: avroc.compile_decoder(writer, reader)(io.BytesIO(data)),
    'fastavro': lambda writer, reader, data: fastavro.schemaless_reader(io.BytesIO(data), writer, reader),
}

def attempt(function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:
        return type(error).__name__

def print_written(name, schema, value, libraries):
    for library in libraries:
        found = attempt(WRITE[library], schema, value)
        print(library, '|', name, '|', found.hex() if isinstance(found, bytes) else found)

def decimal(scale, **schema):
    return {'logicalType': 'decimal', 'precision': 9, 'scale': scale, **schema}

for value in ('1.50', '1.5', '2', '-1.50'):
    print_written(f'{value} in a fixed of 4 bytes, scale 2', decimal(2, type='fixed', name='F', size=4), Decimal(value), ('fastavro', 'avro', 'avroc'))
print_written('2.00 in bytes, scale 2', decimal(2, type='bytes'), Decimal('2.00'), ('fastavro', 'avro', 'avroc'))
time = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
print_written('a timestamp in [null, timestamp-micros]', ['null', {'type': 'long', 'logicalType': 'timestamp-micros'}], time, ('fastavro', 'avro', 'avroc'))
for name, value in (('true in [int, boolean]', True), ('true in [null, boolean]', True), ('2^40 in [int, long]', 1 << 40)):
    schema = [branch.strip(' []') for branch in name.split(' in ')[1].split(',')]
    print_written(name, schema, value, ('fastavro', 'avro', 'avroc', 'avrolight'))

WRITER = {'type': 'record', 'name': 'R', 'fields': [{'name': 'a', 'type': 'int'}]}
cases = []
for name, type_, default in (('bytes', 'bytes', '\u00ff\u0001'), ('fixed of 2 bytes', {'type': 'fixed', 'name': 'X', 'size': 2}, '\u00ff\u0001'), ('double', 'double', 2)):
    reader = {'type': 'record', 'name': 'R', 'fields': [{'name': 'a', 'type': 'int'}, {'name': 'n', 'type': type_, 'default': default}]}
    cases.append({'name': name, 'writer': WRITER, 'reader': reader})
    for library in ('avro', 'avroc', 'fastavro'):
        found = attempt(READ[library], WRITER, json.loads(json.dumps(reader)), b'\2')
        found = found['n'] if isinstance(found, dict) else found
        print(library, '| default of', name, '|', found.hex() if isinstance(found, bytes) else ascii(found))
json.dump(cases, open('cases.json', 'w'))
PY
cat >try.js <<'JS'
const {Type} = require('avsc');
for (const {name, writer, reader} of require('./cases.json')) {
  const [from, to] = [Type.forSchema(writer), Type.forSchema(reader)];
  const {n} = to.fromBuffer(Buffer.from([2]), to.createResolver(from));
  console.log('avsc | default of', name, '|', Buffer.isBuffer(n) ? n.toString('hex') : n);
}
JS
{ env/bin/python try.py 2>/dev/null; node try.js; } | tee seen
cat >expected <<'TEXT'
fastavro | 1.50 in a fixed of 4 bytes, scale 2 | 00000096
avro | 1.50 in a fixed of 4 bytes, scale 2 | 00000096
avroc | 1.50 in a fixed of 4 bytes, scale 2 | 00000096
fastavro | 1.5 in a fixed of 4 bytes, scale 2 | 00000096
avro | 1.5 in a fixed of 4 bytes, scale 2 | 0000000f
avroc | 1.5 in a fixed of 4 bytes, scale 2 | 0000000f
fastavro | 2 in a fixed of 4 bytes, scale 2 | 000000c8
avro | 2 in a fixed of 4 bytes, scale 2 | 00000002
avroc | 2 in a fixed of 4 bytes, scale 2 | 00000002
fastavro | -1.50 in a fixed of 4 bytes, scale 2 | ffffff6a
avro | -1.50 in a fixed of 4 bytes, scale 2 | ffffff6a
avroc | -1.50 in a fixed of 4 bytes, scale 2 | 00000096
fastavro | 2.00 in bytes, scale 2 | 0400c8
avro | 2.00 in bytes, scale 2 | 0400c8
avroc | 2.00 in bytes, scale 2 | OverflowError
fastavro | a timestamp in [null, timestamp-micros] | 02808082e288d2a306
avro | a timestamp in [null, timestamp-micros] | 02808082e288d2a306
avroc | a timestamp in [null, timestamp-micros] | ValueError
fastavro | true in [int, boolean] | 0201
avro | true in [int, boolean] | 0201
avroc | true in [int, boolean] | 0201
avrolight | true in [int, boolean] | 0002
fastavro | true in [null, boolean] | 0201
avro | true in [null, boolean] | 0201
avroc | true in [null, boolean] | 0201
avrolight | true in [null, boolean] | ValueError
fastavro | 2^40 in [int, long] | 02808080808040
avro | 2^40 in [int, long] | 02808080808040
avroc | 2^40 in [int, long] | 02808080808040
avrolight | 2^40 in [int, long] | 00808080808040
avro | default of bytes | c3bf01
avroc | default of bytes | c3bf01
fastavro | default of bytes | '\xff\x01'
avro | default of fixed of 2 bytes | c3bf01
avroc | default of fixed of 2 bytes | c3bf01
fastavro | default of fixed of 2 bytes | '\xff\x01'
avro | default of double | 'InvalidDefaultException'
avroc | default of double | 'AssertionError'
fastavro | default of double | 2
avsc | default of bytes | ff01
avsc | default of fixed of 2 bytes | ff01
avsc | default of double | 2
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "avro 1.12.2, avroc 0.3.1, fastavro 1.13.1, avrolight 1.0.9: as described"
