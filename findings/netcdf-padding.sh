#!/usr/bin/env bash
# npm netcdfjs 4.0.0, a reader of NetCDF files of weather stations and loggers, gives padding as measurements, and rejects files with one series.
#
# Expected (Unidata, NetCDF File Format Specifications, The NetCDF Classic Format; OGC 10-092r3): the values of a variable are padded to a multiple of four octets, and vsize,
#           their size in the header, includes this padding; the number of values is the product of the dimensions. In each record, every record variable is
#           padded likewise, except that with one record variable only, of type byte, char or short, there is no padding between the records.
# Seen:     three shorts are four values, the last one 0, five bytes are eight, and the short of each record is a pair with 0. A file with one record variable only,
#           of type short, throws RangeError. Integers and doubles are right.
# So:       a station with three sensors has four, the last one at 0 degrees, and a logger with one sensor cannot be read.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts netcdfjs@4.0.0 >/dev/null 2>&1

cat >make.py <<'PY'
import struct
TYPES = {'byte': (1, 'b'), 'short': (3, 'h'), 'int': (4, 'i'), 'double': (6, 'd')}

def name(text):
    return struct.pack('>I', len(text)) + text.encode() + b'\0' * (-len(text) % 4)

def write(path, length, variables):
    """Writes variables of (name, type, values), whose dimension is the record dimension if length is None."""
    records = len(variables[0][2]) if length is None else 0
    dimensions = struct.pack('>II', 10, 1) + name('x') + struct.pack('>I', length or 0)
    size = lambda kind: struct.calcsize('>' + TYPES[kind][1])
    padded = lambda number: number + -number % 4
    sizes = [padded(size(kind) * (1 if length is None else length)) for _, kind, _ in variables]
    start = 4 + 4 + len(dimensions) + 8 + 8 + sum(len(name(title)) + 4 + 4 + 8 + 4 + 4 + 4 for title, _, _ in variables)
    header, begin = b'', start
    for (title, kind, _), octets in zip(variables, sizes):
        header += name(title) + struct.pack('>IIIIIII', 1, 0, 0, 0, TYPES[kind][0], octets, begin)
        begin += octets
    slab = lambda kind, values: struct.pack(f'>{len(values)}{TYPES[kind][1]}', *values)
    pad = lambda octets: octets + b'\0' * (-len(octets) % 4)
    if length is not None:
        data = b''.join(pad(slab(kind, values)) for _, kind, values in variables)
    elif len(variables) == 1:
        data = pad(b''.join(slab(kind, [value]) for _, kind, values in variables for value in values))
    else:
        data = b''.join(pad(slab(kind, [values[record]])) for record in range(records) for _, kind, values in variables)
    with open(path, 'wb') as file:
        file.write(b'CDF\x01' + struct.pack('>I', records) + dimensions + struct.pack('>II', 0, 0) + struct.pack('>II', 11, len(variables)) + header + data)

write('three.nc', 3, [('temp', 'short', (205, 210, 215)), ('count', 'int', (1, 2, 3))])
write('five.nc', 5, [('level', 'byte', (1, 2, 3, 4, 5)), ('flow', 'double', (0.5, 1.5, 2.5, 3.5, 4.5))])
write('records.nc', None, [('temp', 'short', (205, 210, 215)), ('count', 'int', (1, 2, 3))])
write('one.nc', None, [('temp', 'short', (205, 210, 215, 220))])
write('one-int.nc', None, [('count', 'int', (1, 2, 3))])
PY
cat >try.mjs <<'JS'
import { readFileSync } from 'fs';
import { NetCDFReader } from 'netcdfjs';
for (const file of ['three', 'five', 'records', 'one', 'one-int']) {
  const reader = new NetCDFReader(readFileSync(`${file}.nc`));
  for (const { name, type } of reader.variables) {
    try {
      console.log(file, '|', name, type, '|', JSON.stringify(reader.getDataVariable(name)));
    } catch (error) {
      console.log(file, '|', name, type, '| throws', error.constructor.name);
    }
  }
}
JS
python3 make.py
node try.mjs | tee seen
cat >expected <<'TEXT'
three | temp short | [205,210,215,0]
three | count int | [1,2,3]
five | level byte | [[1],[2],[3],[4],[5],[0],[0],[0]]
five | flow double | [0.5,1.5,2.5,3.5,4.5]
records | temp short | [[205,0],[210,0],[215,0]]
records | count int | [1,2,3]
one | temp short | throws RangeError
one-int | count int | [1,2,3]
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
