#!/usr/bin/env bash
# Three npm readers of DBF tables, in which data loggers and shapefiles keep measurements, read other values: dbf-reader 1.0.3, node-dbf 0.4.0 and parsedbf 2.0.0,
# beside dbffile 1.13.0.
#
# Expected (Microsoft, Visual FoxPro documentation, Table File Structure, and dBASE, Data File Header Structure): a record whose first octet is * is deleted. D is year,
#           month and day in eight digits. L is T, t, Y or y, or F, f, N or n, or ? or a space if it is not known. N is a number in text, or blank if there is none.
#           I is a signed integer of four octets, and B a double, with the low octet first.
# Seen:     dbf-reader gives each date a month late, 31 January even as 3 March, and a blank number as 0. node-dbf has no value for T and F. parsedbf lists
#           deleted records like others. dbf-reader and parsedbf have false for ?. node-dbf and parsedbf give the octets of I and B as characters,
#           without an error. dbffile reads all of it.
# So:       a measurement of 30 November is one of 30 December, and those that were removed are there again.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts dbf-reader@1.0.3 node-dbf@0.4.0 parsedbf@2.0.0 dbffile@1.13.0 >/dev/null 2>&1

cat >make.py <<'PY'
import struct
FIELDS = (('DATE', 'D', 8, 0), ('TEMP', 'N', 6, 1), ('OK', 'L', 1, 0), ('COUNT', 'I', 4, 0), ('LEVEL', 'B', 8, 1))
ROWS = ((' ', '20261130', '  21.5', 'T', -5, 21.5), ('*', '20261130', '  99.9', 'T', 1, 1), (' ', '20260131', ' -0.05', 'F', 70000, -0.5), (' ', ' ' * 8, ' ' * 6, '?', 0, 0))
with open('table.dbf', 'wb') as file:
    start = 32 + 32 * len(FIELDS) + 1
    file.write(struct.pack('<4BIHH20x', 0x30, 126, 11, 30, len(ROWS), start, 1 + sum(field[2] for field in FIELDS)))
    offset = 1
    for name, kind, size, decimals in FIELDS:
        file.write(struct.pack('<11scIBB14x', name.encode(), kind.encode(), offset, size, decimals))
        offset += size
    file.write(b'\r')
    for flag, date, temperature, ok, count, level in ROWS:
        file.write((flag + date + temperature + ok).encode() + struct.pack('<id', count, level))
    file.write(b'\x1a')
PY
cat >try.mjs <<'JS'
import { createRequire } from 'module';
import { readFileSync } from 'fs';
import { DBFFile } from 'dbffile';
const require = createRequire(import.meta.url);
const parsedbf = (await import('parsedbf')).default;
const NodeDbf = require('node-dbf').default ?? require('node-dbf');
const show = (name, rows) => {
  for (const row of rows) {
    const { DATE, TEMP, OK, COUNT, LEVEL } = row;
    const date = !(DATE instanceof Date) ? DATE : Number.isNaN(Number(DATE)) ? 'invalid' : DATE.toISOString().slice(0, 10);
    console.log(name, '|', JSON.stringify({ date, temp: TEMP, ok: OK, count: COUNT, level: LEVEL }), row['@deleted'] ? 'deleted' : '');
  }
};
show('dbffile', await (await DBFFile.open('table.dbf')).readRecords(10));
show('dbf-reader', require('dbf-reader').Dbf.read(readFileSync('table.dbf')).rows);
const rows = [];
await new Promise((resolve) => {
  const parser = new NodeDbf('table.dbf');
  parser.on('record', (record) => rows.push(record));
  parser.on('end', resolve);
  parser.parse();
});
show('node-dbf', rows);
const octets = readFileSync('table.dbf');
show('parsedbf', parsedbf(new DataView(octets.buffer, octets.byteOffset, octets.length)));
JS
python3 make.py
TZ=UTC node try.mjs | tee seen
cat >expected <<'TEXT'
dbffile | {"date":"2026-11-30","temp":21.5,"ok":true,"count":-5,"level":21.5} 
dbffile | {"date":"2026-01-31","temp":-0.05,"ok":false,"count":70000,"level":-0.5} 
dbffile | {"date":null,"temp":null,"ok":null,"count":0,"level":0} 
dbf-reader | {"date":"2026-12-30","temp":21.5,"ok":true,"count":-5,"level":21.5} 
dbf-reader | {"date":"2026-03-03","temp":-0.05,"ok":false,"count":70000,"level":-0.5} 
dbf-reader | {"date":null,"temp":0,"ok":false,"count":0,"level":0} 
node-dbf | {"date":"20261130","temp":21.5,"ok":null,"count":"����","level":"\u0000\u0000\u0000\u0000\u0000�5@"} 
node-dbf | {"date":"20261130","temp":99.9,"ok":null,"count":"\u0001\u0000\u0000\u0000","level":"\u0000\u0000\u0000\u0000\u0000\u0000�?"} deleted
node-dbf | {"date":"20260131","temp":-0.05,"ok":null,"count":"p\u0011\u0001\u0000","level":"\u0000\u0000\u0000\u0000\u0000\u0000�"} 
node-dbf | {"date":"","temp":null,"ok":null,"count":"\u0000\u0000\u0000\u0000","level":"\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000"} 
parsedbf | {"date":"2026-11-30","temp":21.5,"ok":true,"count":"����","level":"�5@"} 
parsedbf | {"date":"2026-11-30","temp":99.9,"ok":true,"count":"\u0001","level":"�?"} 
parsedbf | {"date":"2026-01-31","temp":-0.05,"ok":false,"count":"p\u0011\u0001","level":"�"} 
parsedbf | {"date":"invalid","temp":null,"ok":false,"count":"","level":""} 
TEXT
diff expected seen || { echo "the behaviour is no longer as described"; exit 1; }
echo "as described"
